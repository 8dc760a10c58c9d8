/* SPDX-License-Identifier: PostgreSQL */
/* restore_settings.c - the configuration files in the destination: those that are missing,
 * those that need changing, and the recovery settings. */
#include "cfg/config.h"
#include "engine/restore_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define AUTO_CONF      "postgresql.auto.conf"
#define SAVED_CONF_DIR ".barkeep/config"
#define SAVED_AUTH_DIR ".barkeep/auth"

static bool has(const struct restore_run *r, const char *rel, mode_t *mode)
{
    char path[PATH_CAP];
    struct err err = {0};
    struct stat st;

    if (!path_join(path, r->dest, rel, &err) || stat(path, &st) != 0) {
        return false;
    }
    *mode = st.st_mode & 0777;
    return true;
}

/* base/<id>/.barkeep/config/<its whole old path> */
static bool saved_path(const struct restore_run *r, const char *original, char out[PATH_CAP])
{
    char dir[PATH_CAP];
    struct err err = {0};

    return original && original[0] == '/' &&
           repo_backup_dir(&r->repo, r->backup->id, dir, &err) &&
           str_fmt(out, PATH_CAP, "%s/" SAVED_CONF_DIR "%s", dir, original) &&
           file_kind(out, NULL) == FILE_REGULAR;
}

const char *restore_kept_conf(const struct restore_run *r, const char *rel)
{
    char path[PATH_CAP];
    struct err ignored;

    if (r->tree.archives == 0 && r->tree.spaces &&
        path_join(path, r->tree.space[0].from, rel, &ignored) &&
        file_kind(path, NULL) == FILE_REGULAR) {
        return arena_strdup(r->a, path);
    }
    return strcmp(rel, "postgresql.conf") == 0 && saved_path(r, r->backup->config_file, path)
               ? arena_strdup(r->a, path)
               : NULL;
}

static bool is_conf(const struct restore_run *r, const char *rel)
{
    const char *of[] = {r->backup->config_file, r->backup->hba_file, r->backup->ident_file};

    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        if (of[i] && of[i][0] == '/' && strcmp(of[i] + 1, rel) == 0) {
            return false;
        }
    }
    return str_ends(str_of(rel), ".conf");
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The saved files that postgresql.conf included, in the order of their names. */
static bool included(const struct restore_run *r, const char *root, const char ***list,
                     size_t *n, struct err *err)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    size_t cap = 0;
    bool ok;

    *n = 0;
    if (file_kind(root, NULL) != FILE_DIR) {
        return true;
    }
    ok = tree_open(&tree, root, err);
    while (ok && (ok = tree_next(&tree, &e, err)) && e.kind != TREE_END) {
        if (e.kind == TREE_FILE && is_conf(r, e.rel)) {
            const char **grown =
                *n < cap ? *list : kept_grown(r->a, *list, *n, &cap, sizeof *grown);
            if (!grown) {
                ok = arena_err(r->a, err);
                break;
            }
            grown[*n] = arena_strdup(r->a, tree.path);
            ok = grown[(*n)++] || arena_err(r->a, err);
            *list = grown;
        }
    }
    tree_close(&tree);
    if (*n) {
        qsort(*list, *n, sizeof **list, by_bytes);
    }
    return ok;
}

/* Puts a saved file in the place of the one that PGDATA does not have. What it included is put
 * behind it, since its include lines point to where it came from. */
static bool install(struct restore_run *r, const char *rel, const char *original,
                    const char *saved, struct err *err)
{
    const char **list = NULL;
    char dir[PATH_CAP], root[PATH_CAP];
    struct str text, part;
    size_t n = 0;

    if (!file_read(r->a, saved, CONF_FILE_MAX, &text, err)) {
        return false;
    }
    if (strcmp(rel, "postgresql.conf") == 0) {
        if (!repo_backup_dir(&r->repo, r->backup->id, dir, err) ||
            !path_join(root, dir, SAVED_CONF_DIR, err) || !included(r, root, &list, &n, err) ||
            !conf_mangle(r->a, rel, CONF_SAVED, text, &r->report, &text, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        char *both;

        if (!file_read(r->a, list[i], CONF_FILE_MAX, &part, err) ||
            !conf_mangle(r->a, path_base(list[i]), CONF_SAVED, part, &r->report, &part, err)) {
            return false;
        }
        both =
            arena_fmt(r->a, "%s\n# included: %s\n%s", text.p, list[i] + strlen(root), part.p);
        if (!both) {
            return arena_err(r->a, err);
        }
        text = str_of(both);
    }
    task_say(r->task, SAY_OUT, "Configuration file %s is the copy of %s saved with the backup",
             rel, original);
    return restore_put(r, rel, text, r->file_mode, err);
}

/* *conf_is_saved: postgresql.conf is such a copy, and has been mangled as one. */
static bool fill_gaps(struct restore_run *r, bool *conf_is_saved, struct err *err)
{
    const struct {
        const char *rel, *original;
    } file[] = {
        {"postgresql.conf", r->backup->config_file},
        {AUTO_CONF, NULL},
        {"pg_hba.conf", r->backup->hba_file},
        {"pg_ident.conf", r->backup->ident_file},
    };
    char saved[PATH_CAP];
    mode_t mode;

    *conf_is_saved = false;
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        if (has(r, file[i].rel, &mode)) {
            continue;
        }
        if (saved_path(r, file[i].original, saved)) {
            if (!install(r, file[i].rel, file[i].original, saved, err)) {
                return false;
            }
            *conf_is_saved = *conf_is_saved || i == 0;
        } else {
            r->missing[r->missing_n++] = file[i].rel;
        }
    }
    return true;
}

/* The original stays beside as <file>.origin. tail: what is appended. */
static bool mangle(struct restore_run *r, const char *rel, struct str tail, struct err *err)
{
    char path[PATH_CAP], origin[PATH_CAP];
    struct str text = STR_LIT(""), changed;
    mode_t mode = r->file_mode;
    bool is_there = has(r, rel, &mode);
    const char *whole;

    if (is_there) {
        if (!path_join(path, r->dest, rel, err) ||
            !file_read(r->a, path, CONF_FILE_MAX, &text, err) ||
            !(str_fmt(origin, sizeof origin, "%s.origin", rel) ||
              err_set(err, ERR_FORMAT, "Use a shorter name.", rel, "name is too long")) ||
            !restore_put(r, origin, text, mode, err)) {
            return false;
        }
    }
    if (!conf_mangle(r->a, rel, CONF_OF_PGDATA, text, &r->report, &changed, err) ||
        (strcmp(rel, AUTO_CONF) == 0 &&
         !conf_overrule(r->a, rel, changed, &r->report, &changed, err))) {
        return false;
    }
    if (!is_there && changed.n + tail.n == 0) {
        return true;
    }
    whole = arena_fmt(r->a, "%.*s%.*s", (int)changed.n, changed.p, (int)tail.n, tail.p);
    return whole ? restore_put(r, rel, str_of(whole), mode, err) : arena_err(r->a, err);
}

static bool recovery_text(struct restore_run *r, struct str *out, struct err *err)
{
    struct conf_recovery recovery = {
        .target = &r->target,
        .mode = r->mode,
        .line = r->line,
        .standby_mode = r->req->standby_mode,
        .program = r->req->program,
        .config_path = r->req->config_path,
        .server = r->req->server->name,
        .user = r->req->config->barman_user,
        .staging = r->wal_dest,
    };

    *out = STR_LIT("");
    return r->mode == WAL_MODE_INTO_PGDATA || conf_recovery_text(r->a, &recovery, out, err);
}

/* What pg_hba.conf and pg_ident.conf included from elsewhere is the host's: it is not put there,
 * but told of where it is not. */
static bool say_auth(const struct restore_run *r, struct err *err)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    char dir[PATH_CAP], root[PATH_CAP];
    bool ok;

    if (!repo_backup_dir(&r->repo, r->backup->id, dir, err) ||
        !path_join(root, dir, SAVED_AUTH_DIR, err)) {
        return false;
    }
    if (file_kind(root, NULL) != FILE_DIR) {
        return true;
    }
    ok = tree_open(&tree, root, err);
    while (ok && (ok = tree_next(&tree, &e, err)) && e.kind != TREE_END) {
        if (e.kind == TREE_FILE && file_kind(tree.path + strlen(root), NULL) == FILE_NONE) {
            task_say(r->task, SAY_WARN,
                     "pg_hba.conf or pg_ident.conf includes '%s', which is not here. Its copy "
                     "saved with the backup is '%s'",
                     tree.path + strlen(root), tree.path);
        }
    }
    tree_close(&tree);
    return ok;
}

bool restore_write_settings(struct restore_run *r, struct err *err)
{
    static const char *const own[] = {"postgresql.conf", AUTO_CONF};
    const char *rel =
        r->req->recovery_conf_filename ? r->req->recovery_conf_filename : AUTO_CONF;
    struct str tail, none = STR_LIT("");
    bool is_saved, is_own = false;

    if (!recovery_text(r, &tail, err) || !fill_gaps(r, &is_saved, err) || !say_auth(r, err)) {
        return false;
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        bool here = strcmp(rel, own[i]) == 0;

        is_own = is_own || here;
        if ((i > 0 || !is_saved || here) && !mangle(r, own[i], here ? tail : none, err)) {
            return false;
        }
    }
    return is_own || mangle(r, rel, tail, err);
}
