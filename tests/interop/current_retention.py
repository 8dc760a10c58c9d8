# SPDX-License-Identifier: PostgreSQL
"""current_retention.py - random homes in which a retention policy has something to decide.

make(seed, place) is like current_home.make(): up to 40 backups in chains and kept ones, failed ones
and ones that wait, on several timelines, and ends around the moment at which a window begins, by
the calendar and by the hour: at it, a microsecond, a second, an hour beside it. now(seed) is a
moment for it: around the days on which daylight saving begins and ends, or any other.
"""
import datetime
import random

import dateutil.tz

import current_home

DAYS = {"DAY": 1, "DAYS": 1, "WEEKS": 7, "MONTH": 31, "MONTHS": 31}
BESIDE = [0, 0, 1e-6, -1e-6, 1, -1, 1800, -1800, 3599, -3599, 3600, -3600, 3601, -3601, 7200, -7200]
# Rome, and Los Angeles; each change of 2026
CHANGES = [1774746000, 1792890000, 1772964000, 1793523600]


def now(seed):
    rng = random.Random(seed * 3)
    change = rng.choice(CHANGES) + rng.choice([0, 1, 3600, 7200, 86400, 7 * 86400, 31 * 86400])
    return rng.choice([change + rng.choice(BESIDE[2:]) // 1, change + rng.randrange(40 * 86400),
                       1767225600 + rng.randrange(365 * 86400)])


class Server(current_home.Server):
    end = None

    def ends(self, t):
        if self.end is None:
            return t + self.rng.choice([0.2, 30, 500, 4000])
        return self.end


def moments(rng, at, n, unit):
    """When backups end: many of them where the window begins."""
    back = datetime.timedelta(days=n * DAYS[unit])
    here = datetime.datetime.fromtimestamp(at, dateutil.tz.tzlocal())
    begins = [(here - back).timestamp(), at - back.total_seconds()]
    ends = {round(rng.choice(begins) + rng.choice(BESIDE), 6) for _ in range(rng.randrange(6))}
    ends |= {round(at - rng.random() * 2.2 * max(86400, back.total_seconds()), 6)
             for _ in range(rng.randrange(35))}
    return sorted(end for end in ends if end < at)


def id_at(t):
    return datetime.datetime.fromtimestamp(t).strftime("%Y%m%dT%H%M%S")


def fill(server, ends):
    rng, ids = server.rng, set()
    server.wal.go(2, ends[0] - 90000 if ends else server.now - 5000)
    for i, end in enumerate(ends):
        begin = end - rng.choice([0.3, 20, 600, 5000])
        if id_at(begin) in ids:
            continue
        ids.add(id_at(begin))
        server.end = end
        server.backup(begin, i == len(ends) - 1)
        server.wal.go(rng.randrange(0, 2), server.end)
        if rng.random() < 0.05:
            server.wal.promote(server.end)


def make(seed, place):
    rng = random.Random(seed)
    unit = rng.choice(list(DAYS))
    n = rng.choice([0, 1, 1, 2, 3, 4, 7])
    policy = rng.choice(["RECOVERY WINDOW OF %d %s" % (n, unit)] * 3 +
                        ["REDUNDANCY %d" % rng.randrange(8)])
    server = Server(rng, place.home, "s", place.now, ["postgres"] * 6 + ["rsync-concurrent"])
    server.version = rng.choice([170004, 180001, 150018])
    fill(server, moments(rng, place.now, n, unit))
    server.keep()
    server.save()
    conf = current_home.head(place) + "[s]\nconninfo = host=127.0.0.1 port=1 user=postgres\n" \
        "backup_method = postgres\narchiver = on\nretention_policy = %s\n" % policy
    if rng.random() < 0.6:
        conf += "minimum_redundancy = %d\n" % rng.randrange(12)
    return conf, [b["backup_id"] for b in server.backups]
