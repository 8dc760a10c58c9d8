# SPDX-License-Identifier: PostgreSQL
"""current_compare.py - Barman 3.17 and barkeep are asked the same of random homes.

    current_compare.py BARKEEP SOURCE DIR PORT SYSTEMID FIRST LAST

Called by current_test.sh, which tells what the arguments are. Barman is imported once and forked
for every command. Exit status, stdout and stderr must be equal; of JSON what it holds. What
doc/barman.md lists as different is taken out of both sides, and only that: see RULES. An answer
that depends on the clock may be asked for three times.
"""
import collections
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

CONF = os.path.join(DIR, "barman.conf")
HOME = os.path.join(DIR, "home")
counts = collections.Counter()
commands = collections.Counter()


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


def ours(argv):
    done = subprocess.run([BARKEEP] + argv, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    return [done.returncode, done.stdout.decode(), done.stderr.decode()]


# ---- what doc/barman.md lists ----------------------------------------------------------

# (command, regular expression of a line, what replaces it on both sides); None: the line goes.
RULES = [
    (".*", r"^HINT: .*", None),
    (".*", r"^/_HINT/", None),
    (".*", r"^WARNING: .* this version does not act on it.*", None),
    (".*", r"^/_WARNING/.* this version does not act on it.*", None),
    # what Barman only logs, or tells of methods that are not here yet
    (".*", r"invalid retention_policy of server|No backup strategy set for server", None),
    ("status", r"not enforced \(not a retention policy: [^)\"]*\)", "not enforced"),
    ("check", r"not a retention policy: [^)\"]*", "see log"),
    # methods that are not here yet
    ("check", r"^\t(ssh: FAILED).*", r"\1"),
    ("check", r"^/s/ssh/hint=.*", None),
    ("check", r"^\tconfiguration: FAILED$|asks for something this version does not have", None),
    ("check", r"^/s/configuration/", None),
    # who tells of itself
    ("check", r"See the (Barman )?log file for more details", "See the log file"),
    ("check", r"'barman receive-wal", "'barkeep receive-wal"),
    ("check", r"OK \(built in\)$", "OK"),
    ("check", r"^(/s/pg_(basebackup|receivexlog).*/hint=)\"built in\"", r'\1""'),
    ("check", r"^\{\}BARMAN", "BARMAN"),
    ("check", r"^\{\}$", None),
    ("show-servers|diagnose", r"pg_(basebackup|receivexlog)_(path|version)", None),
    ("show-servers|diagnose", r"catalogue_layout|hook_timeout", None),
    ("diagnose", r"_ver\"|/\w+_ver=|\"timestamp\"|python_executable|\"release\"", None),
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
            out.append(line)
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
    if "json" in argv[1] and command != "diagnose":
        try:
            out = "\n".join(flat(json.loads(out))) if out else ""
        except ValueError:
            pass
    out = lines(command, out)
    if command == "list-files":
        out = sorted(re.sub(r"^/_INFO/\d+=", "", line) for line in out)
    return [status, out, sorted(lines(command, err))]


# ---- asking ----------------------------------------------------------------------------

def ask(seed, args, form):
    line = ["-c", CONF, "-f", form] + args
    moves = args[0] in ("check", "show-servers")
    for again in range(3 if moves else 1):
        a = theirs(line)
        b = ours(line)
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


def difference(x, y):
    import difflib
    return [d for d in difflib.unified_diff(x, y, "barman", "barkeep", lineterm="", n=0)
            if not d.startswith(("---", "+++", "@@"))]


def questions(rng, ids):
    yield ["list-servers"]
    yield ["list-backups", "all"]
    yield ["list-backups", "--minimal", "s"]
    yield ["status", "all"]
    yield ["check", "s"]
    if rng.random() < 0.2:
        yield ["check", "--nagios", "all"]
        yield ["show-servers", "s"]
        yield ["replication-status", rng.choice(["--minimal", "--target=all"]), "s"]
        yield ["list-processes", "s"]
        yield ["check-wal-archive", "s"]
        yield ["diagnose"]
    for which in rng.sample(ids, min(len(ids), 2)) + [rng.choice(["latest", "oldest", "last-full",
                                                                  "last-failed", "nosuch"])]:
        yield ["show-backup", "s", which]
    for which in rng.sample(ids, min(len(ids), 1)):
        yield ["list-files", "--target", rng.choice(["standalone", "data", "wal", "full"]), "s",
               which]
        yield ["keep", "--status", "s", which]


def main():
    zones = ["UTC", "UTC", "Europe/Rome", "America/Los_Angeles", "Asia/Kolkata"]
    only = os.environ.get("ONLY")
    for seed in range(int(FIRST), int(LAST) + 1):
        rng = random.Random(seed * 7)
        os.environ["TZ"] = rng.choice(zones)
        time.tzset()
        subprocess.run(["rm", "-rf", HOME], check=True)
        os.makedirs(HOME)
        conf, ids = current_home.make(seed, HOME, int(PORT), SYSTEMID,
                                      os.environ["OWNER"], os.path.join(DIR, "log"))
        with open(CONF, "w") as f:
            f.write(conf)
        for args in questions(rng, ids):
            if only and not re.fullmatch(only, args[0]):
                continue
            for form in ("console", "json") if args[0] != "diagnose" else ("console",):
                ask(seed, args, form)
        counts["homes"] += 1
        if seed % 10 == 9:
            print("seed %d: %s" % (seed, dict(counts)), flush=True)
        counts["backups"] += len(ids)
    for name, n in sorted(commands.items()):
        print("%6d  %s" % (n, name))
    print("%d homes, %d backups: %d answers equal, %d differ, %d not told by Barman" % (
        counts["homes"], counts["backups"], counts["equal"], counts["differ"],
        counts["exception"]))
    sys.exit(0 if counts["differ"] == 0 and counts["equal"] > 0 else 1)


main()
