/* SPDX-License-Identifier: PostgreSQL */
#include "wal/label.h"

#include <stddef.h>
#include <string.h>

static bool bad(const char *file, unsigned line, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Check the backup it came from.", file, "line %u: %s", line,
                   why);
}

static bool not_a_file(const char *file, size_t n, size_t max, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Check the backup it came from.", file, "%s",
                   n > max ? "too long" : "it holds NUL bytes");
}

enum kind { KIND_TEXT, KIND_LSN, KIND_TLI, KIND_PLACE, KIND_STOP };

/* A PLACE is an LSN with the file that holds it. */
static const struct key {
    const char *text;
    enum kind kind;
    size_t offset;
} keys[] = {
    {"START WAL LOCATION: ", KIND_PLACE, offsetof(struct backup_label, start)},
    {"STOP WAL LOCATION: ", KIND_STOP, offsetof(struct backup_label, stop)},
    {"CHECKPOINT LOCATION: ", KIND_LSN, offsetof(struct backup_label, checkpoint)},
    {"BACKUP METHOD: ", KIND_TEXT, offsetof(struct backup_label, method)},
    {"BACKUP FROM: ", KIND_TEXT, offsetof(struct backup_label, from)},
    {"START TIME: ", KIND_TEXT, offsetof(struct backup_label, start_time)},
    {"STOP TIME: ", KIND_TEXT, offsetof(struct backup_label, stop_time)},
    {"LABEL: ", KIND_TEXT, offsetof(struct backup_label, label)},
    {"START TIMELINE: ", KIND_TLI, offsetof(struct backup_label, start_tli)},
    {"STOP TIMELINE: ", KIND_TLI, offsetof(struct backup_label, stop_tli)},
    {"INCREMENTAL FROM LSN: ", KIND_LSN, offsetof(struct backup_label, incremental_from)},
    {"INCREMENTAL FROM TLI: ", KIND_TLI, offsetof(struct backup_label, incremental_tli)},
};

#define KEYS (sizeof keys / sizeof keys[0])

/* "0/2000028 (file 000000010000000000000002)" */
static bool place_parse(struct str text, pg_lsn *lsn, char file[WAL_NAME_CAP])
{
    struct str number;

    if (!str_split(&text, ' ', &number) || !wal_lsn_parse(number, lsn) ||
        !str_take_lit(&text, "(file ") || !str_ends(text, ")")) {
        return false;
    }
    text.n--;
    if (wal_name_kind(text, WAL_CASE_UPPER) != WAL_NAME_SEGMENT) {
        return false;
    }
    memcpy(file, text.p, WAL_NAME_LEN);
    file[WAL_NAME_LEN] = '\0';
    return true;
}

static bool tli_parse(struct str text, pg_tli *out)
{
    uint64_t v;

    if (!str_u64(text, UINT32_MAX, &v) || v == 0) {
        return false;
    }
    *out = (pg_tli)v;
    return true;
}

static bool value_parse(struct arena *a, const struct key *key, struct str value,
                        struct backup_label *out)
{
    void *to = (char *)out + key->offset;

    switch (key->kind) {
    case KIND_LSN:
        return wal_lsn_parse(value, to);
    case KIND_TLI:
        return tli_parse(value, to);
    case KIND_PLACE:
        return place_parse(value, to, out->start_file);
    case KIND_STOP:
        return place_parse(value, to, out->stop_file);
    case KIND_TEXT:
        break;
    }
    const char *copy = arena_strndup(a, value.p, value.n);
    memcpy(to, &copy, sizeof copy);
    return copy != NULL;
}

static bool label_line(struct arena *a, struct str line, unsigned *seen,
                       struct backup_label *out)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct str value = line;
        if (!str_take_lit(&value, keys[i].text)) {
            continue;
        }
        if (*seen & 1u << i) {
            return false;
        }
        *seen |= 1u << i;
        return value_parse(a, &keys[i], value, out);
    }
    return true;
}

bool backup_label_parse(struct arena *a, struct str text, struct backup_label *out,
                        struct err *err)
{
    struct backup_label label = {0};
    unsigned seen = 0, number = 0;
    struct str line;
    size_t nul;

    if (text.n > LABEL_MAX || str_find(text, '\0', &nul)) {
        return not_a_file("backup_label", text.n, LABEL_MAX, err);
    }
    while (str_line(&text, &line)) {
        number++;
        if (line.n > 0 && line.p[line.n - 1] == '\r') {
            line.n--;
        }
        if (!label_line(a, line, &seen, &label)) {
            return a->failed ? arena_err(a, err)
                             : bad("backup_label", number, "wrong or twice", err);
        }
    }
    if (!(seen & 1u) || !(seen & 1u << 2)) {
        return err_set(err, ERR_FORMAT, "Check the backup it came from.", "backup_label",
                       "it lacks the start WAL location or the checkpoint location");
    }
    pg_tli of_name;
    if (!wal_name_tli(str_of(label.start_file), &of_name)) {
        return bad("backup_label", 1, "a WAL file of timeline 0", err);
    }
    if (label.start_tli == 0) {
        label.start_tli = of_name;
    }
    *out = label;
    return true;
}

/* One entry from the front of rest, unescaped into *to: up to a newline or CR that no backslash
 * makes plain. *to moves behind its NUL; what is written is never longer than what was read. */
static struct str entry_take(struct str *rest, char **to)
{
    char *begin = *to;
    size_t i = 0;

    while (i < rest->n && rest->p[i] != '\n' && rest->p[i] != '\r') {
        if (rest->p[i] == '\\' && i + 1 < rest->n) {
            i++;
        }
        *(*to)++ = rest->p[i++];
    }
    struct str entry = str_n(begin, (size_t)(*to - begin));
    *(*to)++ = '\0';
    *rest = str_skip(*rest, i < rest->n ? i + 1 : i);
    return entry;
}

static bool entry_parse(struct str text, struct tablespace_map *map, struct map_entry *entry)
{
    uint64_t oid;

    if (!str_take_u64(&text, UINT32_MAX, &oid) || oid == 0 || !str_take_char(&text, ' ') ||
        text.n == 0) {
        return false;
    }
    for (size_t i = 0; i < map->n; i++) {
        if (entry[i].oid == oid) {
            return false;
        }
    }
    entry[map->n++] = (struct map_entry){.oid = (uint32_t)oid, .path = text.p};
    return true;
}

static size_t count_breaks(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++) {
        n += text.p[i] == '\n' || text.p[i] == '\r';
    }
    return n;
}

bool tablespace_map_parse(struct arena *a, struct str text, struct tablespace_map *out,
                          struct err *err)
{
    struct tablespace_map map = {0};
    unsigned number = 0;
    size_t nul;

    if (text.n > TABLESPACE_MAP_MAX || str_find(text, '\0', &nul)) {
        return not_a_file("tablespace_map", text.n, TABLESPACE_MAP_MAX, err);
    }
    size_t most = count_breaks(text);
    struct map_entry *entry = ARENA_ARRAY(a, most, struct map_entry);
    char *copy = arena_alloc(a, text.n + most + 1);
    if (!entry || !copy) {
        return arena_err(a, err);
    }
    while (text.n > 0) {
        struct str line = entry_take(&text, &copy);
        number++;
        if (line.n > 0 && !entry_parse(line, &map, entry)) {
            return bad("tablespace_map", number, "not an oid and a path, or an oid twice", err);
        }
    }
    map.entry = entry;
    *out = map;
    return true;
}
