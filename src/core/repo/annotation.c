/* SPDX-License-Identifier: PostgreSQL */
/* The small files beside a backup (keep, delete_this), and identity.json. */
#include "base/json.h"
#include "catalogue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NOTE_MAX     4096
#define IDENTITY_MAX 4096

static const char *const note_name[] = {[NOTE_KEEP] = "keep", [NOTE_DELETE] = "delete_this"};

/* meta/<id>-<what>, or base/<id>/annotations/<what>. */
static bool note_path(const struct repo *r, enum catalogue_layout layout, const char *id,
                      enum note what, char out[PATH_CAP], struct err *err)
{
    bool is_old = layout == LAYOUT_LEGACY;
    const char *dir = is_old ? r->base_dir : r->meta_dir;

    if (!backup_id_ok(id)) {
        return err_set(err, ERR_FORMAT, "", id, "not a backup id");
    }
    if (!str_fmt(out, PATH_CAP, is_old ? "%s/%s/annotations/%s" : "%s/%s-%s", dir, id,
                 note_name[what])) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", dir, "path is too long");
    }
    return true;
}

/* Where the layout of the server has it, and where the other one would have it. */
static bool note_paths(const struct repo *r, const char *id, enum note what, char own[PATH_CAP],
                       char other[PATH_CAP], struct err *err)
{
    bool is_old = r->layout == LAYOUT_LEGACY;

    return note_path(r, r->layout, id, what, own, err) &&
           note_path(r, is_old ? LAYOUT_CURRENT : LAYOUT_LEGACY, id, what, other, err);
}

static bool remove_if_there(const char *path, struct err *err)
{
    return access(path, F_OK) != 0 || file_remove(path, err);
}

/* A directory of annotations that became empty goes with the last, as Barman has it. */
static void annotations_leave(const char *note)
{
    char dir[PATH_CAP];

    path_dir(note, dir);
    rmdir(dir); /* not empty, or not there: fine */
}

static bool note_remove(const struct repo *r, const char *id, enum note what, struct err *err)
{
    char own[PATH_CAP], other[PATH_CAP];

    if (!note_paths(r, id, what, own, other, err) || !remove_if_there(own, err) ||
        !remove_if_there(other, err)) {
        return false;
    }
    annotations_leave(r->layout == LAYOUT_LEGACY ? own : other);
    return true;
}

/* What the other layout has goes last: there is never a moment without any. */
static bool note_write(const struct repo *r, const char *id, enum note what, const char *text,
                       struct err *err)
{
    char own[PATH_CAP], other[PATH_CAP], dir[PATH_CAP];

    if (!note_paths(r, id, what, own, other, err)) {
        return false;
    }
    path_dir(own, dir);
    if (!dir_make(dir, err) || !file_replace(own, str_of(text), err) ||
        !remove_if_there(other, err)) {
        return false;
    }
    if (r->layout == LAYOUT_CURRENT) {
        annotations_leave(other);
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
    ok = note_path(r, LAYOUT_CURRENT, id, NOTE_KEEP, path, err) &&
         note_read(&a, path, &text, err);
    if (ok && !text.p) {
        ok = note_path(r, LAYOUT_LEGACY, id, NOTE_KEEP, path, err) &&
             note_read(&a, path, &text, err);
    }
    if (ok) {
        *out = text.n == 0                  ? KEEP_NONE
               : str_eq(text, "standalone") ? KEEP_STANDALONE
                                            : KEEP_FULL;
    }
    arena_release(&a);
    return ok;
}

const char *keep_name(enum keep keep)
{
    return keep == KEEP_NONE ? "nokeep" : keep == KEEP_FULL ? "full" : "standalone";
}

bool keep_write(const struct repo *r, const char *id, enum keep keep, struct err *err)
{
    return keep == KEEP_NONE ? note_remove(r, id, NOTE_KEEP, err)
                             : note_write(r, id, NOTE_KEEP, keep_name(keep), err);
}

bool note_elsewhere(const struct repo *r, const char *id, enum note note, bool *out,
                    struct err *err)
{
    char own[PATH_CAP], other[PATH_CAP];

    if (!note_paths(r, id, note, own, other, err)) {
        return false;
    }
    *out = access(other, F_OK) == 0;
    return true;
}

bool note_move(const struct repo *r, const char *id, enum note note, struct err *err)
{
    enum keep keep;

    if (note == NOTE_DELETE) {
        return !delete_mark_is_set(r, id) || delete_mark_set(r, id, err);
    }
    return keep_read(r, id, &keep, err) && keep_write(r, id, keep, err);
}

/* That it is there is the mark, whatever it holds. On a full disk, where a delete is what makes
 * room, an empty one takes nothing but a name. */
bool delete_mark_set(const struct repo *r, const char *id, struct err *err)
{
    struct err why = {0};

    if (note_write(r, id, NOTE_DELETE, "delete", &why)) {
        return true;
    }
    if (why.os != ENOSPC && why.os != EDQUOT) {
        *err = why;
        return false;
    }
    return note_write(r, id, NOTE_DELETE, "", err);
}

bool delete_mark_clear(const struct repo *r, const char *id, struct err *err)
{
    return note_remove(r, id, NOTE_DELETE, err);
}

bool delete_mark_is_set(const struct repo *r, const char *id)
{
    char own[PATH_CAP], other[PATH_CAP];
    struct err ignored;

    return note_paths(r, id, NOTE_DELETE, own, other, &ignored) &&
           (access(own, F_OK) == 0 || access(other, F_OK) == 0);
}

static bool identity_path(const struct repo *r, char out[PATH_CAP], struct err *err)
{
    return path_join(out, r->backup_dir, "identity.json", err);
}

/* A member into its place; those of other names are left alone. */
static bool identity_member(struct str key, struct str text, struct identity *out)
{
    bool is_id = str_eq(key, "systemid");
    char *to = is_id ? out->systemid : out->version;
    size_t cap = is_id ? sizeof out->systemid : sizeof out->version;

    if (!is_id && !str_eq(key, "version")) {
        return true;
    }
    return text.n < cap && !memchr(text.p, 0, text.n) &&
           str_fmt(to, cap, "%.*s", (int)text.n, text.p);
}

/* A flat object. */
bool identity_parse(struct str text, struct identity *out)
{
    char mem[sizeof "systemid"];
    struct str key = {mem, 0};
    enum json_token t;
    struct json j;

    *out = (struct identity){.systemid = ""};
    json_init(&j);
    json_feed(&j, text.p, text.n);
    if (json_next(&j) != JSON_OBJECT) {
        return false;
    }
    while ((t = json_next(&j)) != JSON_END) {
        struct str token = json_text(&j);

        if (t == JSON_MORE) {
            json_finish(&j);
        } else if (t == JSON_BAD || t == JSON_ARRAY || t == JSON_OBJECT) {
            return false;
        } else if (t == JSON_KEY) {
            key.n = token.n < sizeof mem ? token.n : 0; /* a longer one is none of ours */
            memcpy(mem, token.p, key.n);
        } else if ((t == JSON_STRING || t == JSON_NUMBER) &&
                   !identity_member(key, token, out)) {
            return false;
        }
    }
    return true;
}

void identity_put(struct sbuf *b, const struct identity *id)
{
    sbuf_add(b, "{\n    \"systemid\": ");
    json_put(b, str_of(id->systemid));
    sbuf_add(b, ",\n    \"version\": ");
    json_put(b, str_of(id->version));
    sbuf_add(b, "\n}\n");
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
    identity_put(&b, id);
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
