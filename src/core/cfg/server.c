/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/server.h"

#include <string.h>

const char *server_cfg_streaming_conninfo(const struct server_cfg *srv)
{
    return srv->streaming_conninfo ? srv->streaming_conninfo : srv->conninfo;
}

const char *server_cfg_wal_conninfo(const struct server_cfg *srv)
{
    if (!srv->wal_streaming_conninfo) {
        return srv->conninfo;
    }
    return srv->wal_conninfo ? srv->wal_conninfo : srv->wal_streaming_conninfo;
}

const char *server_cfg_wal_streaming_conninfo(const struct server_cfg *srv)
{
    return srv->wal_streaming_conninfo ? srv->wal_streaming_conninfo
                                       : server_cfg_streaming_conninfo(srv);
}

const char *server_cfg_compression(const struct server_cfg *srv)
{
    return srv->compression && strcmp(srv->compression, "none") != 0 ? srv->compression : NULL;
}

int server_cfg_gzip_level(const struct server_cfg *srv)
{
    const char *level = srv->compression_level;
    int64_t number;

    if (level && strcmp(level, "low") == 0) {
        return 1;
    }
    if (level && strcmp(level, "high") == 0) {
        return 9;
    }
    if (!level || !str_i64(str_of(level), &number)) {
        return 6;
    }
    return number < 1 ? 1 : number > 9 ? 9 : (int)number;
}

bool server_cfg_passive(const struct server_cfg *srv)
{
    return srv->primary_ssh_command != NULL;
}

struct setting {
    enum option_id id;
    const char *value;
};

static bool refuse(const struct server_cfg *srv, enum option_id id, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "Unset that option, or leave this server to Barman until then.",
                   srv->source[id],
                   "option '%s' of server '%s' asks for something this version does not have",
                   option_table[id].name, srv->name);
}

static bool refuse_any(const struct server_cfg *srv, const struct setting *set, size_t n,
                       struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (set[i].value) {
            return refuse(srv, set[i].id, err);
        }
    }
    return true;
}

#define HOOK(x)                                                                                \
    {                                                                                          \
        OPTION_##x, srv->x                                                                     \
    }
#define HOOKS(verb)                                                                            \
    HOOK(pre_##verb##_script), HOOK(pre_##verb##_retry_script), HOOK(post_##verb##_script),    \
        HOOK(post_##verb##_retry_script)
#define REFUSE_ANY(...)                                                                        \
    do {                                                                                       \
        const struct setting set[] = {__VA_ARGS__};                                            \
        return refuse_any(srv, set, sizeof set / sizeof set[0], err);                          \
    } while (0)

static bool hooks_ok(const struct server_cfg *srv, enum cfg_use use, struct err *err)
{
    switch (use) {
    case CFG_USE_BACKUP:
        REFUSE_ANY(HOOKS(backup));
    case CFG_USE_ARCHIVE:
        REFUSE_ANY(HOOKS(archive));
    case CFG_USE_RESTORE:
        REFUSE_ANY(HOOKS(recovery));
    case CFG_USE_DELETE:
        REFUSE_ANY(HOOKS(delete), HOOKS(wal_delete));
    case CFG_USE_RECEIVE:
        return true;
    }
    return true;
}

static bool backup_ok(const struct server_cfg *srv, struct err *err)
{
    if (strcmp(srv->backup_method, "postgres") != 0) {
        return refuse(srv, OPTION_backup_method, err);
    }
    if (srv->backup_compression && strcmp(srv->backup_compression, "none") != 0) {
        return refuse(srv, OPTION_backup_compression, err);
    }
    return true;
}

bool server_cfg_refusal(const struct server_cfg *srv, enum cfg_use use, struct err *err)
{
    const char *codec = server_cfg_compression(srv);

    if (server_cfg_passive(srv) && use != CFG_USE_RESTORE && use != CFG_USE_DELETE) {
        return refuse(srv, OPTION_primary_ssh_command, err);
    }
    if ((use == CFG_USE_BACKUP || use == CFG_USE_ARCHIVE) && srv->encryption &&
        strcmp(srv->encryption, "none") != 0) {
        return refuse(srv, OPTION_encryption, err);
    }
    if (use == CFG_USE_ARCHIVE && codec && strcmp(codec, "gzip") != 0) {
        return refuse(srv, OPTION_compression, err);
    }
    if (use == CFG_USE_BACKUP && !backup_ok(srv, err)) {
        return false;
    }
    return hooks_ok(srv, use, err);
}
