/* SPDX-License-Identifier: PostgreSQL */
#include "engine/backup_form.h"

#include <string.h>

#define VERSION_SERVER_SIDE 150000

static bool is(const char *member, const char *word)
{
    return member && strcmp(member, word) == 0;
}

static enum codec_kind codec_of(const char *word)
{
    return is(word, "gzip")   ? CODEC_GZIP
           : is(word, "lz4")  ? CODEC_LZ4
           : is(word, "zstd") ? CODEC_ZSTD
                              : CODEC_NONE;
}

struct gpg backup_form_gpg(const struct server_cfg *srv, int cancel_fd)
{
    return (struct gpg){srv->encryption_key_id, srv->encryption_passphrase_command,
                        srv->path_prefix, cancel_fd};
}

const char *backup_form_suffix(enum codec_kind codec, bool is_encrypted)
{
    switch (codec) {
    case CODEC_GZIP:
        return is_encrypted ? ".tar.gz.gpg" : ".tar.gz";
    case CODEC_LZ4:
        return is_encrypted ? ".tar.lz4.gpg" : ".tar.lz4";
    case CODEC_ZSTD:
        return is_encrypted ? ".tar.zst.gpg" : ".tar.zst";
    default:
        return is_encrypted ? ".tar.gpg" : ".tar";
    }
}

static bool judge(const struct server_cfg *srv, int server_version,
                  const struct backup_form *form, struct err *err)
{
    if (form->by_server && server_version && server_version < VERSION_SERVER_SIDE) {
        return err_set(err, ERR_CONFIG, "Set it to client.",
                       srv->source[OPTION_backup_compression_location],
                       "backup_compression_location = server requires PostgreSQL 15 or "
                       "greater");
    }
    if (form->is_encrypted && !form->is_tar) {
        return err_set(err, ERR_CONFIG,
                       "Set backup_compression (none will do) and leave its format at tar.",
                       srv->source[OPTION_encryption],
                       "encryption of backups requires backup_compression_format = tar");
    }
    if (form->is_encrypted && !srv->encryption_key_id) {
        return err_set(err, ERR_CONFIG, "Set encryption_key_id.",
                       srv->source[OPTION_encryption],
                       "encryption = gpg without encryption_key_id");
    }
    return true;
}

bool backup_form_of(const struct server_cfg *srv, int server_version, struct backup_form *out,
                    struct err *err)
{
    const char *codec = srv->backup_compression;
    struct backup_form form = {.level = FORM_LEVEL_UNSET};

    form.is_encrypted = is(srv->encryption, "gpg");
    form.gpg = backup_form_gpg(srv, -1);
    if (codec) {
        form.codec = codec_of(codec);
        form.is_tar = !is(srv->backup_compression_format, "plain");
        form.by_server =
            is(srv->backup_compression_location, "server") && form.codec != CODEC_NONE;
        form.name = form.is_tar ? codec : NULL;
    }
    if (srv->backup_compression_level != CFG_UNSET) {
        form.level = srv->backup_compression_level;
    }
    if ((form.codec == CODEC_GZIP && form.level == -1) ||
        (form.codec == CODEC_LZ4 && form.level == 0)) {
        form.level = FORM_LEVEL_UNSET;
    }
    if (srv->backup_compression_workers != CFG_UNSET && srv->backup_compression_workers > 0) {
        form.workers = srv->backup_compression_workers;
    }
    if (!judge(srv, server_version, &form, err)) {
        return false;
    }
    *out = form;
    return true;
}
