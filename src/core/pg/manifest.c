/* SPDX-License-Identifier: PostgreSQL */
#include "pg/manifest.h"

#include "base/clock.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

#define SUM_KEY "\"Manifest-Checksum\""

enum { AT_START, IN_TOP, IN_FILES, IN_FILE, IN_RANGES, IN_RANGE, AT_END };

enum {
    KEY_VERSION,
    KEY_SYSTEMID,
    KEY_FILES,
    KEY_RANGES,
    KEY_SUM,
    FILE_PATH,
    FILE_ENCODED,
    FILE_SIZE,
    FILE_MTIME,
    FILE_ALGORITHM,
    FILE_SUM,
    RANGE_TLI,
    RANGE_START,
    RANGE_END,
    KEY_NONE,
};

static const struct {
    const char *name;
    int place;
    enum json_token token; /* of its value */
} keys[KEY_NONE] = {
    [KEY_VERSION] = {"PostgreSQL-Backup-Manifest-Version", IN_TOP, JSON_NUMBER},
    [KEY_SYSTEMID] = {"System-Identifier", IN_TOP, JSON_NUMBER},
    [KEY_FILES] = {"Files", IN_TOP, JSON_ARRAY},
    [KEY_RANGES] = {"WAL-Ranges", IN_TOP, JSON_ARRAY},
    [KEY_SUM] = {"Manifest-Checksum", IN_TOP, JSON_STRING},
    [FILE_PATH] = {"Path", IN_FILE, JSON_STRING},
    [FILE_ENCODED] = {"Encoded-Path", IN_FILE, JSON_STRING},
    [FILE_SIZE] = {"Size", IN_FILE, JSON_NUMBER},
    [FILE_MTIME] = {"Last-Modified", IN_FILE, JSON_STRING},
    [FILE_ALGORITHM] = {"Checksum-Algorithm", IN_FILE, JSON_STRING},
    [FILE_SUM] = {"Checksum", IN_FILE, JSON_STRING},
    [RANGE_TLI] = {"Timeline", IN_RANGE, JSON_NUMBER},
    [RANGE_START] = {"Start-LSN", IN_RANGE, JSON_STRING},
    [RANGE_END] = {"End-LSN", IN_RANGE, JSON_STRING},
};

#define BIT(key) (1u << (key))

void manifest_init(struct manifest *m, const char *name, const struct manifest_events *events)
{
    *m = (struct manifest){.events = *events, .key = KEY_NONE};
    str_copy(m->name, sizeof m->name, name);
    json_init(&m->json);
}

static bool refuse(const struct manifest *m, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "", m->name, "byte %llu: %s",
                   (unsigned long long)m->json.offset, why);
}

static bool seen(const struct manifest *m, int key)
{
    return ((key >= FILE_PATH ? m->item_seen : m->seen) & BIT(key)) != 0;
}

static bool take_key(struct manifest *m, struct err *err)
{
    for (int k = 0; k < KEY_NONE; k++) {
        if (keys[k].place != m->place || !str_eq(json_text(&m->json), keys[k].name)) {
            continue;
        }
        if (seen(m, k)) {
            return refuse(m, "the same key twice", err);
        }
        if (k != KEY_VERSION && !seen(m, KEY_VERSION)) {
            return refuse(m, "does not begin with its version", err);
        }
        *(k >= FILE_PATH ? &m->item_seen : &m->seen) |= BIT(k);
        m->key = k;
        return true;
    }
    return refuse(m, "a key that no manifest has", err);
}

/* "2026-11-22 13:43:59 GMT"; Barman leaves the zone away and means the same. */
static bool parse_mtime(struct str s, int64_t *out)
{
    struct civil c = {0};
    unsigned v[6];
    int64_t us;

    if (str_ends(s, " GMT")) {
        s.n -= 4;
    }
    for (int i = 0; i < 6; i++) {
        if (i && !str_take_char(&s, "--- ::"[i])) {
            return false;
        }
        if (!str_take_digits(&s, i == 0 ? 4 : 2, &v[i])) {
            return false;
        }
    }
    c.year = (int)v[0];
    c.month = (int)v[1];
    c.day = (int)v[2];
    c.hour = (int)v[3];
    c.minute = (int)v[4];
    c.second = (int)v[5];
    if (s.n || !civil_us(&c, 0, &us)) {
        return false;
    }
    *out = us / US_PER_S;
    return true;
}

static bool take_path(struct manifest *m, struct str s)
{
    size_t n = s.n;

    if (m->key == FILE_ENCODED) {
        n /= 2;
        if (n >= sizeof m->path || !hex_bytes(s, (uint8_t *)m->path, n)) {
            return false;
        }
    } else if (n >= sizeof m->path) {
        return false;
    } else {
        memcpy(m->path, s.p, n);
    }
    m->path[n] = '\0';
    m->file.path = str_n(m->path, n);
    return path_is_below(m->file.path);
}

static bool take_lsn(struct str s, pg_lsn *out)
{
    uint64_t high, low;

    if (!str_take_hex(&s, &high) || !str_take_char(&s, '/') || !str_take_hex(&s, &low) || s.n ||
        high > UINT32_MAX || low > UINT32_MAX) {
        return false;
    }
    *out = high << 32 | low;
    return true;
}

static bool take_u32(struct str s, uint32_t *out)
{
    uint64_t v;

    if (!str_u64(s, UINT32_MAX, &v)) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

static bool take_version(struct manifest *m, struct str s)
{
    uint32_t v;

    if (!take_u32(s, &v) || v < 1 || v > 2) {
        return false;
    }
    m->version = (int)v;
    return true;
}

static bool take_value(struct manifest *m, struct err *err)
{
    struct str s = json_text(&m->json);
    bool ok = false;

    switch (m->key) {
    case KEY_VERSION:
        return take_version(m, s) || refuse(m, "of a version that is not known", err);
    case KEY_SYSTEMID:
        ok = str_u64(s, UINT64_MAX, &m->systemid);
        break;
    case KEY_SUM:
        ok = hex_bytes(s, m->claimed, sizeof m->claimed);
        break;
    case FILE_PATH:
    case FILE_ENCODED:
        return take_path(m, s) ||
               refuse(m, "a path that does not stay below the directory", err);
    case FILE_SIZE:
        ok = str_u64(s, INT64_MAX, &m->file.size);
        break;
    case FILE_MTIME:
        ok = parse_mtime(s, &m->file.mtime_s);
        break;
    case FILE_ALGORITHM:
        ok = digest_kind_of(s, &m->file.kind) && m->file.kind != DIGEST_NONE;
        break;
    case FILE_SUM: /* its length is known when the algorithm is */
        ok = s.n < sizeof m->hex && str_fmt(m->hex, sizeof m->hex, "%.*s", (int)s.n, s.p);
        break;
    case RANGE_TLI:
        ok = take_u32(s, &m->range.tli) && m->range.tli;
        break;
    case RANGE_START:
        ok = take_lsn(s, &m->range.start);
        break;
    case RANGE_END:
        ok = take_lsn(s, &m->range.end);
        break;
    default:
        break;
    }
    return ok || refuse(m, "a value that cannot be", err);
}

static bool file_done(struct manifest *m, struct err *err)
{
    unsigned sum = BIT(FILE_SUM) | BIT(FILE_ALGORITHM);

    if (seen(m, FILE_PATH) == seen(m, FILE_ENCODED) || !seen(m, FILE_SIZE)) {
        return refuse(m, "a file without one path and a size", err);
    }
    if ((m->item_seen & sum) == 0) {
        m->file.kind = DIGEST_NONE;
    } else if ((m->item_seen & sum) != sum ||
               !hex_bytes(str_of(m->hex), m->file.sum, digest_size(m->file.kind))) {
        return refuse(m, "a checksum that does not fit its algorithm", err);
    }
    m->files++;
    return m->events.file(m->events.ctx, &m->file, err);
}

static bool range_done(struct manifest *m, struct err *err)
{
    unsigned all = BIT(RANGE_TLI) | BIT(RANGE_START) | BIT(RANGE_END);

    if (m->item_seen != all || m->range.end < m->range.start) {
        return refuse(m, "a WAL range that cannot be", err);
    }
    return !m->events.range || m->events.range(m->events.ctx, &m->range, err);
}

static bool open_object(struct manifest *m, struct err *err)
{
    switch (m->place) {
    case AT_START:
        m->place = IN_TOP;
        return true;
    case IN_FILES:
        m->place = IN_FILE;
        m->file.mtime_s = 0;
        break;
    case IN_RANGES:
        m->place = IN_RANGE;
        break;
    default:
        return refuse(m, "an object where none may be", err);
    }
    m->item_seen = 0;
    return true;
}

static bool close_object(struct manifest *m, struct err *err)
{
    switch (m->place) {
    case IN_FILE:
        m->place = IN_FILES;
        return file_done(m, err);
    case IN_RANGE:
        m->place = IN_RANGES;
        return range_done(m, err);
    default:
        m->place = AT_END;
        return true;
    }
}

static bool open_array(struct manifest *m, struct err *err)
{
    if (m->place != IN_TOP || m->key >= KEY_NONE || keys[m->key].token != JSON_ARRAY) {
        return refuse(m, "a list where none may be", err);
    }
    m->place = m->key == KEY_FILES ? IN_FILES : IN_RANGES;
    m->key = KEY_NONE;
    return true;
}

static bool take_token(struct manifest *m, enum json_token t, struct err *err)
{
    switch (t) {
    case JSON_BAD:
        return refuse(m, m->json.why, err);
    case JSON_KEY:
        return take_key(m, err);
    case JSON_OBJECT:
        if (m->key != KEY_NONE) {
            break;
        }
        return open_object(m, err);
    case JSON_OBJECT_END:
        return close_object(m, err);
    case JSON_ARRAY:
        return open_array(m, err);
    case JSON_ARRAY_END:
        m->place = IN_TOP;
        return true;
    default:
        if (m->key == KEY_NONE || keys[m->key].token != t) {
            break;
        }
        if (!take_value(m, err)) {
            return false;
        }
        m->key = KEY_NONE;
        return true;
    }
    return refuse(m, "a value of the wrong kind", err);
}

static void hold(struct manifest *m, const char *p, size_t n)
{
    if (m->long_line || n > sizeof m->held - m->held_n) {
        digest_feed(&m->sum, m->held, m->held_n);
        digest_feed(&m->sum, p, n);
        m->held_n = 0;
        m->long_line = p[n - 1] != '\n';
        return;
    }
    memcpy(m->held + m->held_n, p, n);
    m->held_n += n;
}

static void let_go(struct manifest *m)
{
    digest_feed(&m->sum, m->held, m->held_n);
    m->held_n = 0;
    m->long_line = false;
}

/* All but the last line goes into the sum; which line is the last, only the end tells. */
static void feed_sum(struct manifest *m, const char *p, size_t n)
{
    size_t last = n - 1; /* after the last newline that something follows */

    if (m->held_n && m->held[m->held_n - 1] == '\n') {
        let_go(m);
    }
    while (last && p[last - 1] != '\n') {
        last--;
    }
    if (last) {
        hold(m, p, last);
        let_go(m);
    }
    hold(m, p + last, n - last);
}

static bool drain(struct manifest *m, struct err *err)
{
    enum json_token t;

    while ((t = json_next(&m->json)) != JSON_MORE && t != JSON_END) {
        if (!take_token(m, t, err)) {
            return false;
        }
    }
    return true;
}

bool manifest_feed(struct manifest *m, const void *p, size_t n, struct err *err)
{
    if (n == 0) {
        return true;
    }
    if (!m->is_summed && !digest_init(&m->sum, DIGEST_SHA256, err)) {
        return false;
    }
    m->is_summed = true;
    feed_sum(m, p, n);
    json_feed(&m->json, p, n);
    return drain(m, err);
}

bool manifest_end(struct manifest *m, struct err *err)
{
    struct str last = str_n(m->held, m->held_n);
    uint8_t sum[DIGEST_MAX];

    json_finish(&m->json);
    if (!drain(m, err)) {
        return false;
    }
    if (!seen(m, KEY_FILES) || !seen(m, KEY_SUM)) {
        return refuse(m, "has no list of files or no checksum of its own", err);
    }
    if (m->long_line || !str_ends(last, "\n") || !str_starts(str_trim(last), SUM_KEY)) {
        return refuse(m, "its checksum is not alone on the last line", err);
    }
    digest_end(&m->sum, sum);
    if (memcmp(sum, m->claimed, sizeof m->claimed) != 0) {
        return refuse(m, "its own checksum is wrong: it was changed or damaged", err);
    }
    return true;
}

bool manifest_read_fd(struct manifest *m, int fd, struct err *err)
{
    char buf[65536];
    size_t got;

    do {
        if (!fd_read_full(fd, buf, sizeof buf, &got, m->name, err) ||
            !manifest_feed(m, buf, got, err)) {
            return false;
        }
    } while (got == sizeof buf);
    return manifest_end(m, err);
}
