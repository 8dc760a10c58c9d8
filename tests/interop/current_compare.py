# SPDX-License-Identifier: PostgreSQL
"""current_compare.py - Barman 3.17 and barkeep are asked the same of random homes.

    current_compare.py BARKEEP SOURCE DIR PORT SYSTEMID FIRST LAST

Called by current_test.sh, which tells what the arguments are. Barman is imported once and forked
for every command. Exit status, stdout and stderr must be equal; of JSON what it holds. What
doc/barman.md lists as different is taken out of both sides, and only that: see RULES. An answer
that depends on the clock may be asked for three times.
"""
import collections
import difflib
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

import current_home

BARKEEP, SOURCE, DIR, PORT, SYSTEMID, FIRST, LAST = sys.argv[1:8]
sys.path.insert(0, SOURCE)
import barman.cli  # noqa: E402
import barman.server  # noqa: E402

CONF = os.path.join(DIR, "barman.conf")
THEIR_CONF = os.path.join(DIR, "theirs.conf")  # the same, but see for_barman()
HOME = os.path.join(DIR, "home")
counts = collections.Counter()
commands = collections.Counter()
frequent = {}  # a line that differs, with N for numbers: the homes


def theirs(argv):
    out, err = os.path.join(DIR, "theirs.out"), os.path.join(DIR, "theirs.err")
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            for path, fd in ((out, 1), (err, 2)):
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.dup2(file, fd)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))  # it may never end
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            signal.alarm(60)
            barman.server.time = Hurry()
            sys.argv = ["barman"] + argv
            barman.cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with open(out, encoding="utf-8") as o, open(err, encoding="utf-8") as e:
        return [status, o.read(), e.read()]


class Hurry:
    """Barman's clock, which does not wait: check waits for WAL that never comes."""

    skipped = 0.0

    def time(self):
        return time.time() + self.skipped

    def sleep(self, seconds):
        self.skipped += seconds


def ours_begin(argv):
    return subprocess.Popen([BARKEEP] + argv, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ours_end(child):
    out, err = child.communicate()
    return [child.returncode, out.decode(), err.decode()]


def both(argv, in_turn):
    """Theirs and ours; at once where Barman changes nothing in the home."""
    if in_turn:
        a = theirs(["-c", THEIR_CONF] + argv)
        return a, ours_end(ours_begin(["-c", CONF] + argv))
    child = ours_begin(["-c", CONF] + argv)
    a = theirs(["-c", THEIR_CONF] + argv)
    return a, ours_end(child)


# ---- what doc/barman.md lists ----------------------------------------------------------

# (command, regular expression of a line, what replaces it on both sides); None: the line goes.
RULES = [
    # warnings about the configuration: file and line, never the value; what Barman only logs
    (".*", r"Ignoring invalid configuration value of option 'minimum_redundancy'", None),
    (".*", r"Ignoring invalid configuration value '[^'\"]*' for key (\w+) in (\[\w+\]) section: "
           r"[^\"]*", r"Ignoring \1 in \2"),
    (".*", r"[^\" ]+:\d+: Ignoring invalid configuration value of option '(\w+)' in (\[\w+\]) "
           r"section\.", r"Ignoring \1 in \2"),
    (".*", r"[^\" ]+:\d+: (Invalid configuration option )", r"\1"),
    # Barman connects to the server for every command
    (".*", r"'primary_conninfo' is set but 'conninfo' does not point to a standby server\. "
           r"Ignoring 'primary_conninfo'\.", None),
    (".*", r"^HINT: .*", None),
    (".*", r"^/_HINT/", None),
    (".*", r"^WARNING: .* this version does not act on it.*", None),
    (".*", r"^/_WARNING/.* this version does not act on it.*", None),
    # what Barman only logs, or tells of methods that are not here yet
    (".*", r"invalid retention_policy of server|No backup strategy set for server", None),
    ("status", r"not enforced \(not a retention policy: [^)\"]*\)", "not enforced"),
    ("check", r"not a retention policy: [^)\"]*", "see log"),
    # methods that are not here yet
    ("check", r"^(\t|s\.|other\.)(ssh: FAILED).*", r"\1\2"),
    ("check", r"^(s|other)\.configuration: FAILED$", None),
    ("check", r"^(BARMAN CRITICAL.*?), configuration\b", r"\1"),
    ("check", r"^(BARMAN CRITICAL.*?), configuration\b", r"\1"),
    ("check", r"^/s/ssh/hint=.*", None),
    ("check", r"^\tconfiguration: FAILED$|asks for something this version does not have", None),
    ("check", r"^/s/configuration/", None),
    # who tells of itself
    ("check", r"See the (Barman )?log file for more details", "See the log file"),
    ("check", r"'barman receive-wal", "'barkeep receive-wal"),
    # programs that are built in are there and fit, whether PostgreSQL answers or not
    ("check", r"^\tpg_(basebackup|receivexlog)( compatible)?: .*", None),
    ("check", r"^/s/pg_(basebackup|receivexlog)(_compatible)?/", None),
    ("check", r"^\w+\.pg_(basebackup|receivexlog)( compatible)?: ", None),
    ("check", r"^(BARMAN CRITICAL.*?), pg_(basebackup|receivexlog) compatible", r"\1"),
    ("check", r"^(BARMAN CRITICAL.*?), pg_(basebackup|receivexlog) compatible", r"\1"),
    ("check", r"OK \(built in\)$", "OK"),
    ("check", r"^(/s/pg_basebackup_supports_tablespaces_mapping/hint=)\"built in\"", r'\1""'),
    # a cause where Barman has none
    ("check", r"^(\tPostgreSQL: FAILED|s\.PostgreSQL: FAILED|other\.PostgreSQL: FAILED) "
              r"\(cannot connect.*", r"\1"),
    ("check", r"^(/s/postgresql/hint=)\"cannot connect.*", r'\1""'),
    ("check", r"^(.*PostgreSQL streaming( \(WAL streaming\))?: FAILED) \(.*", r"\1"),
    ("check", r"^(/s/postgresql_streaming(_\(wal_streaming\))?/hint=)\".*", r"\1"),
    ("check", r"please make sure WAL shipping is setup; switch-wal --force sends a first file",
     "please make sure WAL shipping is setup"),
    ("replication-status", r"(Unable to connect to server \w+)[^\"]*", r"\1"),
    ("show-servers|diagnose", r"connection_error", None),
    ("check", r"^\{\}BARMAN", "BARMAN"),
    ("check", r"^\{\}$", None),
    ("show-servers|diagnose", r"pg_(basebackup|receivexlog)_(path|version)", None),
    ("show-servers|diagnose", r"catalogue_layout|hook_timeout", None),
    ("diagnose", r"^/global/system_info/", None),
    ("diagnose", r"^/global/config/(?!barman_|config_|errors_list|lock_|log_)", None),
    ("diagnose", r"(/last_archived_wal_per_timeline/\w+/(compression|encryption)=).*", r"\1"),
    ("diagnose", r"(/config/(backup|recovery)_options=\").*", r"\1"),  # a set has no order
    # the clock, and in whose time zone it is told
    ("status", r"(Last archived WAL: \w+|last_archived_wal/message=\"\w+), at .*", r"\1"),
    ("status", r"\d+\.\d\d/hour", "/hour"),
    ("check", r"(latest (wal|backup) age: [^)\"]*?),? \d+ seconds?", r"\1"),
    ("show-servers", r"(latest backup[^)\"]*?),? \d+ seconds?", r"\1"),
    ("show-servers|diagnose", r"(stats_reset|last_(archived|failed)_time).*", r"\1"),
    ("show-servers|diagnose", r"current_archived_wals_per_second.*", ""),
    ("show-servers", r"((?:Backup|Recovery)Options\().*", r"\1"),  # a set has no order
    ("list-files", r".*\.history\"?$", None),
]


def lines(command, text):
    out = []
    for line in text.splitlines():
        for of, pattern, to in RULES:
            if re.fullmatch(of, command) and re.search(pattern, line):
                line = None if to is None else re.sub(pattern, to, line)
                if line is None:
                    break
        if line is not None:
            out.append(re.sub(r"^(/_[A-Z]+/)\d+=", r"\1", line))
    return out


def flat(value, path=""):
    """A JSON document as sorted lines, so that the same rules can be said of it."""
    if isinstance(value, dict):
        for key in sorted(value):
            yield from flat(value[key], path + "/" + key)
        if not value:
            yield path + "={}"
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from flat(item, path + "/%d" % i)
        if not value:
            yield path + "=[]"
    else:
        yield path + "=" + json.dumps(value, ensure_ascii=False)


def normal(argv, answer):
    command = argv[0]
    status, out, err = answer
    if "json" in argv[1] or command == "diagnose":
        try:
            out = "\n".join(flat(json.loads(out))) if out else ""
        except ValueError:
            pass
    out = lines(command, out)
    if command == "list-files":
        out = sorted(re.sub(r"^/_INFO/", "", line) for line in out)
    if command == "check":
        out = kinds_in_order(without_slot(out))
    return [status, out, sorted(lines(command, err))]


def without_slot(out):
    """With PostgreSQL down nothing is known of the slot, nor asked of tablespaces."""
    for line in list(out):  # for Nagios
        down = re.match(r"(\w+)\.PostgreSQL: FAILED", line)
        if down:
            name = down.group(1)
            out = [re.sub(r"(\* %s FAILED: [^*|]*?), replication slot" % name, r"\1", one)
                   for one in out if not one.startswith(name + ".replication slot: ")]
    if not [line for line in out if re.match(r"\tPostgreSQL: FAILED|/s/postgresql/status=\"FAIL",
                                             line)]:
        return out
    return [line for line in out if not re.match(
        r"\t(replication slot|pg_basebackup supports tablespaces mapping)\b|"
        r"/s/(replication_slot|pg_basebackup_supports_tablespaces_mapping)\b", line)]


def kinds_in_order(out):
    """archiver errors: duplicates: 1, unknown: 2 - Barman's order is that of the directory."""
    return [re.sub(r"((?:duplicates|unknown|not relevant|unknown failure): \d+(?:, )?)+",
                   lambda m: ", ".join(sorted(m.group(0).split(", "))), line) for line in out]


# ---- asking ----------------------------------------------------------------------------

def ask(seed, args, form, in_turn):
    line = ["-f", form] + args
    moves = args[0] in ("check", "show-servers", "status", "diagnose")
    for _ in range(3 if moves else 1):
        a, b = both(line, in_turn)
        if a[0] < 0:
            counts["exception"] += 1
            print("ENDLESS seed %s: %s" % (seed, " ".join(args)))
            return
        if re.search(r"^EXCEPTION|\"_EXCEPTION\"", a[2] + "\n" + a[1], re.M):
            counts["exception"] += 1
            print("EXCEPTION seed %s: %s: %s" % (seed, " ".join(args), (a[1] + a[2])[-300:]))
            return
        na, nb = normal([args[0], form], a), normal([args[0], form], b)
        if na == nb:
            counts["equal"] += 1
            commands[args[0] + " " + form] += 1
            return
    counts["differ"] += 1
    print("DIFFER seed %s: -f %s %s (status %s, %s)" % (seed, form, " ".join(args), a[0], b[0]))
    for what, x, y in (("out", na[1], nb[1]), ("err", na[2], nb[2])):
        for line in difference(x, y):
            print("    %s %s" % (what, line))
            text = re.sub(r"\d+", "N", "%s %s: %s" % (args[0], form, line))
            frequent.setdefault(text, []).append(seed)


def difference(x, y):
    return [d for d in difflib.unified_diff(x, y, "barman", "barkeep", lineterm="", n=0)
            if not d.startswith(("---", "+++", "@@"))]


def questions(rng, ids):
    yield ["list-backups", "all"]
    yield ["list-servers"]
    yield ["list-backups", "--minimal", "s"]
    yield ["status", "all"]
    yield ["check", "s"]
    yield ["check", "--nagios", "all"]
    yield ["show-servers", "s"]
    yield ["replication-status", rng.choice(["--minimal", "--target=all"]), "s"]
    yield ["diagnose"]
    if rng.random() < 0.2:
        yield ["list-processes", "s"]
        yield ["check-wal-archive", "s"]
    for which in rng.sample(ids, min(len(ids), 2)) + [rng.choice(["latest", "oldest", "last-full",
                                                                  "last-failed", "nosuch"])]:
        yield ["show-backup", "s", which]
    for which in rng.sample(ids, min(len(ids), 1)):
        yield ["list-files", "--target", rng.choice(["standalone", "data", "wal", "full"]), "s",
               which]
        yield ["keep", "--status", "s", which]


def for_barman(conf):
    """A server's minimum_redundancy that is none counts as that of [barman] with us and as 0 in
    Barman: it gets ours, so that all else can be compared."""
    general = re.search(r"^minimum_redundancy = (\d+)$", conf.split("\n[", 1)[0], re.M)
    if not general:
        return conf
    return re.sub(r"^minimum_redundancy = (x|-1)$", general.group(0), conf, flags=re.M)


def home(seed):
    """The random home of that number; the ids of server s."""
    subprocess.run(["rm", "-rf", HOME], check=True)
    os.makedirs(HOME)
    conf, ids = current_home.make(seed, HOME, int(PORT), SYSTEMID, os.environ["OWNER"],
                                  os.path.join(DIR, "log"))
    with open(CONF, "w", encoding="utf-8") as f:
        f.write(conf)
    with open(THEIR_CONF, "w", encoding="utf-8") as f:
        f.write(for_barman(conf))
    return ids


def ask_all(seed, rng, ids):
    only = os.environ.get("ONLY")
    asked = 0
    for args in questions(rng, ids):
        if only and not re.fullmatch(only, args[0]):
            continue
        for form in ("console", "json") if args[0] != "diagnose" else ("console",):
            # The first answer puts in order what an older release left.
            ask(seed, args, form, asked == 0 or args[0].startswith("check"))
            asked += 1


def main():
    zones = ["UTC", "UTC", "Europe/Rome", "America/Los_Angeles", "Asia/Kolkata"]
    for seed in range(int(FIRST), int(LAST) + 1):
        rng = random.Random(seed * 7)
        os.environ["TZ"] = rng.choice(zones)
        time.tzset()
        ids = home(seed)
        ask_all(seed, rng, ids)
        counts["homes"] += 1
        if seed % 10 == 9:
            print("seed %d: %s" % (seed, dict(counts)), flush=True)
        counts["backups"] += len(ids)
    for name, n in sorted(commands.items()):
        print("%6d  %s" % (n, name))
    for text, seeds in sorted(frequent.items(), key=lambda of: -len(of[1]))[:60]:
        print("%4d x %s (seed %s)" % (len(seeds), text[:200], seeds[0]))
    print("%d homes, %d backups: %d answers equal, %d differ, %d not told by Barman" % (
        counts["homes"], counts["backups"], counts["equal"], counts["differ"],
        counts["exception"]))
    sys.exit(0 if counts["differ"] == 0 and counts["equal"] > 0 else 1)


main()
