/* SPDX-License-Identifier: PostgreSQL */
#include "backup_info.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "pylit.h"
#include "wal/seg.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define SEGMENT_SIZE_DEFAULT (16u * 1024 * 1024)

enum kind {
    TEXT,    /* as it is, one line */
    SEGMENT, /* the name of one */
    CLUSTER, /* the number that PostgreSQL gave it */
    LABEL,   /* Python text literal */
    LITERAL, /* any Python literal, kept as written */
    U64,
    U32,
    INT,
    LSN,
    MOMENT,
    STATUS,
    SPACES,
};

/* RECENT: Barman 3.4 dies of it. */
enum omit { ALWAYS_THERE, OMIT_WHEN_UNSET, RECENT };

/* Sorted by key: that is the order in which they are written. */
static const struct field {
    const char *key;
    enum kind kind;
    size_t at;
    enum omit omit;
} fields[] = {
#define FIELD(key, kind)                                                                       \
    {                                                                                          \
#key, kind, offsetof(struct backup, key), ALWAYS_THERE                                 \
    }
#define RARE(key, kind)                                                                        \
    {                                                                                          \
#key, kind, offsetof(struct backup, key), OMIT_WHEN_UNSET                              \
    }
#define LATER(key, kind)                                                                       \
    {                                                                                          \
#key, kind, offsetof(struct backup, key), RECENT                                       \
    }
    FIELD(backup_label, LABEL),
    RARE(backup_name, TEXT),
    FIELD(begin_offset, U32),
    FIELD(begin_time, MOMENT),
    FIELD(begin_wal, SEGMENT),
    FIELD(begin_xlog, LSN),
    LATER(children_backup_ids, TEXT),
    LATER(cluster_size, U64),
    FIELD(compression, TEXT),
    FIELD(config_file, TEXT),
    FIELD(copy_stats, LITERAL),
    LATER(data_checksums, TEXT),
    FIELD(deduplicated_size, U64),
    LATER(encryption, TEXT),
    FIELD(end_offset, U32),
    FIELD(end_time, MOMENT),
    FIELD(end_wal, SEGMENT),
    FIELD(end_xlog, LSN),
    FIELD(error, TEXT),
    FIELD(hba_file, TEXT),
    FIELD(ident_file, TEXT),
    FIELD(included_files, LITERAL),
    FIELD(mode, TEXT),
    LATER(parent_backup_id, TEXT),
    FIELD(pgdata, TEXT),
    FIELD(server_name, TEXT),
    FIELD(size, U64),
    RARE(snapshots_info, LITERAL),
    FIELD(status, STATUS),
    LATER(summarize_wal, TEXT),
    FIELD(systemid, CLUSTER),
    {"tablespaces", SPACES, offsetof(struct backup, tablespace), ALWAYS_THERE},
    FIELD(timeline, U32),
    FIELD(version, INT),
    FIELD(xlog_segment_size, U32),
};

#define FIELDS (sizeof fields / sizeof fields[0])

static const char *const status_names[] = {
#define X(name, text) text,
    BACKUP_STATUS_LIST(X)
#undef X
};

const char *backup_status_name(enum backup_status status)
{
    return status_names[status];
}

static bool status_of(struct str text, enum backup_status *out)
{
    for (size_t i = 0; i < sizeof status_names / sizeof status_names[0]; i++) {
        if (str_eq(text, status_names[i])) {
            *out = (enum backup_status)i;
            return true;
        }
    }
    return false;
}

/* Keys come sorted, so the one after the last is tried first. */
static const struct field *field_of(struct str key, const struct field *last)
{
    size_t from = last ? (size_t)(last - fields) + 1 : 0;

    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *f = &fields[(from + i) % FIELDS];

        if (str_eq(key, f->key)) {
            return f;
        }
    }
    return NULL;
}

static bool moment_of(struct str text, struct moment *out)
{
    struct time_text t;
    struct stamp s[2];

    if (!time_parse(text, &t)) {
        return false;
    }
    if (t.has_offset) {
        *out = (struct moment){t.stamp.us, t.stamp.offset_s, true};
        return true;
    }
    clock_local_readings(&t.civil, s);
    *out = (struct moment){s[0].us + t.us, s[0].offset_s, true};
    return true;
}

static bool text_of(struct arena *a, struct str text, const char **out)
{
    if (memchr(text.p, '\0', text.n)) {
        return false;
    }
    *out = arena_strndup(a, text.p, text.n);
    return *out != NULL;
}

static bool is_cluster(struct str text)
{
    uint64_t id;

    return str_u64(text, UINT64_MAX, &id);
}

static bool number_of(struct str text, enum kind kind, void *to)
{
    uint64_t v;

    if (!str_u64(text, kind == U64 ? UINT64_MAX : kind == U32 ? UINT32_MAX : INT32_MAX, &v)) {
        return false;
    }
    if (kind == U64) {
        *(uint64_t *)to = v;
    } else if (kind == U32) {
        *(uint32_t *)to = (uint32_t)v;
    } else {
        *(int *)to = (int)v;
    }
    return true;
}

static bool set_field(struct arena *a, const struct field *f, struct str text,
                      struct backup *out)
{
    void *to = (char *)out + f->at;

    switch (f->kind) {
    case TEXT:
        return text_of(a, text, to);
    case SEGMENT:
        return wal_name_kind(text, WAL_CASE_EITHER) == WAL_NAME_SEGMENT && text_of(a, text, to);
    case CLUSTER:
        return is_cluster(text) && text_of(a, text, to);
    case LITERAL:
        return pylit_ok(text) && text_of(a, text, to);
    case LABEL:
        return pylit_text(a, text, to);
    case LSN:
        return wal_lsn_parse(text, to);
    case MOMENT:
        return moment_of(text, to);
    case STATUS:
        return status_of(text, to);
    case SPACES:
        return pylit_tablespaces(a, text, &out->tablespace, &out->tablespaces);
    case U64:
    case U32:
    case INT:
        break;
    }
    return number_of(text, f->kind, to);
}

static bool bad_line(const char *path, uint64_t line, const char *why, struct err *err)
{
    char what[PATH_CAP + 24];

    str_fmt(what, sizeof what, "%s:%" PRIu64, path, line);
    return err_set(err, ERR_FORMAT, "Look at that line; the backup itself was not touched.",
                   what, "%s", why);
}

/* *last: the field of the line before. A failure leaves the reason in why. */
static bool parse_line(struct arena *a, struct str line, struct backup *out,
                       const struct field **last, char why[128])
{
    struct str value = line, key;
    const struct field *f;

    if (!str_split(&value, '=', &key) || !value.p) {
        str_copy(why, 128, "is not of the form key=value");
        return false;
    }
    key = str_trim(key);
    value = str_trim(value);
    f = field_of(key, *last);
    if (!f) {
        str_fmt(why, 128, "key '%.*s' is not known: created by a newer version",
                key.n < 60 ? (int)key.n : 60, key.p);
        return false;
    }
    *last = f;
    if (!str_eq(value, "None") && !set_field(a, f, value, out)) {
        str_fmt(why, 128, "not a value for '%s'", f->key);
        return false;
    }
    return true;
}

bool backup_info_parse(struct arena *a, struct str text, const char *path, struct backup *out,
                       struct err *err)
{
    struct backup b = {.status = BACKUP_EMPTY, .xlog_segment_size = SEGMENT_SIZE_DEFAULT};
    const struct field *last = NULL;
    struct str line;

    for (uint64_t no = 1; str_line(&text, &line); no++) {
        char why[128];

        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#') {
            continue;
        }
        if (!parse_line(a, line, &b, &last, why)) {
            return a->failed ? arena_err(a, err) : bad_line(path, no, why, err);
        }
    }
    if (!wal_seg_size_ok(b.xlog_segment_size)) {
        return err_set(err, ERR_FORMAT, "Look at xlog_segment_size in that file.", path,
                       "%u is not a segment size", b.xlog_segment_size);
    }
    if (!backup_copy_stat(&b, "copy_time", &b.copy_time)) {
        b.copy_time = 0;
    }
    if (!backup_copy_stat(&b, "total_time", &b.total_time)) {
        b.total_time = 0;
    }
    memcpy(b.id, out->id, sizeof b.id);
    *out = b;
    return true;
}

bool backup_name_ok(const char *name)
{
    struct str text = str_of(name);

    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7F) {
            return false;
        }
    }
    return text.n && str_trim(text).n == text.n && strcmp(name, "None") != 0 &&
           json_text_ok(text);
}

/* A value is one line, whatever a server's message holds. */
static void put_line(struct sbuf *b, const char *text)
{
    for (; *text; text++) {
        sbuf_char(b, *text == '\n' || *text == '\r' ? ' ' : *text);
    }
}

static void put_moment(struct sbuf *b, struct moment m)
{
    char text[STAMP_CAP];

    sbuf_add(b, m.known ? stamp_iso((struct stamp){m.us, m.offset_s}, text) : "None");
}

static void put_u64(struct sbuf *b, uint64_t v)
{
    if (v) {
        sbuf_fmt(b, "%" PRIu64, v);
    } else {
        sbuf_add(b, "None");
    }
}

static void put_copy_stats(struct sbuf *b, const struct backup *from)
{
    char copy[FMT_CAP], total[FMT_CAP];

    if (from->copy_stats) {
        put_line(b, from->copy_stats);
    } else if (from->total_time > 0) {
        sbuf_fmt(b, "{'copy_time': %s, 'total_time': %s}", fmt_py_float(from->copy_time, copy),
                 fmt_py_float(from->total_time, total));
    } else {
        sbuf_add(b, "None");
    }
}

static const char *text_at(const struct backup *from, size_t at)
{
    const char *text;

    memcpy(&text, (const char *)from + at, sizeof text);
    return text;
}

static uint32_t u32_at(const struct backup *from, size_t at)
{
    uint32_t v;

    memcpy(&v, (const char *)from + at, sizeof v);
    return v;
}

static uint64_t u64_at(const struct backup *from, size_t at)
{
    uint64_t v;

    memcpy(&v, (const char *)from + at, sizeof v);
    return v;
}

/* Offsets may be 0 and yet known: they are, as soon as their segment is. */
static void put_u32(struct sbuf *b, const struct field *f, const struct backup *from)
{
    bool is_begin = f->at == offsetof(struct backup, begin_offset);
    bool is_end = f->at == offsetof(struct backup, end_offset);

    if ((is_begin && from->begin_wal) || (is_end && from->end_wal)) {
        sbuf_fmt(b, "%u", u32_at(from, f->at));
    } else if (f->at == offsetof(struct backup, xlog_segment_size)) {
        put_u64(b, from->xlog_segment_size ? from->xlog_segment_size : SEGMENT_SIZE_DEFAULT);
    } else {
        put_u64(b, u32_at(from, f->at));
    }
}

/* What a server said, or a name that it has, and cut off anywhere: Barman reads no backup of a
 * server with a byte in it that is not UTF-8. */
static void put_message(struct sbuf *b, const char *text)
{
    struct str rest = str_of(text);

    while (rest.n) {
        size_t n = json_char_len(rest);

        if (n > 1) {
            sbuf_fmt(b, "%.*s", (int)n, rest.p);
        } else {
            char one[2] = {n ? rest.p[0] : '?', '\0'};

            put_line(b, one);
        }
        rest = str_skip(rest, n ? n : 1);
    }
}

static void put_text(struct sbuf *b, const struct field *f, const struct backup *from)
{
    const char *text = text_at(from, f->at);

    if (f->at == offsetof(struct backup, copy_stats)) {
        put_copy_stats(b, from);
    } else if (text && f->kind == LABEL) {
        pylit_put_text(b, text);
    } else if (text && f->at == offsetof(struct backup, error)) {
        put_message(b, text);
    } else {
        put_line(b, text ? text : "None");
    }
}

static void put_lsn(struct sbuf *b, pg_lsn lsn)
{
    char text[FMT_CAP];

    sbuf_add(b, lsn ? fmt_lsn(lsn, text) : "None");
}

static void put_value(struct sbuf *b, const struct field *f, const struct backup *from)
{
    switch (f->kind) {
    case TEXT:
    case SEGMENT:
    case CLUSTER:
    case LABEL:
    case LITERAL:
        put_text(b, f, from);
        break;
    case U64:
        put_u64(b, u64_at(from, f->at));
        break;
    case U32:
        put_u32(b, f, from);
        break;
    case INT:
        put_u64(b, from->version > 0 ? (uint64_t)from->version : 0);
        break;
    case LSN:
        put_lsn(b, u64_at(from, f->at));
        break;
    case MOMENT:
        put_moment(b, f->at == offsetof(struct backup, begin_time) ? from->begin_time
                                                                   : from->end_time);
        break;
    case STATUS:
        sbuf_add(b, backup_status_name(from->status));
        break;
    case SPACES:
        if (from->tablespaces) {
            pylit_put_tablespaces(b, from->tablespace, from->tablespaces);
        } else {
            sbuf_add(b, "None");
        }
        break;
    }
}

uint64_t backup_info_recent(void)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < FIELDS; i++) {
        bits |= fields[i].omit == RECENT ? UINT64_C(1) << i : 0;
    }
    return bits;
}

uint64_t backup_info_keys(struct str text)
{
    const struct field *f = NULL;
    uint64_t bits = 0;
    struct str line, key;

    while (str_line(&text, &line)) {
        line = str_trim(line);
        if (line.n && line.p[0] != '#' && str_split(&line, '=', &key)) {
            f = field_of(str_trim(key), f);
            bits |= f ? UINT64_C(1) << (f - fields) : 0;
        }
    }
    return bits;
}

/* Enough for all of them: every byte of a text may become four ("\x01"). */
static size_t text_cap(const struct backup *b)
{
    size_t cap = 8192;

    for (size_t i = 0; i < FIELDS; i++) {
        const char *value = fields[i].kind <= LITERAL ? text_at(b, fields[i].at) : NULL;
        cap += value ? 4 * strlen(value) : 0;
    }
    for (size_t i = 0; i < b->tablespaces; i++) {
        cap += 4 * (strlen(b->tablespace[i].name) + strlen(b->tablespace[i].location)) + 64;
    }
    return cap;
}

static void put_field(struct sbuf *text, const struct field *f, const struct backup *b,
                      enum info_unset unset)
{
    struct sbuf before = *text;

    if (f->omit == OMIT_WHEN_UNSET && !text_at(b, f->at)) {
        return;
    }
    sbuf_fmt(text, "%s=", f->key);
    put_value(text, f, b);
    if (unset == INFO_UNSET_OUT && str_ends(str_n(text->p, text->len), "=None")) {
        *text = before;
        return;
    }
    sbuf_char(text, '\n');
}

bool backup_info_text_of(struct arena *a, const struct backup *b, uint64_t keys,
                         enum info_unset unset, struct str *out, struct err *err)
{
    size_t cap = text_cap(b);
    char *mem = arena_alloc(a, cap);
    struct sbuf text;

    if (!mem) {
        return arena_err(a, err);
    }
    sbuf_init(&text, mem, cap);
    for (size_t i = 0; i < FIELDS; i++) {
        if (keys >> i & 1) {
            put_field(&text, &fields[i], b, unset);
        }
    }
    if (!sbuf_ok(&text) || text.len > BACKUP_INFO_MAX) {
        return err_set(err, ERR_FORMAT, "", b->id,
                       "the facts of the backup do not fit in %u bytes", BACKUP_INFO_MAX);
    }
    *out = str_n(text.p, text.len);
    return true;
}

bool backup_info_text(struct arena *a, const struct backup *b, struct str *out, struct err *err)
{
    return backup_info_text_of(a, b, UINT64_MAX, INFO_UNSET_NONE, out, err);
}

bool backup_copy_stat(const struct backup *b, const char *key, double *out)
{
    return b->copy_stats && pylit_number(str_of(b->copy_stats), key, out);
}
