/* SPDX-License-Identifier: PostgreSQL */
/* restore_place.c - where a restore goes: is it free, whose is it, is there room? */
#include "engine/path_set.h"
#include "engine/restore_run.h"

#include "base/sys.h"
#include "cfg/server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MARKER_MAX ((size_t)256 * 1024)

static bool bad_path(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Name a directory.", path, "%s", why);
}

/* The last component of head goes in front of tail; false: it is "..". */
static bool move_last(char head[PATH_CAP], char tail[PATH_CAP])
{
    char *slash = strrchr(head, '/');
    char kept[PATH_CAP];

    if (strcmp(slash, "/..") == 0) {
        return false;
    }
    if (slash[1] && strcmp(slash, "/.") != 0) {
        str_copy(kept, sizeof kept, tail);
        /* Both together are never longer than the path they came from. */
        str_fmt(tail, PATH_CAP, "%s%s", slash, kept);
    }
    *slash = '\0';
    if (slash == head) {
        str_copy(head, PATH_CAP, "/");
    }
    return true;
}

/* The path with links resolved as far as it exists; nothing below a missing part can be one. */
bool restore_resolve(struct arena *a, const char *path, const char **out, struct err *err)
{
    char head[PATH_CAP], tail[PATH_CAP] = "", there[PATH_CAP];

    if (path[0] == '\0' || strpbrk(path, "\n\r")) {
        return bad_path(path, "not a usable directory name", err);
    }
    if (path[0] == '/') {
        if (!str_copy(head, sizeof head, path)) {
            return bad_path(path, "too long", err);
        }
    } else if (!getcwd(there, sizeof there) || !path_join(head, there, path, err)) {
        return bad_path(path, "the current directory is not to be had", err);
    }
    while (sys_real_path(head, there) != 0) {
        if (errno != ENOENT) {
            return err_os(err, errno, "resolve", path);
        }
        if (file_kind(head, NULL) == FILE_LINK) {
            return err_set(err, ERR_FORMAT, "Make what it leads to, or name a directory.", head,
                           "a link that leads nowhere");
        }
        if (!move_last(head, tail)) {
            return bad_path(path, "part of it does not exist, and '..' follows", err);
        }
    }
    *out = arena_fmt(a, "%s%s", strcmp(there, "/") == 0 && tail[0] ? "" : there, tail);
    return *out || arena_err(a, err);
}

/* The nearest directory that exists. */
static void nearest(const char *path, char out[PATH_CAP])
{
    struct stat st;

    str_copy(out, PATH_CAP, path);
    while (stat(out, &st) != 0 && strcmp(out, "/") != 0) {
        char *slash = strrchr(out, '/');
        slash[slash == out ? 1 : 0] = '\0';
    }
}

static bool is_within(const char *in, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(in, dir, n) == 0 && (in[n] == '\0' || in[n] == '/');
}

static enum place_state unusable(struct restore_run *r, struct restore_place *p, int os)
{
    p->found = arena_strdup(r->a, strerror(os));
    return PLACE_UNUSABLE;
}

/* A live process in postmaster.pid. A pid that was taken by another program since is taken for
 * a server: better refused once too often. */
bool restore_place_runs(struct restore_run *r, struct restore_place *p)
{
    char path[PATH_CAP];
    struct str text, line;
    struct err err = {0};
    uint64_t pid;

    if (!path_join(path, p->path, "postmaster.pid", &err) ||
        !file_read(r->a, path, 4096, &text, &err) || !str_line(&text, &line) ||
        !str_u64(str_trim(line), INT32_MAX, &pid) || pid == 0) {
        return false;
    }
    if (kill((pid_t)pid, 0) != 0 && errno != EPERM) {
        return false;
    }
    p->found = arena_fmt(r->a, "process %" PRIu64, pid);
    return true;
}

/* The same for a backup stored as archives, whose manifest tells what it was. */
static bool is_listed_control(const struct restore_run *r, struct str here)
{
    const struct kept_listed *control = &r->tree.control;
    uint8_t sum[DIGEST_MAX];
    struct err ignored; /* the manifest was summed before */
    struct digest d;

    if (!digest_init(&d, r->tree.checksums, &ignored)) {
        return false;
    }
    digest_feed(&d, here.p, here.n);
    digest_end(&d, sum);
    return control->is_there && here.n == control->size &&
           memcmp(sum, control->sum, digest_size(r->tree.checksums)) == 0;
}

/* Was it finished and used? Then its control file is no longer the backup's. */
static bool was_started(struct restore_run *r, const struct restore_place *p)
{
    char path[PATH_CAP];
    struct str here, kept;
    struct err err = {0};

    if (!path_join(path, p->path, "global/pg_control", &err) ||
        !file_read(r->a, path, 65536, &here, &err)) {
        return false;
    }
    if (r->tree.archives) {
        return !is_listed_control(r, here);
    }
    if (!path_join(path, r->tree.space[0].from, "global/pg_control", &err) ||
        !file_read(r->a, path, 65536, &kept, &err)) {
        return true;
    }
    return here.n != kept.n || memcmp(here.p, kept.p, kept.n) != 0;
}

/* The first line in which two plans differ. */
static const char *difference(struct arena *a, struct str there, struct str here)
{
    struct str x, y;

    while (str_line(&there, &x) && str_line(&here, &y)) {
        if (x.n != y.n || memcmp(x.p, y.p, x.n) != 0) {
            return arena_strndup(a, x.p, x.n < 200 ? x.n : 200);
        }
    }
    return "its plan";
}

static enum place_state full_state(struct restore_run *r, struct restore_place *p,
                                   const char *first, bool is_pgdata)
{
    char path[PATH_CAP];
    struct str text;
    struct err err = {0};

    p->found = first;
    if (is_pgdata && restore_place_runs(r, p)) {
        return PLACE_RUNNING;
    }
    if (!path_join(path, p->path, RESTORE_MARKER, &err) ||
        !file_read(r->a, path, MARKER_MAX, &text, &err)) {
        return PLACE_FULL;
    }
    if (!str_eq(text, r->marker)) {
        p->found = difference(r->a, text, str_of(r->marker));
        return PLACE_OTHER_PLAN;
    }
    if (is_pgdata && was_started(r, p)) {
        return PLACE_STARTED;
    }
    r->resume = true;
    return PLACE_RESUME;
}

/* The data directory of a server that this lies in, NULL: in none. What this restore itself
 * makes, or made before it was interrupted, is not meant. */
static const char *cluster_above(struct restore_run *r, const char *path)
{
    char up[PATH_CAP], version[PATH_CAP];
    struct err err = {0};
    char *slash;

    str_copy(up, sizeof up, path);
    while ((slash = strrchr(up, '/')) != NULL && slash != up) {
        *slash = '\0';
        if (strcmp(up, r->dest) == 0) {
            return NULL;
        }
        if (path_join(version, up, "PG_VERSION", &err) &&
            file_kind(version, NULL) == FILE_REGULAR) {
            return arena_strdup(r->a, up);
        }
    }
    return NULL;
}

/* A kill may have come between the first write and the name of the marker. */
static bool is_free(const struct names *n)
{
    return n->n == 0 || (n->n == 1 && strcmp(n->name[0], RESTORE_MARKER ".tmp") == 0);
}

static enum place_state state_of(struct restore_run *r, struct restore_place *p, bool is_pgdata)
{
    const char *own[] = {r->repo.backup_dir, r->repo.base_dir, r->repo.wals_dir,
                         r->repo.streaming_dir, r->repo.incoming_dir};
    char near[PATH_CAP];
    struct err err = {0};
    struct names names;
    struct stat st;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const char *real;
        if (restore_resolve(r->a, own[i], &real, &err) && is_within(p->path, real)) {
            p->found = real;
            return PLACE_SOURCE;
        }
    }
    p->found = cluster_above(r, p->path);
    if (p->found) {
        return PLACE_CLUSTER;
    }
    p->found = "";
    if (stat(p->path, &st) != 0) {
        nearest(p->path, near);
        if (stat(near, &st) != 0 || !S_ISDIR(st.st_mode)) {
            return unusable(r, p, ENOTDIR);
        }
        return access(near, W_OK | X_OK) == 0 ? PLACE_FREE : unusable(r, p, errno);
    }
    if (!S_ISDIR(st.st_mode)) {
        return unusable(r, p, ENOTDIR);
    }
    if (!dir_names(r->a, p->path, DIR_MUST_EXIST, &names, &err)) {
        return unusable(r, p, err.os ? err.os : EIO);
    }
    if (access(p->path, W_OK | X_OK) != 0) {
        return unusable(r, p, errno);
    }
    return is_free(&names) ? PLACE_FREE : full_state(r, p, names.name[0], is_pgdata);
}

/* --- which places --- */

static bool relocate(struct restore_run *r, struct err *err)
{
    for (size_t i = 0; i < r->req->relocations; i++) {
        const struct relocation *move = &r->req->relocation[i];
        struct tree_space *space = NULL;
        char list[400];
        struct sbuf b;

        sbuf_init(&b, list, sizeof list);
        for (size_t k = 1; k < r->tree.spaces; k++) {
            sbuf_fmt(&b, "%s%s", k > 1 ? ", " : "", r->tree.space[k].name);
            if (strcmp(r->tree.space[k].name, move->name) == 0) {
                space = &r->tree.space[k];
            }
        }
        if (!space) {
            return err_set(err, ERR_FORMAT, "Use a tablespace that the backup has.", move->name,
                           "not a tablespace of this backup, which has: %s",
                           b.len ? list : "none");
        }
        if (space->in_place) {
            return err_set(err, ERR_FORMAT, "Leave it out of --tablespace.", move->name,
                           "this tablespace lies inside PGDATA");
        }
        if (move->location[0] != '/') {
            return err_set(err, ERR_FORMAT, "Write it from the root on.", move->location,
                           "the location of a tablespace is an absolute path");
        }
        space->to = move->location;
    }
    return true;
}

/* May it lie inside PGDATA? Only where the backup has nothing of that name. */
static bool may_nest(const struct restore_run *r, const char *path)
{
    char inside[PATH_CAP], top[PATH_CAP];
    size_t n = strlen(r->dest);

    if (!is_within(path, r->dest) || path[n] == '\0') {
        return false;
    }
    str_copy(top, sizeof top, path + n + 1);
    top[strcspn(top, "/")] = '\0';
    if (r->tree.archives) { /* directories that are empty are not in its manifest */
        return r->tree.manifest && !path_set_has(r->tree.tops, top) &&
               !str_starts(str_of(top), "pg_");
    }
    return str_fmt(inside, sizeof inside, "%s/%s", r->tree.space[0].from, top) &&
           file_kind(inside, NULL) == FILE_NONE;
}

static bool add_place(struct restore_run *r, const char *role, const char *path,
                      struct err *err)
{
    struct restore_place *p = &r->place[r->places];

    *p = (struct restore_place){.role = role, .found = ""};
    if (!role || !restore_resolve(r->a, path, &p->path, err)) {
        return role ? false : arena_err(r->a, err);
    }
    r->places++;
    return true;
}

static bool list_places(struct restore_run *r, struct err *err)
{
    r->place = ARENA_ARRAY(r->a, r->tree.spaces + 1, struct restore_place);
    if (!r->place) {
        return arena_err(r->a, err);
    }
    if (!add_place(r, "PGDATA", r->req->destination, err) || !relocate(r, err)) {
        return false;
    }
    r->dest = r->place[0].path;
    r->tree.space[0].to = r->dest;
    for (size_t i = 1; i < r->tree.spaces; i++) {
        struct tree_space *space = &r->tree.space[i];

        if (space->in_place) {
            space->to = arena_fmt(r->a, "%s/pg_tblspc/%" PRIu32, r->dest, space->oid);
            continue;
        }
        if (!add_place(r, arena_fmt(r->a, "tablespace %s", space->name),
                       space->to ? space->to : space->original, err)) {
            return false;
        }
        space->to = r->place[r->places - 1].path;
        r->place[r->places - 1].may_nest = may_nest(r, space->to);
    }
    if (r->mode == WAL_MODE_INTO_PGDATA) {
        r->wal_dest = arena_fmt(r->a, "%s/pg_wal", r->dest);
    } else if (r->mode == WAL_MODE_STAGED && !r->req->staging_wal_directory) {
        r->wal_dest = arena_fmt(r->a, "%s/barman_wal", r->dest);
    } else if (r->mode == WAL_MODE_STAGED) {
        if (!add_place(r, "staging directory", r->req->staging_wal_directory, err)) {
            return false;
        }
        r->wal_dest = r->place[r->places - 1].path;
        r->place[r->places - 1].may_nest = may_nest(r, r->wal_dest);
    }
    return true;
}

/* --- what the WAL makes --- */

static bool is_placed_there(const struct restore_run *r, const struct restore_made *m)
{
    const char *real;
    struct err ignored;

    if (!restore_resolve(r->a, m->location, &real, &ignored)) {
        return false;
    }
    for (size_t i = 1; i < r->tree.spaces; i++) {
        if (r->tree.space[i].oid == m->oid && strcmp(r->tree.space[i].to, real) == 0) {
            return true;
        }
    }
    return false;
}

/* A tablespace is a folder PG_<major>_<catalogue> in its directory. */
static enum made_state made_state(struct restore_run *r, struct restore_made *m)
{
    struct names names;
    struct err err = {0};
    char begin[32];

    if (m->location[0] != '/' || is_placed_there(r, m)) {
        return MADE_PLACED;
    }
    if (!dir_names(r->a, m->location, DIR_MUST_EXIST, &names, &err)) {
        m->found = arena_strdup(r->a, strerror(err.os));
        return err.os == ENOENT ? MADE_ABSENT : MADE_TAKEN;
    }
    str_fmt(begin, sizeof begin, "PG_%d_", r->backup->version / 10000);
    for (size_t i = 0; i < names.n; i++) {
        if (str_starts(str_of(names.name[i]), begin)) {
            m->found = names.name[i];
            return MADE_TAKEN;
        }
    }
    return MADE_FREE;
}

/* --- room --- */

static bool add_need(struct restore_run *r, const char *path, uint64_t need, struct err *err)
{
    char near[PATH_CAP], other[PATH_CAP];
    struct statvfs vfs;
    struct stat st, at;

    nearest(path, near);
    if (stat(near, &st) != 0 || statvfs(near, &vfs) != 0) {
        return err_os(err, errno, "look at the file system of", near);
    }
    for (size_t i = 0; i < r->volumes; i++) {
        nearest(r->volume[i].path, other);
        if (stat(other, &at) == 0 && at.st_dev == st.st_dev) {
            r->volume[i].need += need;
            return true;
        }
    }
    if (r->volumes == RESTORE_VOLUMES_MAX) {
        return err_set(err, ERR_FORMAT, "", path, "more than %d file systems",
                       RESTORE_VOLUMES_MAX);
    }
    r->volume[r->volumes++] =
        (struct restore_volume){path, need, (uint64_t)vfs.f_bavail * vfs.f_frsize, 0};
    return true;
}

/* What an interrupted run left counts as room: it stays or is written over. */
static uint64_t already(const char *path)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    struct err err = {0};
    uint64_t bytes = 0;

    if (tree_open(&tree, path, &err)) {
        while (tree_next(&tree, &e, &err) && e.kind != TREE_END) {
            bytes += e.kind == TREE_FILE ? (uint64_t)e.st.st_blocks * 512 : 0;
        }
    }
    tree_close(&tree);
    return bytes;
}

static bool count_room(struct restore_run *r, struct err *err)
{
    for (size_t i = 0; i < r->tree.spaces; i++) {
        if (!add_need(r, r->tree.space[i].to, r->tree.space[i].bytes, err)) {
            return false;
        }
    }
    if (r->wal_dest && !add_need(r, r->wal_dest, (uint64_t)r->copies * r->seg_size, err)) {
        return false;
    }
    for (size_t i = 0; r->resume && i < r->places; i++) {
        uint64_t have = already(r->place[i].path);

        for (size_t k = 0; k < r->volumes; k++) {
            if (strcmp(r->volume[k].path, r->place[i].path) == 0) {
                r->volume[k].have += have;
                r->volume[k].left += have;
            }
        }
    }
    return true;
}

/* --- whose it will be --- */

static void choose_owner(struct restore_run *r)
{
    char near[PATH_CAP];
    struct stat st;

    r->dir_mode = r->tree.group_access ? 0750 : 0700;
    r->file_mode = r->tree.group_access ? 0640 : 0600;
    if (geteuid() != 0) {
        return;
    }
    nearest(r->dest, near);
    if (stat(near, &st) != 0 || st.st_uid == 0) {
        r->root_without_owner = true;
        return;
    }
    r->rules.owner = (struct copy_owner){true, st.st_uid, st.st_gid};
}

/* --- the marker --- */

static bool make_marker(struct restore_run *r, struct err *err)
{
    char target[TARGET_TEXT_CAP];
    size_t cap = 16384 + (r->tree.spaces + 4) * (PATH_CAP + 64);
    char *text = arena_alloc(r->a, cap);
    struct sbuf b;

    if (!text) {
        return arena_err(r->a, err);
    }
    sbuf_init(&b, text, cap);
    sbuf_fmt(&b, "barkeep restore, unfinished\nserver %s\nbackup %s\nsystem %s\n",
             r->req->server->name, r->backup->id,
             r->backup->systemid ? r->backup->systemid : "");
    sbuf_fmt(&b, "target %s\ntimeline %s\naction %s\n", target_text(&r->target, target),
             r->target.line_word ? r->target.line_word : "",
             r->target.action ? r->target.action : "");
    sbuf_fmt(&b, "wal %d %s\nstandby %d\nconf %s\n", (int)r->mode,
             r->wal_dest ? r->wal_dest : "", (int)r->req->standby_mode,
             r->req->recovery_conf_filename ? r->req->recovery_conf_filename : "");
    for (size_t i = 0; i < r->tree.spaces; i++) {
        sbuf_fmt(&b, "space %" PRIu32 " %s\n", r->tree.space[i].oid, r->tree.space[i].to);
    }
    r->marker = text;
    return sbuf_ok(&b) || err_set(err, ERR_FORMAT, "", r->dest, "a path is too long");
}

bool restore_look_at_places(struct restore_run *r, struct err *err)
{
    if (!list_places(r, err) || !make_marker(r, err)) {
        return false;
    }
    for (size_t i = 0; i < r->places; i++) {
        r->place[i].state = state_of(r, &r->place[i], i == 0);
    }
    for (size_t i = 0; i < r->mades; i++) {
        r->made[i].state = made_state(r, &r->made[i]);
    }
    choose_owner(r);
    return count_room(r, err) && restore_in_place_look(r, err);
}
