/* SPDX-License-Identifier: PostgreSQL */
/* Contradictions in what the files say, that no single option shows. */
#include "cfg/load.h"

#include "base/file.h"
#include "base/sys.h"
#include "plan/retention.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is(const char *member, const char *word)
{
    return member && strcmp(member, word) == 0;
}

/* keyword = value ..., or a URI: only the shape, libpq judges the rest. */
static bool take_conninfo_value(struct str *s)
{
    bool quoted = str_take_char(s, '\'');

    while (s->n) {
        char c = s->p[0];
        if (quoted ? c == '\'' : c == ' ' || c == '\t' || c == '\n') {
            *s = str_skip(*s, 1);
            return true;
        }
        *s = str_skip(*s, c == '\\' ? 2 : 1);
    }
    return !quoted;
}

static bool conninfo_ok(const char *text)
{
    struct str s = str_trim(str_of(text));

    if (str_starts(s, "postgres://") || str_starts(s, "postgresql://")) {
        return true;
    }
    while (s.n) {
        size_t at;

        if (!str_find(s, '=', &at) || str_trim(str_n(s.p, at)).n == 0 ||
            memchr(str_trim(str_n(s.p, at)).p, ' ', str_trim(str_n(s.p, at)).n)) {
            return false;
        }
        s = str_trim(str_skip(s, at + 1));
        if (!take_conninfo_value(&s)) {
            return false;
        }
        s = str_trim(s);
    }
    return true;
}

static void check_conninfo(struct load *l, const struct server_cfg *srv,
                           struct cfg_messages *messages)
{
    const struct {
        const char *name, *value;
    } all[] = {
        {"conninfo", srv->conninfo},
        {"streaming_conninfo", srv->streaming_conninfo},
        {"wal_conninfo", srv->wal_conninfo},
        {"wal_streaming_conninfo", srv->wal_streaming_conninfo},
    };

    if (!srv->conninfo && !server_cfg_passive(srv)) {
        messages_add(l->a, messages,
                     "PostgreSQL connection: Missing 'conninfo' parameter for server '%s'",
                     srv->name);
        if (!srv->streaming_conninfo &&
            (srv->streaming_archiver || is(srv->backup_method, "postgres"))) {
            messages_add(l->a, messages,
                         "Streaming connection: Missing 'streaming_conninfo' parameter for "
                         "server '%s'",
                         srv->name);
        }
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].value && !conninfo_ok(all[i].value)) {
            messages_add(l->a, messages, "Invalid '%s' option for server '%s'", all[i].name,
                         srv->name);
        }
    }
}

static void check_archivers(struct load *l, struct server_cfg *srv,
                            struct cfg_messages *messages)
{
    if (server_cfg_passive(srv)) {
        return;
    }
    if (!srv->archiver && !srv->streaming_archiver) {
        srv->archiver = srv->archiver_forced = true;
    }
    if (srv->streaming_archiver && !srv->archiver && !srv->slot_name) {
        messages_add(l->a, messages,
                     "Streaming-only archiver requires 'streaming_conninfo' and 'slot_name' "
                     "options to be properly configured");
    }
}

/* The levels an algorithm knows, and how Barman words it. */
static const struct levels {
    const char *name;
    int64_t low, high;
    const char *expects;
} levels[] = {
    {"gzip", -1, 9,
     " gzip expects a compression level between 1 and 9 (-1 will use default compression "
     "level)."},
    {"lz4", 0, 12,
     " lz4 expects a compression level between 1 and 12 (0 will use default compression "
     "level)."},
    {"zstd", -131072, 22,
     " 'zstd' expects a compression level between -131072 and 22 (3 will use default "
     "compression level)."},
};

static void check_level(struct load *l, const struct server_cfg *srv,
                        struct cfg_messages *messages)
{
    int64_t level = srv->backup_compression_level;
    bool is_gzip = is(srv->backup_compression, "gzip");

    if (level == CFG_UNSET) {
        return;
    }
    if (is(srv->backup_compression, "none") && level != 0) {
        messages_add(l->a, messages,
                     "backup_compression none only supports backup_compression_level 0.");
    }
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const struct levels *has = &levels[i];
        bool fits = level >= has->low && level <= has->high && !(is_gzip && level == 0);

        if (is(srv->backup_compression, has->name) && !fits) {
            messages_add(l->a, messages,
                         "backup_compression_level %lld unsupported by compression "
                         "algorithm.%s%s",
                         (long long)level, has->expects,
                         is_gzip && level == 0
                             ? " If you need to create an archive not compressed, you should "
                               "set `backup_compression = none`."
                             : "");
        }
    }
}

static void check_backup_compression(struct load *l, const struct server_cfg *srv,
                                     struct cfg_messages *messages)
{
    const char *location = srv->backup_compression_location;

    if (!srv->backup_compression) {
        return;
    }
    if (is(srv->backup_compression_format, "plain") && !is(location, "server")) {
        messages_add(l->a, messages,
                     "backup_compression_format plain is not compatible with "
                     "backup_compression_location %s",
                     location ? location : "None");
    }
    check_level(l, srv, messages);
    if (srv->backup_compression_workers != CFG_UNSET && !is(srv->backup_compression, "zstd")) {
        messages_add(l->a, messages,
                     "backup_compression_workers is not compatible with compression %s",
                     srv->backup_compression);
    }
}

static void not_supported(struct load *l, const char *option, const char *method,
                          struct cfg_messages *messages)
{
    messages_add(l->a, messages, "%s option is not supported by %s backup_method", option,
                 method);
}

static bool reuses(const struct server_cfg *srv)
{
    return srv->reuse_backup && !is(srv->reuse_backup, "off");
}

static void check_postgres_method(struct load *l, const struct server_cfg *srv,
                                  struct cfg_messages *messages)
{
    if (srv->tablespace_bandwidth_limit) {
        not_supported(l, "tablespace_bandwidth_limit", "postgres", messages);
    }
    if (reuses(srv)) {
        not_supported(l, "reuse_backup", "postgres", messages);
    }
    if (srv->network_compression) {
        not_supported(l, "network_compression", "postgres", messages);
    }
    check_backup_compression(l, srv, messages);
}

static void check_snapshot_method(struct load *l, const struct server_cfg *srv,
                                  struct cfg_messages *messages)
{
    const struct {
        const char *option;
        bool is_set;
    } refused[] = {
        {"backup_compression", srv->backup_compression != NULL},
        {"bandwidth_limit", srv->bandwidth_limit != CFG_UNSET && srv->bandwidth_limit != 0},
        {"network_compression", srv->network_compression},
        {"tablespace_bandwidth_limit", srv->tablespace_bandwidth_limit != NULL},
        {"reuse_backup", reuses(srv)},
    };
    const struct {
        const char *option, *value;
    } required[] = {
        {"snapshot_disks", srv->snapshot_disks},
        {"snapshot_instance", srv->snapshot_instance},
        {"snapshot_provider", srv->snapshot_provider},
    };

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].is_set) {
            not_supported(l, refused[i].option, "snapshot", messages);
        }
    }
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (!required[i].value) {
            messages_add(l->a, messages, "%s option is required by snapshot backup_method",
                         required[i].option);
        }
    }
}

/* In Barman's words and order: without the right ssh_command it looks no further. */
static void check_method(struct load *l, const struct server_cfg *srv,
                         struct cfg_messages *messages)
{
    bool is_local = is(srv->backup_method, "local-rsync");

    if (server_cfg_passive(srv)) {
        return;
    }
    if (is(srv->backup_method, "postgres")) {
        check_postgres_method(l, srv, messages);
    } else if (!is_local && !srv->ssh_command) {
        messages_add(l->a, messages,
                     "Missing or invalid ssh_command in barman configuration for server %s",
                     srv->name);
    } else if (is_local && srv->ssh_command) {
        messages_add(l->a, messages,
                     "Local copy requires ssh_command in barman configuration to be empty for "
                     "server %s",
                     srv->name);
    } else if (is(srv->backup_method, "snapshot")) {
        check_snapshot_method(l, srv, messages);
    } else if (srv->backup_compression) {
        not_supported(l, "backup_compression", "rsync", messages);
    }
}

/* Not a reason to disable the server: check tells it too, and nothing is enforced. */
static void check_retention(struct load *l, const struct server_cfg *srv)
{
    struct retention policy;
    struct err err;

    if (srv->retention_policy &&
        !retention_parse(str_of(srv->retention_policy), &policy, &err)) {
        messages_add(l->a, l->warnings, "%s: invalid retention_policy of server '%s': %s.",
                     srv->source[OPTION_retention_policy], srv->name, err.why);
    }
    if (srv->wal_retention_policy &&
        !retention_parse_wal(str_of(srv->wal_retention_policy), &policy, &err)) {
        messages_add(l->a, l->warnings,
                     "%s: invalid wal_retention_policy of server '%s': %s; it counts as MAIN.",
                     srv->source[OPTION_wal_retention_policy], srv->name, err.why);
    }
}

void check_server(struct load *l, struct server_cfg *srv, struct cfg_messages *messages)
{
    check_retention(l, srv);
    check_conninfo(l, srv, messages);
    check_method(l, srv, messages);
    check_archivers(l, srv, messages);
}

/* Links resolved as far as the path exists; the rest as it is written. */
static const char *real_path(struct arena *a, const char *path)
{
    char head[PATH_CAP], full[PATH_CAP];

    if (!str_copy(head, sizeof head, path)) {
        return path;
    }
    for (;;) {
        char *slash;

        if (sys_real_path(head, full) == 0) {
            return arena_fmt(a, "%s%s", strcmp(full, "/") == 0 ? "" : full,
                             path + strlen(head));
        }
        slash = strrchr(head, '/');
        if (!slash || slash == head) {
            return path;
        }
        *slash = '\0';
    }
}

struct place {
    const char *real;
    const char *option;
    size_t server;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int by_path = strcmp(x->real, y->real);

    if (by_path) {
        return by_path;
    }
    return x->server == y->server ? strcmp(x->option, y->option)
                                  : (x->server > y->server) - (x->server < y->server);
}

#define PLACES 6

static bool add_places(struct load *l, const struct server_cfg *srv, size_t index,
                       struct place *out)
{
    const struct {
        const char *option, *path;
    } all[PLACES] = {
        {"backup_directory", srv->backup_directory},
        {"basebackups_directory", srv->basebackups_directory},
        {"errors_directory", srv->errors_directory},
        {"incoming_wals_directory", srv->incoming_wals_directory},
        {"streaming_wals_directory", srv->streaming_wals_directory},
        {"wals_directory", srv->wals_directory},
    };
    size_t home = strlen(srv->backup_directory);
    char target[2];

    for (size_t i = 0; i < PLACES; i++) {
        const char *path = all[i].path;
        const char *name = path + home + 1;

        /* The usual layout needs one look a directory, not one for each part of its path. */
        if (i && strncmp(path, srv->backup_directory, home) == 0 && path[home] == '/' &&
            name[0] && name[0] != '.' && !strchr(name, '/') &&
            readlink(path, target, sizeof target) < 0) {
            out[i].real = arena_fmt(l->a, "%s/%s", out[0].real, name);
        } else {
            out[i].real = real_path(l->a, path);
        }
        if (!out[i].real) {
            return false;
        }
        out[i].option = all[i].option;
        out[i].server = index;
    }
    return true;
}

void check_paths(struct load *l, const struct server_cfg *srv, struct cfg_messages *messages)
{
    size_t n = l->cfg->servers;
    struct place *place = ARENA_ARRAY(l->a, n * PLACES + 1, struct place);

    for (size_t i = 0; i < n; i++) {
        if (!place || !add_places(l, &srv[i], i, &place[i * PLACES])) {
            return;
        }
    }
    if (!place) {
        return;
    }
    qsort(place, n * PLACES, sizeof *place, by_place);
    for (size_t i = 1; i < n * PLACES; i++) {
        const struct place *p = &place[i - 1], *q = &place[i];

        if (strcmp(p->real, q->real) != 0) {
            continue;
        }
        if (p->server == q->server) {
            messages_add(l->a, &messages[p->server],
                         "Conflicting path: %s=%s conflicts with '%s' for server '%s'",
                         q->option, q->real, p->option, srv[p->server].name);
        } else {
            messages_add(l->a, &l->cfg->conflicts,
                         "Conflicting path: %s=%s of server '%s' conflicts with '%s' of server "
                         "'%s'",
                         q->option, q->real, srv[q->server].name, p->option,
                         srv[p->server].name);
        }
    }
}
