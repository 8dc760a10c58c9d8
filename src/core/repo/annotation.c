/* SPDX-License-Identifier: PostgreSQL */
/* The small files beside a backup (keep, delete_this), and identity.json. */
#include "base/json.h"
#include "catalogue.h"

#include <string.h>
#include <unistd.h>

#define NOTE_MAX     4096
#define IDENTITY_MAX 4096
#define DELETE_THIS  "delete_this"

static bool note_path(const struct repo *r, const char *id, const char *what,
                      char out[PATH_CAP], struct err *err)
{
    if (!backup_id_ok(id)) {
        return err_set(err, ERR_FORMAT, "", id, "not a backup id");
    }
    if (!str_fmt(out, PATH_CAP, "%s/%s-%s", r->meta_dir, id, what)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", r->meta_dir,
                       "path is too long");
    }
    return true;
}

static bool old_note_path(const struct repo *r, const char *id, const char *what,
                          char out[PATH_CAP], struct err *err)
{
    if (!str_fmt(out, PATH_CAP, "%s/%s/annotations/%s", r->base_dir, id, what)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", r->base_dir,
                       "path is too long");
    }
    return true;
}

/* The text of a note; an empty view (p NULL) when there is none. */
static bool note_read(struct arena *a, const char *path, struct str *out, struct err *err)
{
    struct err why = {0};

    if (file_read(a, path, NOTE_MAX, out, &why)) {
        *out = str_trim(*out);
        return true;
    }
    if (why.code != ERR_MISSING) {
        *err = why;
        return false;
    }
    *out = (struct str){NULL, 0};
    return true;
}

bool keep_read(const struct repo *r, const char *id, enum keep *out, struct err *err)
{
    char path[PATH_CAP];
    struct arena a;
    struct str text;
    bool ok;

    arena_init(&a, 0);
    ok = note_path(r, id, "keep", path, err) && note_read(&a, path, &text, err);
    if (ok && !text.p) {
        ok = old_note_path(r, id, "keep", path, err) && note_read(&a, path, &text, err);
    }
    if (ok) {
        *out = text.n == 0                  ? KEEP_NONE
               : str_eq(text, "standalone") ? KEEP_STANDALONE
                                            : KEEP_FULL;
    }
    arena_release(&a);
    return ok;
}

bool delete_mark_set(const struct repo *r, const char *id, struct err *err)
{
    char path[PATH_CAP];

    return note_path(r, id, DELETE_THIS, path, err) && dir_make(r->meta_dir, err) &&
           file_replace(path, STR_LIT("delete"), err);
}

bool delete_mark_clear(const struct repo *r, const char *id, struct err *err)
{
    char path[PATH_CAP], old[PATH_CAP];

    return note_path(r, id, DELETE_THIS, path, err) &&
           old_note_path(r, id, DELETE_THIS, old, err) && file_remove(path, err) &&
           (access(old, F_OK) != 0 || file_remove(old, err));
}

bool delete_mark_is_set(const struct repo *r, const char *id)
{
    char path[PATH_CAP], old[PATH_CAP];
    struct err ignored;

    return note_path(r, id, DELETE_THIS, path, &ignored) &&
           old_note_path(r, id, DELETE_THIS, old, &ignored) &&
           (access(path, F_OK) == 0 || access(old, F_OK) == 0);
}

static bool identity_path(const struct repo *r, char out[PATH_CAP], struct err *err)
{
    return path_join(out, r->backup_dir, "identity.json", err);
}

/* A text member into its place; members of other names are left alone. */
static bool identity_member(const char *key, struct str text, struct identity *out)
{
    bool is_id = strcmp(key, "systemid") == 0;
    char *to = is_id ? out->systemid : out->version;
    size_t cap = is_id ? sizeof out->systemid : sizeof out->version;

    if (!is_id && strcmp(key, "version") != 0) {
        return true;
    }
    return text.n < cap && str_fmt(to, cap, "%.*s", (int)text.n, text.p);
}

/* A flat object. */
static bool identity_parse(struct str text, struct identity *out)
{
    enum json_token t;
    char key[32] = "";
    struct json j;

    json_init(&j);
    json_feed(&j, text.p, text.n);
    while ((t = json_next(&j)) != JSON_END) {
        struct str token = json_text(&j);

        if (t == JSON_MORE) {
            json_finish(&j);
        } else if (t == JSON_BAD || t == JSON_ARRAY || (t == JSON_OBJECT && key[0])) {
            return false;
        } else if (t == JSON_KEY) {
            str_fmt(key, sizeof key, "%.*s", token.n < 31 ? (int)token.n : 31, token.p);
        } else if (t == JSON_STRING && !identity_member(key, token, out)) {
            return false;
        }
    }
    return true;
}

bool identity_load(const struct repo *r, struct identity *out, struct err *err)
{
    char path[PATH_CAP];
    struct err why = {0};
    struct identity id = {0};
    struct arena a;
    struct str text;
    bool ok = true;

    if (!identity_path(r, path, err)) {
        return false;
    }
    arena_init(&a, 0);
    if (!file_read(&a, path, IDENTITY_MAX, &text, &why)) {
        ok = why.code == ERR_MISSING;
        if (!ok) {
            *err = why;
        }
    } else if (!identity_parse(text, &id)) {
        ok = err_set(err, ERR_FORMAT,
                     "Put back the identity.json of this server, or remove it if it is empty.",
                     path, "not the identity of a server");
    }
    arena_release(&a);
    if (ok) {
        *out = id;
    }
    return ok;
}

bool identity_save(const struct repo *r, const struct identity *id, struct err *err)
{
    char path[PATH_CAP], text[512];
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    sbuf_add(&b, "{\n    \"systemid\": ");
    json_put(&b, str_of(id->systemid));
    sbuf_add(&b, ",\n    \"version\": ");
    json_put(&b, str_of(id->version));
    sbuf_add(&b, "\n}\n");
    return identity_path(r, path, err) && dir_make(r->backup_dir, err) &&
           file_replace(path, str_n(b.p, b.len), err);
}

bool identity_check(const struct identity *kept, const struct identity *now, struct err *err)
{
    if (kept->systemid[0] && now->systemid[0] && strcmp(kept->systemid, now->systemid) != 0) {
        return err_set(
            err, ERR_UNSAFE, "Check the connection, or use another name for the other cluster.",
            "system identifier", "the server is %s, this directory belongs to cluster %s",
            now->systemid, kept->systemid);
    }
    if (kept->version[0] && now->version[0] && strcmp(kept->version, now->version) != 0) {
        return err_set(err, ERR_UNSAFE,
                       "Use another name for the upgraded server; its WAL is another one.",
                       "version", "the server is PostgreSQL %s, this directory belongs to %s",
                       now->version, kept->version);
    }
    return true;
}
