# SPDX-License-Identifier: PostgreSQL
"""current_excused.py - what may be different between Barman 3.17 and barkeep, and nothing else.

A row here names words of the row of doc/barman.md that lists it (a test of its own: words that the
page does not have are an error), the commands, the whole line of Barman's and the whole line of
ours; None: that side has no such line. What the groups of the two expressions catch under one name
must be equal. `same` may compare the rest. CLOCK: both tell the same moment or number, but not at
the same moment. when: only in an answer of Barman's in which that line is found, too.

JSON documents are lines, too: /path/to/key=value; `says` stands for a message in either form.
"""
import collections
import datetime
import re

import dateutil.parser
import dateutil.tz

CLOCK = None
Row = collections.namedtuple("Row", "doc command theirs ours same when", defaults=[None, None])


def moment(text, zone):
    at = dateutil.parser.parse(text)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def same_moment(theirs, ours):
    """PostgreSQL's clock is UTC in this test; where no zone is told Barman means that one."""
    a, b = theirs.group("at"), ours.group("at")
    if "None" in (a, b):
        return a == b
    gap = moment(a, datetime.timezone.utc) - moment(b, dateutil.tz.tzlocal())
    return abs(gap) <= datetime.timedelta(seconds=1)


def near(theirs, ours):
    a, b = float(theirs.group("n")), float(ours.group("n"))
    return abs(a - b) <= 0.1 * max(abs(a), abs(b)) + 0.01


# Failed checks that have a row of their own: of Barman only, while it gets no connection, and of
# ours.
THEIR_NAMES = {"pg_basebackup compatible", "pg_receivexlog compatible", "replication slot"}
OUR_NAMES = {"configuration"}
FAILED_NAMES = r"(?<=FAILED: )([^*|]*?)(?= \*|\||$)"


def same_but_excused(theirs, ours):
    """The line for Nagios, which has the names of the failed checks of each server."""
    a, b = (re.findall(FAILED_NAMES, line.group("n")) for line in (theirs, ours))
    rest = [re.sub(FAILED_NAMES, "", line.group("n")) for line in (theirs, ours)]
    return len(a) == len(b) and rest[0] == rest[1] and all(map(same_names, a, b))


def same_names(theirs, ours):
    a, b = theirs.split(", "), ours.split(", ")
    spare = THEIR_NAMES - set(b) if {"PostgreSQL", "PostgreSQL streaming"} & set(a) else set()
    return [name for name in a if name not in spare] == \
        [name for name in b if name not in OUR_NAMES - set(a)]


def says(level, text):
    return r'(?:%s: |/_%s/")%s"?' % (level, level, text)


def warns(text):
    return says("WARNING", text)


DOWN = r"(\t|\w+\.)PostgreSQL: FAILED.*|/s/postgresql/status=\"FAILED\""


ROWS = [
    # ---- the configuration ----
    Row("an option whose value is none", ".*",
        warns(r"Ignoring invalid configuration value '[^'\"]*' for key (?P<k>\w+) in "
              r"(?P<s>\[\w+\]) section: .*"),
        warns(r"\S+:\d+: Ignoring invalid configuration value of option '(?P<k>\w+)' in "
              r"(?P<s>\[\w+\]) section\.")),
    Row("`minimum_redundancy` that is no number", ".*", None,
        warns(r"\S+:\d+: Ignoring invalid configuration value of option 'minimum_redundancy' in "
              r"\[\w+\] section\.")),
    Row("an unknown option", ".*", warns(r"(?P<w>Invalid configuration option .*?)"),
        warns(r"\S+:\d+: (?P<w>Invalid configuration option .*?)")),
    Row("`'primary_conninfo' is set but", ".*",
        warns(r"'primary_conninfo' is set but 'conninfo' does not point to a standby server\. "
              r"Ignoring 'primary_conninfo'\."), None),
    Row("`HINT:` line after an error", ".*", None, says("HINT", ".*")),
    Row("this version does not act on it", ".*", None,
        warns(r".*this version does not act on it.*")),
    Row("`WARNING: ... invalid retention_policy`", ".*", None,
        warns(r".*invalid retention_policy of server.*")),
    Row("`No backup strategy set for server`", ".*", warns("No backup strategy set for server.*"),
        None),
    # ---- check ----
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"(?P<w>\tpg_(basebackup|receivexlog)( compatible)?: OK)",
        r"(?P<w>\tpg_(basebackup|receivexlog)( compatible)?: OK) \(built in\)"),
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"(?P<w>\tpg_basebackup supports tablespaces mapping: OK)",
        r"(?P<w>\tpg_basebackup supports tablespaces mapping: OK) \(built in\)"),
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"(?P<w>/s/pg_(basebackup|receivexlog)\w*/hint=)\"\"",
        r"(?P<w>/s/pg_(basebackup|receivexlog)\w*/hint=)\"built in\""),
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"(?P<w>\tpg_(basebackup|receivexlog) compatible: )FAILED \(PostgreSQL version: None, .*\)",
        r"(?P<w>\tpg_(basebackup|receivexlog) compatible: )OK \(built in\)"),
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"(?P<w>/s/pg_(basebackup|receivexlog)_compatible/hint=)\"PostgreSQL version: None, .*",
        r"(?P<w>/s/pg_(basebackup|receivexlog)_compatible/hint=)\"built in\""),
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"(?P<w>/s/pg_(basebackup|receivexlog)_compatible/status=)\"FAILED\"",
        r"(?P<w>/s/pg_(basebackup|receivexlog)_compatible/status=)\"OK\""),
    Row("`pg_basebackup`, `pg_receivexlog` in check", "check",
        r"\w+\.pg_(basebackup|receivexlog) compatible: FAILED \(PostgreSQL version: None, .*\)", None),
    Row("`pg_basebackup supports tablespaces mapping` line", "check", None,
        r"(\t|/s/)pg_basebackup.supports.tablespaces.mapping(: OK \(built in\)|/hint=\"built in\"|"
        r"/status=\"OK\")"),
    Row("hints of a failed check", "check", r"(?P<w>.*)See the Barman log file for more details(?P<e>.*)",
        r"(?P<w>.*)See the log file for more details(?P<e>.*)"),
    Row("hints of a failed check", "check", r"(?P<w>.*)'barman receive-wal(?P<e>.*)",
        r"(?P<w>.*)'barkeep receive-wal(?P<e>.*)"),
    Row("`-f json check --nagios`", "check", r"\{\}(?P<n>BARMAN.*)", r"(?P<n>BARMAN.*)",
        same_but_excused),
    Row("`-f json check --nagios`", "check", r"\{\}", None),
    Row("`ssh`, `local PGDATA`", "check", r"(?P<n>BARMAN CRITICAL.*)", r"(?P<n>BARMAN CRITICAL.*)",
        same_but_excused),
    Row("hints of a failed check", "check", r"(?P<w>(\t|\w+\.)PostgreSQL: FAILED)",
        r"(?P<w>(\t|\w+\.)PostgreSQL: FAILED) \(cannot connect.*\)"),
    Row("hints of a failed check", "check", r"(?P<w>/s/postgresql/hint=)\"\"",
        r"(?P<w>/s/postgresql/hint=)\"cannot connect.*"),
    Row("hints of a failed check", "check",
        r"(?P<w>(\t|\w+\.)PostgreSQL streaming(?: \(WAL streaming\))?: FAILED)(?: \(.*\))?",
        r"(?P<w>(\t|\w+\.)PostgreSQL streaming(?: \(WAL streaming\))?: FAILED) \(cannot connect.*\)"),
    Row("hints of a failed check", "check",
        r"(?P<w>/s/postgresql_streaming(_\(wal_streaming\))?/hint=).*",
        r"(?P<w>/s/postgresql_streaming(_\(wal_streaming\))?/hint=)\"cannot connect.*"),
    Row("hints of a failed check", "check",
        r"(?P<w>.*please make sure WAL shipping is setup)(?P<e>.*)",
        r"(?P<w>.*please make sure WAL shipping is setup); switch-wal --force sends a first file(?P<e>.*)"),
    Row("hints of a failed check", "check", r"(?P<w>.*retention policy settings: FAILED \()see log\)",
        r"(?P<w>.*retention policy settings: FAILED \()not a retention policy: .*\)"),
    Row("hints of a failed check", "check", r"(?P<w>/s/retention_policy_settings/hint=)\"see log\"",
        r"(?P<w>/s/retention_policy_settings/hint=)\"not a retention policy: .*"),
    Row("`ssh`, `local PGDATA`", "check",
        r"(?P<w>(\t|\w+\.)ssh: FAILED) \(Connection failed using 'false .*\)",
        r"(?P<w>(\t|\w+\.)ssh: FAILED) \(this version takes no backups by backup_method 'rsync'\)"),
    Row("`ssh`, `local PGDATA`", "check",
        r"(?P<w>/s/ssh/hint=)\"Connection failed using 'false .*",
        r"(?P<w>/s/ssh/hint=)\"this version takes no backups by backup_method 'rsync'\""),
    Row("`configuration` in check", "check", None,
        r"(\t|\w+\.)configuration: FAILED|/s/configuration/(status=\"FAILED\"|hint=\"\")"),
    Row("`configuration` in check", "check", None,
        r"(\t\t|/_INFO/\"\\t\\t)'\S+barman.conf:\d+': option '\w+' of server '\w+' asks for "
        r"something this version does not have\"?"),
    Row("`replication slot` line of check", "check",
        r"(\t|\w+\.)replication slot: FAILED \(replication slot '\w+' doesn't exist\..*\)|"
        r"/s/replication_slot/(status=\"FAILED\"|hint=\"replication slot '\w+' doesn't exist\..*)",
        None, when=DOWN),
    # ---- status, replication-status ----
    Row("`Retention policies` in status", "status", r"(?P<w>.*)not enforced(?P<e>\"?)",
        r"(?P<w>.*)not enforced \(not a retention policy: [^)]*\)(?P<e>\"?)"),
    Row("times that PostgreSQL tells", "status",
        r"(?P<w>.*Last archived WAL: \w+|.*last_archived_wal/message=\"\w+), at (?P<at>[^\"]*)\"?",
        r"(?P<w>.*Last archived WAL: \w+|.*last_archived_wal/message=\"\w+), at (?P<at>[^\"]*)\"?",
        same_moment),
    Row("`replication-status` that gets no connection", "replication-status",
        says("ERROR", r"(?P<w>Unable to connect to server \w+)"),
        says("ERROR", r"(?P<w>Unable to connect to server \w+): .*")),
    Row(CLOCK, "status", r"(?P<w>.*)(?P<n>\b\d+\.\d\d)/hour\"?",
        r"(?P<w>.*)(?P<n>\b\d+\.\d\d)/hour\"?", near),
    # ---- show-servers, diagnose ----
    Row(CLOCK, "show-servers|diagnose",
        r"(?P<w>(\t|/.*/)current_archived_wals_per_second)(: |=)\"?(?P<n>[\d.e-]+)\"?",
        r"(?P<w>(\t|/.*/)current_archived_wals_per_second)(: |=)\"?(?P<n>[\d.e-]+)\"?", near),
    Row("times that PostgreSQL tells", "show-servers|diagnose",
        r"(?P<w>(\t|/.*/)(stats_reset|last_(archived|failed)_time))(: |=\")(?P<at>[^\"]*)\"?",
        r"(?P<w>(\t|/.*/)(stats_reset|last_(archived|failed)_time))(: |=\")(?P<at>[^\"]*)\"?",
        same_moment),
    Row("`show-servers`, `diagnose`: `pg_receivexlog_*`", "show-servers|diagnose",
        r"(?P<w>(\t|/.*/)pg_(basebackup|receivexlog)_(compatible|supports_slots|synchronous)"
        r"(: |=))(None|null)",
        r"(?P<w>(\t|/.*/)pg_(basebackup|receivexlog)_(compatible|supports_slots|synchronous)"
        r"(: |=))(True|true|False|false)"),
    Row("`connection_error` in show-servers", "show-servers|diagnose",
        r"(?P<w>(\t|/.*/)connection_error(: |=))(None|null|\"?connection to server .*)",
        r"(?P<w>(\t|/.*/)connection_error(: |=))\"?cannot connect to PostgreSQL: .*"),
    Row("`connection_error` in show-servers", "show-servers|diagnose", None,
        r"(\t|/.*/)connection_error(: |=)\"?cannot connect to PostgreSQL: .*"),
    Row("`diagnose`", "diagnose",
        r"/global/system_info/(barman_ver|kernel_ver|python_\w+|release|rsync_ver|ssh_ver|"
        r"timestamp)=.*", None),
    Row("`diagnose`", "diagnose", None,
        r"/global/system_info/(barman_ver|kernel_ver|timestamp)=.*"),
    Row("`diagnose`", "diagnose",
        r"/global/config/(?!barman_|config_|errors_list|lock_|log_)\w+=.*", None),
    Row("`diagnose`", "diagnose",
        r"(?P<w>/.*/last_archived_wal_per_timeline/\w+/compression=)\"gzip\"",
        r"(?P<w>/.*/last_archived_wal_per_timeline/\w+/compression=)\"pigz\""),
    Row("`diagnose`", "diagnose",  # it does not look into what is encrypted
        r"(?P<w>/.*/last_archived_wal_per_timeline/\w+/compression=)null",
        r"(?P<w>/.*/last_archived_wal_per_timeline/\w+/compression=)\"\w+\"",
        when=r"/.*/last_archived_wal_per_timeline/\w+/encryption=\"gpg\""),
    Row("`list-files --target wal`, `full`", "list-files", None,
        r"(/_INFO/\")?/\S+/wals/\w{8}\.history\"?"),
    Row("`catalogue_layout`, `hook_timeout` in show-servers", "show-servers|diagnose", None,
        r"(\t|/.*/)(catalogue_layout|hook_timeout)[:=].*"),
    Row("`show-servers`, `diagnose`: `pg_receivexlog_*`", "show-servers|diagnose",
        r"(?P<w>(\t|/.*/)pg_(basebackup|receivexlog)_)path(: |=\")/.*/bin/pg_\w+\"?",
        r"(?P<w>(\t|/.*/)pg_(basebackup|receivexlog)_)path(: |=\")built in\"?"),
    Row("`show-servers`, `diagnose`: `pg_receivexlog_*`", "show-servers|diagnose",
        r"(?P<w>(\t|/.*/)pg_(basebackup|receivexlog)_)version(: |=\")[\d.]+\"?",
        r"(?P<w>(\t|/.*/)pg_(basebackup|receivexlog)_)version(: |=\")[\d.]+\"?"),
    # ---- the list of WAL ----
    Row("`rebuild-xlogdb`", "rebuild-xlogdb", r"(?P<w>Done rebuilding xlogdb .*)\)",
        r"(?P<w>Done rebuilding xlogdb .*), partial: \d+\)"),
    Row("`rebuild-xlogdb`", "rebuild-xlogdb", None, r"\w+-xlog\.db: \w{24}\.partial\t.*"),
]


def applies(row, command, theirs):
    return re.fullmatch(row.command, command) and \
        (not row.when or any(re.fullmatch(row.when, line) for line in theirs))


def take(row, minus, plus):
    """Takes out what the row excuses: how often it did."""
    if row.theirs is None or row.ours is None:
        side, pattern = (plus, row.ours) if row.theirs is None else (minus, row.theirs)
        kept = [line for line in side if not re.fullmatch(pattern, line)]
        taken = len(side) - len(kept)
        side[:] = kept
        return taken
    taken = 0
    for line in list(minus):
        mine = re.fullmatch(row.theirs, line)
        for other in plus if mine else []:
            yours = re.fullmatch(row.ours, other)
            if yours and fits(row, mine, yours):
                minus.remove(line)
                plus.remove(other)
                taken += 1
                break
    return taken


def fits(row, mine, yours):
    a, b = mine.groupdict(), yours.groupdict()
    free = {"at", "n"} if row.same else set()
    if any(a[key] != b[key] for key in set(a) & set(b) - free):
        return False
    return not row.same or row.same(mine, yours)


def excuse(command, theirs, minus, plus, used):
    """What is left of the lines that only Barman has, and only barkeep; counts in used. theirs: all
    that Barman said."""
    minus, plus = list(minus), list(plus)
    for row in ROWS:
        if minus + plus and applies(row, command, theirs):
            n = take(row, minus, plus)
            if n:
                used[row.doc or "the clock"] += 1
    return minus, plus


def check_page(path):
    """Every row must be on the page."""
    with open(path, encoding="utf-8") as f:
        page = f.read()
    lost = sorted({row.doc for row in ROWS if row.doc is not CLOCK and row.doc not in page})
    if lost:
        raise SystemExit("doc/barman.md does not list: " + "; ".join(lost))
