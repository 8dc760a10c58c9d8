/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/server.h"

#include <string.h>

const char *server_cfg_streaming_conninfo(const struct server_cfg *srv)
{
    return srv->streaming_conninfo ? srv->streaming_conninfo : srv->conninfo;
}

const char *server_cfg_wal_conninfo(const struct server_cfg *srv)
{
    return srv->wal_conninfo             ? srv->wal_conninfo
           : srv->wal_streaming_conninfo ? srv->wal_streaming_conninfo
                                         : srv->conninfo;
}

const char *server_cfg_wal_streaming_conninfo(const struct server_cfg *srv)
{
    return srv->wal_streaming_conninfo ? srv->wal_streaming_conninfo
                                       : server_cfg_streaming_conninfo(srv);
}

bool server_cfg_encrypts(const struct server_cfg *srv)
{
    return srv->encryption && strcmp(srv->encryption, "none") != 0;
}

bool server_cfg_passive(const struct server_cfg *srv)
{
    return srv->primary_ssh_command != NULL;
}

static bool refuse(const struct server_cfg *srv, enum option_id id, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "Unset that option, or leave this server to Barman until then.",
                   srv->source[id],
                   "option '%s' of server '%s' asks for something this version does not have",
                   option_table[id].name, srv->name);
}

static bool backup_ok(const struct server_cfg *srv, struct err *err)
{
    if (strcmp(srv->backup_method, "postgres") != 0) {
        return refuse(srv, OPTION_backup_method, err);
    }
    return true;
}

bool server_cfg_refusal(const struct server_cfg *srv, enum cfg_use use, struct err *err)
{
    if (server_cfg_passive(srv) && use != CFG_USE_RESTORE && use != CFG_USE_DELETE) {
        return refuse(srv, OPTION_primary_ssh_command, err);
    }
    return use != CFG_USE_BACKUP || backup_ok(srv, err);
}
