# SPDX-License-Identifier: PostgreSQL
"""current_compare.py - Barman 3.17 and barkeep are asked the same of random homes.

    current_compare.py BARKEEP SOURCE DIR PORT SYSTEMID FIRST LAST

Called by current_test.sh, which tells what the arguments are. Exit status, stdout and stderr must
be equal to the letter; of JSON what it holds. What may differ is in current_excused.py, and what it
excused is counted. Both clocks are stopped. RETENTION=1 makes the homes of current_retention.py and
asks only list-backups and show-backup. Every 20th home is asked in processes of its own.
"""
import collections
import difflib
import json
import os
import random
import re
import subprocess
import sys
import time

import current_barman
import current_excused
import current_home
import current_retention

BARKEEP, SOURCE, DIR, PORT, SYSTEMID, FIRST, LAST = sys.argv[1:8]
RETENTION = bool(os.environ.get("RETENTION"))
CONF = os.path.join(DIR, "barman.conf")
THEIR_CONF = os.path.join(DIR, "theirs.conf")  # the same, but see for_barman()
HOME = os.path.join(DIR, "home")
ZONES = ["UTC", "UTC", "Europe/Rome", "America/Los_Angeles", "Asia/Kolkata"]
barman = current_barman.Barman(SOURCE, DIR)
counts = collections.Counter()
commands = collections.defaultdict(collections.Counter)
used = collections.Counter()
frequent = {}  # a line that differs, with N for numbers: the homes


def ours_begin(argv):
    return subprocess.Popen([BARKEEP] + argv, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ours_end(child):
    out, err = child.communicate()
    return [child.returncode, out.decode(), err.decode()]


def both(argv, in_turn, alone):
    """Theirs and ours; at once where Barman changes nothing in the home."""
    child = None if in_turn else ours_begin(["-c", CONF] + argv)
    theirs = (barman.ask_alone if alone else barman.ask)(["-c", THEIR_CONF] + argv)
    return theirs, ours_end(child or ours_begin(["-c", CONF] + argv))


# ---- comparing -------------------------------------------------------------------------

def flat(value, path=""):
    """A JSON document as sorted lines, so that the same can be said of it."""
    if isinstance(value, dict):
        for key in sorted(value):
            yield from flat(value[key], path + "/" + key)
        if not value:
            yield path + "={}"
    elif isinstance(value, list):
        for i, item in enumerate(value):
            # The place of a message among the others is not what it says.
            yield from flat(item, path + ("/" if re.fullmatch("/_[A-Z]+", path) else "/%d" % i))
        if not value:
            yield path + "=[]"
    else:
        yield path + ("" if re.fullmatch("/_[A-Z]+/", path) else "=") + \
            json.dumps(value, ensure_ascii=False)


def in_order(match):
    """What has no order: Python's sets, and the kinds of errors, which come as the directory has
    them."""
    return ", ".join(sorted(re.split(", ?", match.group(0))))


UNORDERED = [
    ("show-servers", r"(?<=Options\(\{)[^}]+"),
    ("diagnose", r"(?<=_options=\")[^\"]+"),
    ("check", r"(?:(?:duplicates|unknown|not relevant|unknown failure): \d+(?:, )?)+"),
]


def lines(command, text):
    try:
        out = list(flat(json.loads(text))) if text.startswith("{") else text.splitlines()
    except ValueError:
        out = text.splitlines()
    for of, pattern in UNORDERED:
        if of == command:
            out = [re.sub(pattern, in_order, line) for line in out]
    # doc/barman.md: order of `Skipping ...` lines; of directories in `list-files`
    return sorted(out) if command == "list-files" else \
        sorted(out, key=lambda line: not re.match(r"(/_INFO/\")?Skipping ", line))


def difference(theirs, ours):
    """Lines that only Barman has, and only barkeep."""
    minus, plus = [], []
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes() if theirs != ours else []:
        if what != "equal":
            minus += theirs[i:j]
            plus += ours[k:m]
    return minus, plus


def compare(command, theirs, ours):
    """(equal to the letter, what is different and not excused, what was excused)"""
    rows = collections.Counter()
    left = [] if theirs[0] == ours[0] else ["status %s, %s" % (theirs[0], ours[0])]
    exact = not left
    for what in (1, 2):
        a, b = lines(command, theirs[what]), lines(command, ours[what])
        minus, plus = difference(*((a, b) if what == 1 else (sorted(a), sorted(b))))
        exact = exact and not minus + plus
        minus, plus = current_excused.excuse(command, a, minus, plus, rows)
        left += ["-" + line for line in minus] + ["+" + line for line in plus]
    return exact, left, rows


def ask(seed, args, form, in_turn):
    name, line = args[0] + " " + form, ["-f", form] + args
    for _ in range(3):  # processes and connections of a server come and go
        a, b = both(line, in_turn, seed % 20 == 0)
        if a[0] < 0 or re.search(r"^EXCEPTION|\"_EXCEPTION\"", a[2] + "\n" + a[1], re.M):
            commands[name]["not told"] += 1
            print("NOT TOLD seed %s: %s: %s" % (seed, " ".join(args), (a[1] + a[2])[-200:]))
            return
        exact, left, rows = compare(args[0], a, b)
        if not left:
            break
    if left:
        commands[name]["differ"] += 1
        print("DIFFER seed %s: -f %s %s" % (seed, form, " ".join(args)))
        for text in left:
            print("    " + text)
            text = re.sub(r"\d+", "N", "%s: %s" % (name, text))
            frequent.setdefault(text, []).append(seed)
        return
    commands[name]["equal" if exact else "excused"] += 1
    used.update(rows)


# ---- asking ----------------------------------------------------------------------------

def questions(rng, ids):
    """A third of the homes is asked for what is slow or seldom of interest, too."""
    more = rng.random() < 0.33
    yield ["list-backups", "all"]
    yield ["status", "all"]
    yield ["check", "s"]
    if more:
        yield ["list-servers"]
        yield ["list-backups", "--minimal", "s"]
        yield ["check", "--nagios", "all"]
        yield ["show-servers", "s"]
        yield ["replication-status", rng.choice(["--minimal", "--target=all"]), "s"]
        yield ["diagnose"]
        yield ["list-processes", "s"]
        yield ["check-wal-archive", "s"]
    for which in rng.sample(ids, min(len(ids), 2)) + [rng.choice(["latest", "oldest", "last-full",
                                                                  "last-failed", "nosuch"])]:
        yield ["show-backup", "s", which]
    for which in rng.sample(ids, min(len(ids), 1)) if more else []:
        yield ["list-files", "--target", rng.choice(["standalone", "data", "wal", "full"]), "s",
               which]
        yield ["keep", "--status", "s", which]
    yield ["rebuild-xlogdb", "all"]


def retention_questions(rng, ids):
    yield ["list-backups", "s"]
    for which in rng.sample(ids, min(len(ids), 2)):
        yield ["show-backup", "s", which]


def for_barman(conf):
    """A server's minimum_redundancy that is none counts as that of [barman] with us and as 0 in
    Barman: it gets ours, so that all else can be compared."""
    general = re.search(r"^minimum_redundancy = (\d+)$", conf.split("\n[", 1)[0], re.M)
    if not general:
        return conf
    return re.sub(r"^minimum_redundancy = (x|-1)$", general.group(0), conf, flags=re.M)


def home(seed, rng):
    """The random home of that number, in its zone and at its time; the ids of server s."""
    os.environ["TZ"] = rng.choice(ZONES[2:4] if RETENTION else ZONES)
    time.tzset()
    now = int(current_retention.now(seed) if RETENTION else time.time() // 3600 * 3600)
    os.environ["BARKEEP_NOW"] = str(now)
    barman.freeze(now)
    subprocess.run(["rm", "-rf", HOME], check=True)
    os.makedirs(HOME)
    place = current_home.Place(HOME, int(PORT), SYSTEMID, os.environ["OWNER"],
                               os.path.join(DIR, "log"), now)
    conf, ids = (current_retention if RETENTION else current_home).make(seed, place)
    with open(CONF, "w", encoding="utf-8") as f:
        f.write(conf)
    with open(THEIR_CONF, "w", encoding="utf-8") as f:
        f.write(for_barman(conf))
    return ids


def wal_lists():
    found = {}
    for directory, _, files in os.walk(HOME):
        for name in files:
            if name.endswith("-xlog.db"):
                with open(os.path.join(directory, name), encoding="utf-8") as f:
                    found[name] = f.read()
    return found


def rebuild(seed):
    """Both make the list of WAL anew, from what the files say of themselves."""
    theirs, said = [], []
    for conf, run in ((THEIR_CONF, barman.ask),
                      (CONF, lambda argv: ours_end(ours_begin(argv)))):
        said.append(run(["-c", conf, "rebuild-xlogdb", "all"]))
        theirs.append(wal_lists())
    for answer, lists in zip(said, theirs):
        answer[1] += "".join("%s: %s" % (name, line) for name in sorted(lists)
                             for line in lists[name].splitlines(True))
    exact, left, rows = compare("rebuild-xlogdb", *said)
    what = "differ" if left else "equal" if exact else "excused"
    commands["rebuild-xlogdb and its list"][what] += 1
    used.update(rows)
    if left:
        print("DIFFER seed %s: rebuild-xlogdb" % seed, *left[:20], sep="\n    ")


def ask_all(seed, rng, ids):
    only = os.environ.get("ONLY")
    asked = 0
    for args in (retention_questions if RETENTION else questions)(rng, ids):
        if only and not re.fullmatch(only, args[0]):
            continue
        if args[0] == "rebuild-xlogdb":
            rebuild(seed)
            continue
        for form in ("console", "json") if args[0] != "diagnose" else ("console",):
            # The first answer puts in order what an older release left.
            ask(seed, args, form, asked == 0 or args[0].startswith("check"))
            asked += 1


def report():
    total = collections.Counter()
    for name, n in sorted(commands.items()):
        total.update(n)
        print("%-34s %s" % (name, ", ".join("%d %s" % (n[k], k) for k in sorted(n))))
    for row, n in used.most_common():
        print("%6d answers  %s" % (n, row))
    for text, seeds in sorted(frequent.items(), key=lambda of: -len(of[1]))[:60]:
        print("%4d x %s (seed %s)" % (len(seeds), text[:200], seeds[0]))
    print("%d homes, %d backups: %d answers equal to the letter, %d but for what the page lists, "
          "%d differ, %d not told by Barman" % (counts["homes"], counts["backups"], total["equal"],
                                                total["excused"], total["differ"],
                                                total["not told"]))
    return total


def main():
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    current_excused.check_page(os.path.join(top, "doc", "barman.md"))
    for seed in range(int(FIRST), int(LAST) + 1):
        rng = random.Random(seed * 7)
        ids = home(seed, rng)
        ask_all(seed, rng, ids)
        counts["homes"] += 1
        counts["backups"] += len(ids)
        if seed % 10 == 9:
            print("seed %d, %d s of CPU" % (seed, time.process_time()), flush=True)
    total = report()
    sys.exit(0 if total["differ"] == 0 and total["equal"] > 0 else 1)


main()
