/* SPDX-License-Identifier: PostgreSQL */
/* copy_home.c - the directory of a started copy: what is in it, what we noted, who runs there. */
#include "engine/copy_in.h"

#include "base/clock.h"
#include "base/sys.h"
#include "cfg/server.h"
#include "engine/repo_of.h"
#include "repo/backup_info.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL_MAX   ((size_t)64 * 1024)
#define FACTS_MAX   ((size_t)8 * 1024 * 1024)
#define FACTS_FIRST "barkeep copy 1"
#define FAST_MS     60000 /* a fast shutdown may write a checkpoint */
#define LOOK_MS     100

/* ---- facts -------------------------------------------------------------------------------- */

const char *copy_facts_text(struct arena *a, const struct copy_facts *f)
{
    size_t cap = 8192 + (f->spaces + 2) * (PATH_CAP + 32);
    char *mem = arena_alloc(a, cap);
    struct sbuf b;

    if (!mem) {
        return NULL;
    }
    sbuf_init(&b, mem, cap);
    sbuf_fmt(&b, FACTS_FIRST "\nserver %s\nbackup %s\nsystem %" PRIu64 "\nmajor %d\n",
             f->server, f->backup, f->sysid, f->major);
    sbuf_fmt(&b, "socket %s\nport %u\ntcp %d\nwhen %s\ndatabase %s\n", f->socket_dir, f->port,
             (int)f->is_tcp, f->when, f->database);
    for (size_t i = 0; i < f->users; i++) {
        sbuf_fmt(&b, "user %s\n", f->user[i]);
    }
    for (size_t i = 0; i < f->spaces; i++) {
        sbuf_fmt(&b, "space %" PRIu32 " %s\n", f->space[i].oid, f->space[i].path);
    }
    if (f->is_dropping) {
        sbuf_add(&b, "dropping\n");
    }
    return sbuf_ok(&b) ? mem : NULL;
}

struct reading {
    struct arena *a;
    struct copy_facts *out;
    struct copy_space *space;
    size_t cap;
};

static bool keep_text(struct reading *r, struct str value, const char **out)
{
    *out = arena_strndup(r->a, value.p, value.n);
    return *out != NULL && !memchr(value.p, '\0', value.n);
}

static bool read_space(struct reading *r, struct str value)
{
    uint64_t oid;

    if (r->out->spaces == r->cap || !str_take_u64(&value, UINT32_MAX, &oid) ||
        !str_take_char(&value, ' ') || !str_starts(value, "/")) {
        return false;
    }
    r->space[r->out->spaces].oid = (uint32_t)oid;
    return keep_text(r, value, &r->space[r->out->spaces++].path);
}

static bool read_number(struct str value, uint64_t max, uint64_t *out)
{
    return str_u64(value, max, out);
}

static bool read_fact(struct reading *r, struct str key, struct str value)
{
    struct copy_facts *f = r->out;
    uint64_t number;
    const struct {
        const char *key;
        const char **text;
    } texts[] = {{"server", &f->server},
                 {"backup", &f->backup},
                 {"socket", &f->socket_dir},
                 {"database", &f->database},
                 {"when", &f->when}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (str_eq(key, texts[i].key)) {
            return keep_text(r, value, texts[i].text);
        }
    }
    if (str_eq(key, "system")) {
        return read_number(value, UINT64_MAX, &f->sysid);
    }
    if (str_eq(key, "space")) {
        return read_space(r, value);
    }
    if (str_eq(key, "user")) {
        return f->users < COPY_USERS_MAX && keep_text(r, value, &f->user[f->users++]);
    }
    if (str_eq(key, "dropping")) {
        f->is_dropping = true;
        return value.n == 0;
    }
    if (!str_u64(value, 65535, &number)) {
        return false;
    }
    if (str_eq(key, "major")) {
        f->major = (int)number;
    } else if (str_eq(key, "port")) {
        f->port = (unsigned)number;
    } else if (str_eq(key, "tcp")) {
        f->is_tcp = number != 0;
    }
    return true;
}

/* Whoever made the file up gets no path of another kind into our hands. */
static bool sound(const struct copy_facts *f)
{
    return f->server && f->server[0] && f->backup && f->sysid && f->major && f->port &&
           f->when && f->database && f->socket_dir &&
           str_starts(str_of(f->socket_dir), "/tmp/barkeep-") &&
           !strchr(f->socket_dir + strlen("/tmp/"), '/');
}

bool copy_facts_parse(struct arena *a, struct str text, const char *path,
                      struct copy_facts *out, struct err *err)
{
    struct reading r = {.a = a, .out = out, .cap = COPY_SPACES_MAX};
    struct str line, key;

    *out = (struct copy_facts){0};
    r.space = ARENA_ARRAY(a, COPY_SPACES_MAX, struct copy_space);
    if (!r.space) {
        return arena_err(a, err);
    }
    out->space = r.space;
    if (!str_line(&text, &line) || !str_eq(line, FACTS_FIRST)) {
        return err_set(err, ERR_FORMAT, "Leave it alone: start-copy did not make it.", path,
                       "not the facts of a started copy");
    }
    while (str_line(&text, &line)) {
        struct str rest = line;

        if (!str_split(&rest, ' ', &key) || !read_fact(&r, key, rest)) {
            return err_set(err, ERR_FORMAT, "", path, "a line cannot be read: %.*s",
                           line.n < 80 ? (int)line.n : 80, line.p);
        }
    }
    if (!sound(out)) {
        return err_set(err, ERR_FORMAT, "", path, "something is missing in it");
    }
    return true;
}

bool copy_facts_save(struct arena *a, const struct copy_home *h, struct err *err)
{
    const char *text = copy_facts_text(a, &h->facts);

    return text ? file_replace(h->facts_path, str_of(text), err) : arena_err(a, err);
}

/* ---- the directory ------------------------------------------------------------------------ */

static bool is_own_dir(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static bool is_regular(const char *dir, const char *name)
{
    char path[PATH_CAP];
    struct err err;

    return path_join(path, dir, name, &err) && file_kind(path, NULL) == FILE_REGULAR;
}

static bool read_facts(struct arena *a, struct copy_home *h, struct err *err)
{
    struct str text;

    if (!is_own_dir(h->dir) || !is_regular(h->dir, "facts")) {
        return true;
    }
    h->has_facts = file_read(a, h->facts_path, FACTS_MAX, &text, err) &&
                   copy_facts_parse(a, text, h->facts_path, &h->facts, err);
    return h->has_facts;
}

static bool read_cluster(struct arena *a, struct copy_home *h, struct err *err)
{
    char path[PATH_CAP];
    struct str text;
    uint64_t major;

    if (!path_join(path, h->dest, "PG_VERSION", err) ||
        !file_read(a, path, SMALL_MAX, &text, err)) {
        return false;
    }
    if (!str_u64(str_trim(text), 99, &major)) {
        return err_set(err, ERR_FORMAT, "", path, "not the version of a data directory");
    }
    h->major = (int)major;
    return path_join(path, h->dest, "global/pg_control", err) &&
           file_read(a, path, SMALL_MAX, &text, err) &&
           control_parse(text.p, text.n, path, &h->control, err);
}

bool copy_home_open(struct arena *a, const char *destination, struct copy_home *out,
                    struct err *err)
{
    char real[PATH_CAP];

    *out = (struct copy_home){.dest = destination};
    if (sys_real_path(destination, real) != 0) {
        return errno == ENOENT || err_os(err, errno, "resolve", destination);
    }
    out->dest = arena_strdup(a, real);
    out->dir = arena_fmt(a, "%s/" COPY_DIR, real);
    out->log = arena_fmt(a, "%s/" COPY_DIR "/log", real);
    out->conf = arena_fmt(a, "%s/" COPY_DIR "/postgresql.conf", real);
    out->facts_path = arena_fmt(a, "%s/" COPY_DIR "/facts", real);
    if (!out->dest || !out->dir || !out->log || !out->conf || !out->facts_path) {
        return arena_err(a, err);
    }
    if (!read_facts(a, out, err)) {
        return false;
    }
    out->is_unfinished = is_regular(real, ".barkeep-restore");
    out->is_there = is_regular(real, "PG_VERSION") && is_regular(real, "global/pg_control");
    return !out->is_there || read_cluster(a, out, err);
}

bool copy_home_ours(struct arena *a, const char *destination, struct copy_home *out,
                    struct err *err)
{
    if (!copy_home_open(a, destination, out, err)) {
        return false;
    }
    if (!out->has_facts) {
        return err_set(err, ERR_UNSAFE, "Name the directory of a copy that start-copy started.",
                       destination, "no copy of ours: it has no " COPY_DIR "/facts");
    }
    if (out->is_there ? out->control.sysid != out->facts.sysid : !out->facts.is_dropping) {
        return err_set(err, ERR_UNSAFE, "Look what has taken the copy's place.", destination,
                       "not the cluster that start-copy started: its system id is another");
    }
    return true;
}

/* ---- who runs there ----------------------------------------------------------------------- */

/* A process that nobody has waited for yet is dead all the same. */
bool copy_pid_lives(int64_t pid)
{
    char path[64], text[512];
    const char *end;
    ssize_t n;
    int fd;

    if (kill((pid_t)pid, 0) != 0 && errno != EPERM) {
        return false;
    }
    str_fmt(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno != ENOENT;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    end = strrchr(text, ')'); /* "pid (name) state ..." */
    return !end || !(end[1] == ' ' && (end[2] == 'Z' || end[2] == 'X'));
}

/* Does one of the words of its command line say so? */
static bool was_told(struct arena *a, int64_t pid, const char *word)
{
    char path[64];
    char *mem = arena_alloc(a, SMALL_MAX);
    struct str rest, arg;
    ssize_t n;
    int fd;

    str_fmt(path, sizeof path, "/proc/%" PRId64 "/cmdline", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !mem) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    n = read(fd, mem, SMALL_MAX);
    close(fd);
    rest = str_n(mem, n > 0 ? (size_t)n : 0);
    while (str_split(&rest, '\0', &arg)) {
        if (str_eq(arg, word)) {
            return true;
        }
    }
    return false;
}

static bool works_in(int64_t pid, const char *dest, bool *known)
{
    char path[64], cwd[PATH_CAP];
    ssize_t n;

    str_fmt(path, sizeof path, "/proc/%" PRId64 "/cwd", pid);
    n = readlink(path, cwd, sizeof cwd - 1);
    *known = n >= 0;
    cwd[n > 0 ? n : 0] = '\0';
    return *known && strcmp(cwd, dest) == 0;
}

enum copy_runs copy_runs(struct arena *a, const struct copy_home *h, struct copy_pid_file *out)
{
    char path[PATH_CAP], word[PATH_CAP + 32];
    struct str text;
    struct err err;
    bool known;

    *out = (struct copy_pid_file){0};
    if (!path_join(path, h->dest, "postmaster.pid", &err) ||
        !file_read(a, path, SMALL_MAX, &text, &err)) {
        return err.code == ERR_MISSING ? COPY_RUNS_NOT : COPY_RUNS_UNKNOWN;
    }
    if (!copy_pid_file_parse(text, out) || !copy_pid_lives(out->pid)) {
        return COPY_RUNS_NOT;
    }
    if (!works_in(out->pid, h->dest, &known)) {
        /* The pid was given to another program since; what cannot be seen may be a server. */
        return known ? COPY_RUNS_NOT : COPY_RUNS_OTHER;
    }
    str_fmt(word, sizeof word, "config_file=%s", h->conf);
    return h->has_facts && was_told(a, out->pid, word) ? COPY_RUNS_OURS : COPY_RUNS_OTHER;
}

struct str copy_log_tail(struct arena *a, const struct copy_home *h)
{
    char *mem = arena_alloc(a, COPY_LOG_TAIL);
    struct str text = {0};
    struct err err;
    struct stat st;
    size_t got = 0;
    int fd = open(h->log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && mem && fstat(fd, &st) == 0) {
        off_t from = st.st_size > (off_t)COPY_LOG_TAIL ? st.st_size - (off_t)COPY_LOG_TAIL : 0;

        if (lseek(fd, from, SEEK_SET) == from &&
            fd_read_full(fd, mem, COPY_LOG_TAIL, &got, h->log, &err)) {
            text = str_n(mem, got);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return text;
}

/* ---- stopping ----------------------------------------------------------------------------- */

/* It may be our child; then it is to be waited for. */
static bool is_gone(int64_t pid)
{
    while (waitpid((pid_t)pid, NULL, WNOHANG) < 0 && errno == EINTR) {
    }
    return !copy_pid_lives(pid);
}

static bool gone_within(int64_t pid, int ms)
{
    for (; ms > 0; ms -= LOOK_MS) {
        if (is_gone(pid)) {
            return true;
        }
        poll(NULL, 0, LOOK_MS);
    }
    return is_gone(pid);
}

bool copy_halt(struct arena *a, const struct copy_home *h, struct err *err)
{
    static const int signals[] = {SIGINT, SIGQUIT};

    for (size_t i = 0; i < 2; i++) {
        struct copy_pid_file pid;
        enum copy_runs runs = copy_runs(a, h, &pid);

        if (runs == COPY_RUNS_NOT) {
            return true;
        }
        if (runs == COPY_RUNS_UNKNOWN) {
            return err_set(err, ERR_UNSAFE, "See why its postmaster.pid cannot be read.",
                           h->dest, "it cannot be told whether a server runs there");
        }
        if (runs == COPY_RUNS_OTHER) {
            return err_set(
                err, ERR_UNSAFE, "Stop it by the means it was started with.", h->dest,
                "process %" PRId64 " runs there, which start-copy did not start", pid.pid);
        }
        if (kill((pid_t)pid.pid, signals[i]) != 0 && errno != ESRCH) {
            return err_os(err, errno, "stop the server of", h->dest);
        }
        if (gone_within(pid.pid, FAST_MS)) {
            return true;
        }
    }
    return err_set(err, ERR_TIMEOUT, "Look at its processes; it may be waiting for the disk.",
                   h->dest, "the server does not stop");
}

/* ---- tablespaces -------------------------------------------------------------------------- */

bool copy_spaces(struct arena *a, const char *dest, const struct copy_space **out, size_t *n,
                 struct err *err)
{
    char dir[PATH_CAP], link[PATH_CAP], real[PATH_CAP];
    struct copy_space *space;
    struct names names;
    uint64_t oid;

    *n = 0;
    if (!path_join(dir, dest, "pg_tblspc", err) ||
        !dir_names(a, dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    space = ARENA_ARRAY(a, names.n + 1, struct copy_space);
    if (!space) {
        return arena_err(a, err);
    }
    *out = space;
    for (size_t i = 0; i < names.n; i++) {
        if (!path_join(link, dir, names.name[i], err)) {
            return false;
        }
        if (!str_u64(str_of(names.name[i]), UINT32_MAX, &oid) ||
            file_kind(link, NULL) != FILE_LINK || sys_real_path(link, real) != 0) {
            continue;
        }
        space[*n] = (struct copy_space){(uint32_t)oid, arena_strdup(a, real)};
        if (!space[(*n)++].path) {
            return arena_err(a, err);
        }
    }
    return *n <= COPY_SPACES_MAX ||
           err_set(err, ERR_FORMAT, "", dest, "more than %d tablespaces", COPY_SPACES_MAX);
}
