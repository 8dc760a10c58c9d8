# SPDX-License-Identifier: PostgreSQL
"""current_home.py - a random home as Barman 3.17 leaves one: servers, settings, catalogues.

make(seed, place) writes everything below place.home and returns (text of barman.conf, ids of
server s). The same seed and the same place.now give the same home. What is in it is what can be:
only the last backup may be unfinished, a chain's links point both ways, WAL of a timeline begins
where the timeline does, archives of a compressed backup are there, and a WAL file begins with the
bytes that tell what it is: its first page, the magic of its compression, or a message of gpg.
"""
import collections
import datetime
import os
import random
import struct

# where it lies, of which server (0: none answers) and cluster, whose log; seconds since 1970
Place = collections.namedtuple("Place", "home port systemid user log now")

MIB = 1 << 20
SYSTEMID = "7711118111525422695"
MAGIC = {"gzip": b"\x1f\x8b\x08\0", "pigz": b"\x1f\x8b\x08\0", "bzip2": b"BZh91AY&SY",
         "xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd", "lz4": b"\x04\x22\x4d\x18",
         "snappy": b"\xff\x06\0\0sNaPpY"}
GPG = b"\x85\x01\x0c\x03"  # a session key for somebody's RSA key
CODECS = list(MAGIC)
PAGE_MAGIC = {13: 0xD106, 14: 0xD10D, 15: 0xD110, 16: 0xD113, 17: 0xD116, 18: 0xD118}


class Wal:
    """Where the server writes: a timeline and a segment number, and what was archived."""

    def __init__(self, rng, wals, seg_size, major):
        self.rng, self.wals, self.size, self.major = rng, wals, seg_size, major
        self.per_log = 0x100000000 // seg_size
        self.tli, self.no = 1, rng.randrange(1, 700)
        self.codec = rng.choice([None, None] + CODECS)
        self.gpg = rng.random() < 0.1
        self.lines = []

    def name(self, no=None):
        no = self.no if no is None else no
        return "%08X%08X%08X" % (self.tli, no // self.per_log, no % self.per_log)

    def lsn(self, no, offset):
        return "%X/%X" % (no // self.per_log, no % self.per_log * self.size + offset)

    def put(self, name, size, when, history=False):
        folder = self.wals if history else os.path.join(self.wals, name[:16])
        os.makedirs(folder, exist_ok=True)
        plain = history or name.endswith(".backup")
        codec = None if plain or not self.codec else self.codec
        gpg = "gpg" if self.gpg and not plain else None
        with open(os.path.join(folder, name), "wb") as f:
            f.write(GPG if gpg else MAGIC[codec] if codec else b"" if plain else
                    self.first_page(name))
            f.truncate(size)
        os.utime(os.path.join(folder, name), (when, when))
        self.lines.append("%s\t%s\t%s\t%s\t%s\n" % (name, size, when, codec, gpg))

    def first_page(self, name):
        """XLogLongPageHeaderData"""
        at = (int(name[8:16], 16) * self.per_log + int(name[16:24], 16)) * self.size
        return struct.pack("<HHIQIIQII", PAGE_MAGIC[self.major], 2, int(name[:8], 16), at, 0, 0,
                           int(SYSTEMID), self.size, 8192)

    def go(self, count, when, archive=True):
        """`count` segments are filled and archived."""
        for _ in range(count):
            full = self.size if not self.codec else self.rng.randrange(1000, self.size)
            if archive:
                self.put(self.name(), full, round(when, 6))
            self.no += 1
            when += self.rng.random() * 20

    def promote(self, when):
        old, self.tli = self.tli, self.tli + 1
        if self.rng.random() < 0.5:
            self.tli = old
            self.put(self.name() + ".partial", self.size, round(when, 6))
            self.tli = old + 1
        text = "%d\t%s\tno recovery target specified\n" % (old, self.lsn(self.no, 0x1A0))
        name = "%08X.history" % self.tli
        if old > 1:
            with open(os.path.join(self.wals, "%08X.history" % old)) as f:
                text = f.read() + "\n" + text
        self.put(name, len(text), round(when, 6), history=True)
        with open(os.path.join(self.wals, name), "w") as f:
            f.write(text)


def write(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def tablespaces(rng):
    if rng.random() < 0.6:
        return []
    names = ["tbs", "two words", "o'brien", "caf\u00e9", "index_space"]
    return [(rng.choice(names), 16384 + i, "/srv/%s%d" % (rng.choice(["a", "b c"]), i))
            for i in range(rng.randrange(1, 4))]


def copy_stats(rng, mode):
    spent = round(10 ** rng.uniform(-1, 4.5), 6)
    if mode == "postgres":
        return {"copy_time": spent, "total_time": spent}
    look = round(10 ** rng.uniform(-1, 2), 6)
    return {"total_time": spent + look, "number_of_workers": rng.randrange(1, 5),
            "analysis_time": look, "analysis_time_per_item": {"pgdata": look},
            "copy_time": spent, "copy_time_per_item": {"pgdata": spent},
            "serialized_copy_time": spent, "serialized_copy_time_per_item": {"pgdata": spent}}


class Server:
    def __init__(self, rng, home, name, now, how):
        self.rng, self.name, self.now, self.how = rng, name, now, how
        self.dir = os.path.join(home, name)
        for sub in ("base", "meta", "wals", "incoming", "streaming", "errors"):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        self.seg_size = rng.choice([16, 16, 16, 1, 64]) * MIB
        self.version = rng.choice([130011, 140009, 150018, 160002, 170004, 180001])
        self.wal = Wal(rng, os.path.join(self.dir, "wals"), self.seg_size, self.version // 10000)
        self.zone = datetime.timezone(datetime.timedelta(minutes=rng.choice(
            [0, 0, 0, 120, 330, -480])))
        self.backups = []
        self.spaces = tablespaces(rng)

    def ends(self, t):
        """When a backup that begins at t ends."""
        return t + 10 ** self.rng.uniform(-0.5, 4)

    def stamp(self, t):
        at = datetime.datetime.fromtimestamp(t, self.zone)
        if self.rng.random() < 0.1:
            at = at.replace(microsecond=0)
        return str(at)

    def backup(self, t, last):
        rng, wal = self.rng, self.wal
        mode = rng.choice(self.how)
        status = "DONE"
        if rng.random() < 0.12:
            status = "FAILED"
        elif last and rng.random() < 0.4:
            status = rng.choice(["WAITING_FOR_WALS", "STARTED", "EMPTY", "WAITING_FOR_WALS"])
        b = {"backup_id": datetime.datetime.fromtimestamp(t).strftime("%Y%m%dT%H%M%S"),
             "status": status, "mode": mode, "server_name": self.name}
        done = status in ("DONE", "WAITING_FOR_WALS")
        if status != "EMPTY":
            b.update(version=self.version, systemid=SYSTEMID, pgdata="/var/lib/postgresql/main",
                     config_file="/etc/postgresql/main/postgresql.conf",
                     hba_file="/etc/postgresql/main/pg_hba.conf",
                     ident_file="/etc/postgresql/main/pg_ident.conf",
                     included_files=rng.choice([None, ["/etc/a.conf", "/etc/o'b.conf"]]),
                     tablespaces=self.spaces or None, timeline=wal.tli,
                     xlog_segment_size=self.seg_size, data_checksums=rng.choice(["on", "off"]),
                     begin_time=self.stamp(t), begin_wal=wal.name(), begin_offset=40,
                     begin_xlog=wal.lsn(wal.no, 40))
            if self.version >= 170000:
                b["summarize_wal"] = rng.choice(["on", "off"])
        if rng.random() < 0.3:
            b["backup_name"] = "%s %d" % (rng.choice(["nightly", "before it's done", "caf\u00e9"]),
                                          len(self.backups))
        if status == "FAILED":
            b["error"] = rng.choice(["failure copying files (it's gone)", "a = b", "gone: \"x\"",
                                     "Unable to take the backup\nbecause of DETAILS"]).replace(
                                         "\n", " ")
        if done:
            self.finish(b, t, mode)
        self.save_data(b)
        self.backups.append(b)

    def finish(self, b, t, mode):
        rng, wal = self.rng, self.wal
        begin = wal.no
        label = "%s.%08X.backup" % (wal.name(), 40)
        wal.go(rng.randrange(0, 4), t + 1)
        end = wal.no
        size = int(10 ** rng.uniform(5, 12))
        b.update(end_wal=wal.name(end), end_xlog=wal.lsn(end, 312), end_offset=312,
                 end_time=self.stamp(self.ends(t)),
                 backup_label="START WAL LOCATION: %s (file %s)\nLABEL: it's one\n" % (
                     b["begin_xlog"], wal.name(begin)),
                 size=size, deduplicated_size=size, copy_stats=copy_stats(rng, mode),
                 cluster_size=int(size * rng.uniform(0.9, 3)))
        parents = [p for p in self.backups if p["status"] == "DONE" and p["mode"] == "postgres"
                   and p["version"] >= 170000 and not p.get("compression")]
        if mode == "postgres" and parents and rng.random() < 0.6:
            parent = rng.choice(parents[-2:])
            b["parent_backup_id"] = parent["backup_id"]
            parent.setdefault("children_backup_ids", []).append(b["backup_id"])
            b["deduplicated_size"] = b["size"] = int(size * rng.random()) + 1
        elif mode == "postgres" and rng.random() < 0.3:
            b["compression"] = rng.choice(["gzip", "lz4", "zstd", "none"])
            if rng.random() < 0.3:
                b["encryption"] = "gpg"
        elif mode.startswith("rsync") and rng.random() < 0.5:
            b["deduplicated_size"] = int(size * rng.random()) + 1
        if b["status"] == "DONE":
            wal.go(1, t + 60)
            wal.put(label, 300, round(t + 61, 6))

    def save_data(self, b):
        base = os.path.join(self.dir, "base", b["backup_id"])
        data = os.path.join(base, "data")
        os.makedirs(data)
        if b.get("compression"):
            ext = {"gzip": ".tar.gz", "lz4": ".tar.lz4", "zstd": ".tar.zst", "none": ".tar"}
            ext = ext[b["compression"]] + (".gpg" if b.get("encryption") else "")
            write(os.path.join(data, "base" + ext), "x")
            write(os.path.join(data, "backup_manifest"), "{}")
            for _, oid, _ in b.get("tablespaces") or []:
                write(os.path.join(data, "%d%s" % (oid, ext)), "x")
                os.makedirs(os.path.join(base, str(oid)), exist_ok=True)
            return
        for name in ("PG_VERSION", "backup_label", "base/1/2619", "base/1/1259", "global/1262"):
            write(os.path.join(data, name), "15\n")
        os.makedirs(os.path.join(data, "pg_tblspc"))
        os.makedirs(os.path.join(data, "pg_wal"))
        for _, oid, _ in b.get("tablespaces") or []:
            write(os.path.join(base, str(oid), "PG_15_1", "5", "16400"), "x")
            if b["mode"] == "postgres":
                os.symlink(os.path.join(base, str(oid)), os.path.join(data, "pg_tblspc", str(oid)))

    def keep(self):
        for b in self.backups:
            if b["status"] == "DONE" and not b.get("parent_backup_id") and \
                    self.rng.random() < 0.15:
                write(os.path.join(self.dir, "meta", b["backup_id"] + "-keep"),
                      self.rng.choice(["full", "standalone"]))

    def save(self):
        for b in self.backups:
            path = os.path.join(self.dir, "meta", b["backup_id"] + "-backup.info")
            if self.rng.random() < 0.1:  # of an older release, not yet moved
                path = os.path.join(self.dir, "base", b["backup_id"], "backup.info")
            write(path, info_text(b))
        db = os.path.join(self.dir, "wals", self.name + "-xlog.db")
        if self.rng.random() < 0.95:
            write(db, "".join(self.wal.lines))


FIELDS = """backup_label begin_offset begin_time begin_wal begin_xlog children_backup_ids
cluster_size compression config_file copy_stats data_checksums deduplicated_size encryption
end_offset end_time end_wal end_xlog error hba_file ident_file included_files mode
parent_backup_id pgdata server_name size status summarize_wal systemid tablespaces timeline
version xlog_segment_size""".split()
LITERAL = {"backup_label", "copy_stats", "included_files", "tablespaces"}


def info_text(b):
    out = {}
    for key in FIELDS:
        value = b.get(key)
        if value is not None and key in LITERAL:
            value = repr(value)
        if key == "children_backup_ids" and value:
            value = ",".join(value)
        out[key] = value
    if b.get("backup_name"):
        out["backup_name"] = b["backup_name"]
    return "".join("%s=%s\n" % (k, out[k]) for k in sorted(out))


def fill(server, rng):
    """Backups over some days up to now, WAL between them, some promotions."""
    count = rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 14])
    gap = 86400 * rng.choice([0.1, 0.5, 1, 1, 3, 7])
    t = server.now - gap * count - rng.random() * 3 * 86400
    server.wal.go(rng.randrange(0, 4), t)
    for i in range(count):
        t += 60 + gap * rng.uniform(0.6, 0.95)
        server.backup(t, i == count - 1)
        server.wal.go(rng.randrange(0, 9), t + 4000)
        if rng.random() < 0.12:
            server.wal.promote(t + 5000)
    if not server.wal.lines and rng.random() < 0.9:
        server.wal.go(2, server.now - 5000)


def spare_files(server, rng):
    for sub, kinds in (("incoming", ["%s"]), ("streaming", ["%s", "%s.partial"]),
                       ("errors", ["%s.20260101T000000Z.duplicate", "x.20260101T000000Z.unknown",
                                   "y.20260101T000000Z.error", "z"])):
        if rng.random() < 0.2:
            for kind in kinds[:rng.randrange(1, len(kinds) + 1)]:
                name = kind % server.wal.name() if "%s" in kind else kind
                write(os.path.join(server.dir, sub, name), "x")
    r = rng.random()
    if r < 0.4:
        write(os.path.join(server.dir, "identity.json"),
              '{\n    "systemid": "%s",\n    "version": "15"\n}\n' %
              (server.how_systemid if r < 0.3 else SYSTEMID))


def settings(rng, name, port, method):
    live = port and rng.random() < 0.45
    user = rng.choice(["postgres", "postgres", "postgres", "plain"])
    out = {"conninfo": "host=127.0.0.1 port=%d user=%s dbname=postgres" % (
        port if live else 1, user if live else "postgres")}
    if rng.random() < 0.4:
        out["streaming_conninfo"] = "host=127.0.0.1 port=%d user=postgres dbname=postgres" % (
            port if live and rng.random() < 0.8 else 1)
    out["backup_method"] = method
    if method == "rsync":
        out["ssh_command"] = "false"
    how = rng.randrange(3)
    out["archiver"] = "on" if how != 1 else "off"
    out["streaming_archiver"] = "on" if how else "off"
    if how or rng.random() < 0.3:
        out["slot_name"] = rng.choice(["there", "there", "missing", "empty"])
    choices = {
        "retention_policy": ["REDUNDANCY 1", "REDUNDANCY 3", "redundancy  2 ", "RECOVERY WINDOW OF 4 DAYS",
                             "RECOVERY WINDOW OF 2 WEEKS", "recovery window of 1 MONTH", "FOREVER",
                             "REDUNDANCY 0"],
        "minimum_redundancy": ["0", "1", "2", "3", "-1", "x"],
        "last_backup_maximum_age": ["1 DAY", "3 WEEKS", "1 MONTH", "12 HOURS"],
        "last_backup_minimum_size": ["1 Mi", "5 G", "100k", "2Ti"],
        "last_wal_maximum_age": ["1 HOUR", "2 DAYS"],
        "max_incoming_wals_queue": ["0", "1", "5"],
        "description": ["The shop", "it's a \"test\"", "caf\u00e9"],
        "active": ["false", "true"],
        "compression": CODECS + ["none"],
        "wal_retention_policy": ["main", "MAIN"],
        "retention_policy_mode": ["auto"],
        "bandwidth_limit": ["4000"],
        "immediate_checkpoint": ["true", "false"],
        "reuse_backup": ["link", "off"] if method == "rsync" else ["off"],
        "parallel_jobs": ["4"],
        "check_timeout": ["20", "0"],
        "primary_conninfo": ["host=127.0.0.1 port=%d user=postgres dbname=postgres" % (port or 1)],
        "backup_compression": ["gzip", "zstd", "lz4", "none"] if method == "postgres" else [],
        "create_slot": ["auto", "manual"],
        "recovery_options": ["get-wal", "get-wal, delta-restore"],
        "backup_options": ["concurrent_backup", "concurrent_backup, external_configuration"],
        "wal_conninfo": ["host=127.0.0.1 port=%d user=postgres dbname=template1" % (port or 1)],
        "streaming_archiver_batch_size": ["10"], "archiver_batch_size": ["20"],
        "keepalive_interval": ["30"], "cluster": ["main"], "path_prefix": ["/usr/local/x"],
        "pre_backup_script": ["true"], "post_archive_retry_script": ["true"],
        "nonsense_option": ["1"], "basebackup_retry_times": ["3"],
        "streaming_backup_name": ["b1"], "tablespace_bandwidth_limit": [],
    }
    often = {"retention_policy": 0.75, "minimum_redundancy": 0.5, "active": 0.1,
             "primary_conninfo": 0.07, "wal_conninfo": 0.1, "nonsense_option": 0.03}
    for key, values in choices.items():
        if values and rng.random() < often.get(key, 0.25):
            out[key] = rng.choice(values)
    return "[%s]\n" % name + "".join("%s = %s\n" % kv for kv in out.items())


def head(place):
    return "[barman]\nbarman_home = %s\nbarman_user = %s\nlog_file = %s\n" % (
        place.home, place.user, place.log)


def make(seed, place):
    rng = random.Random(seed)
    conf = head(place)
    if rng.random() < 0.2:
        conf += "retention_policy = REDUNDANCY 2\nminimum_redundancy = 1\n"
    names = ["s"] + (["other"] if rng.random() < 0.3 else [])
    ids = []
    for name in names:
        method = rng.choice(["postgres", "postgres", "postgres", "rsync"])
        how = {"postgres": ["postgres"] * 6 + ["rsync-concurrent"],
               "rsync": ["rsync-concurrent", "rsync-concurrent", "rsync-exclusive"]}[method]
        server = Server(rng, place.home, name, place.now, how)
        server.how_systemid = place.systemid
        fill(server, rng)
        server.keep()
        server.save()
        spare_files(server, rng)
        conf += settings(rng, name, place.port, method)
        if name == "s":
            ids = [b["backup_id"] for b in server.backups]
    return conf, ids
