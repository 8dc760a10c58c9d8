/* SPDX-License-Identifier: PostgreSQL */
#include "engine/put_wal.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/sys.h"
#include "repo/gpg.h"
#include "repo/mount.h"
#include "repo/tar.h"
#include "repo/wal_check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUMS_MAX      (64 * 1024)
#define READ_CAP      ((size_t)64 * 1024) /* what a pipe holds */
#define WRITE_OUT     (4 * 1024 * 1024)   /* so much is begun to be written out at once */
#define SUM_PIECE     (512 * 1024)        /* so much is told to the lane that sums at once */
#define SUM_SLOTS     64
#define FILE_MAX_SIZE (UINT64_C(2) << 30) /* no segment is larger than half of it */

struct file {
    char name[WAL_FILE_NAME_CAP];
    char tmp[PATH_CAP];
    int fd; /* -1: not open */
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint64_t size, begun; /* bytes written, and of them begun to go out */
    uint64_t told;        /* of them the lane knows */
    struct digest digest; /* the lane's, until it is closed, and so is summed: its bytes */
    uint64_t summed;
    char sum[DIGEST_HEX_CAP];
    bool has_sum;
};

struct piece { /* of a file, from what is summed of it on */
    struct file *file;
    uint64_t end;
};

struct putting {
    const struct task *t;
    struct lane *lane; /* sums what was written, while more arrives */
    char *lane_buf;    /* READ_CAP */
    struct arena a;
    struct put_wal *what;
    char host[128];
    struct file *file[PUT_FILES_MAX];
    size_t files;
    struct file *now; /* the member at hand; NULL: a SUMS file */
    char *buf;        /* READ_CAP */
    char *sums;       /* room for what came and what is announced */
    size_t sums_n, sums_cap;
    enum digest_kind kind;  /* that the client sent */
    enum digest_kind guess; /* that was summed while the files arrived */
};

static bool refuse(struct putting *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct putting *p, const char *fmt, ...)
{
    struct sbuf b;
    va_list ap;

    sbuf_init(&b, p->what->refusal, sizeof p->what->refusal);
    va_start(ap, fmt);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    sbuf_fmt(&b, " in put-wal for server '%s'%s", p->what->repo->server, p->host);
    return false;
}

/* ---- while it arrives ---- */

static struct file *file_of(struct putting *p, struct str name)
{
    for (size_t i = 0; i < p->files; i++) {
        if (str_eq(name, p->file[i]->name)) {
            return p->file[i];
        }
    }
    return NULL;
}

static bool name_ok(struct putting *p, const struct tar_member *m)
{
    struct str name = str_of(m->name);

    if (wal_name_kind(name, WAL_CASE_UPPER) == WAL_NAME_OTHER || name.n >= WAL_FILE_NAME_CAP) {
        return refuse(p, "Unsupported filename '%.300s'", m->name);
    }
    if (m->size > FILE_MAX_SIZE) {
        return refuse(p, "A size that no WAL file has for file '%s'", m->name);
    }
    if (p->files == PUT_FILES_MAX) {
        return refuse(p, "More than %d files", PUT_FILES_MAX);
    }
    return !file_of(p, name) || refuse(p, "A second member for file '%s'", m->name);
}

static bool file_begin(struct putting *p, const struct tar_member *m, struct err *err)
{
    struct file *f;

    if (!name_ok(p, m)) {
        return false;
    }
    f = ARENA_NEW(&p->a, struct file);
    if (!f) {
        return arena_err(&p->a, err);
    }
    str_copy(f->name, sizeof f->name, m->name);
    if (!str_fmt(f->tmp, sizeof f->tmp, "%s/.%ld-%s", p->what->repo->incoming_dir,
                 (long)getpid(), f->name)) {
        return err_set(err, ERR_FORMAT, "Use a shorter directory.", p->what->repo->incoming_dir,
                       "path is too long");
    }
    if (!digest_init(&f->digest, p->guess, err)) {
        return false;
    }
    /* Of an earlier process with our number, if anybody's. */
    if (unlink(f->tmp) != 0 && errno != ENOENT) {
        return err_os(err, errno, "remove", f->tmp);
    }
    f->fd = open(f->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->fd < 0) {
        return err_os(err, errno, "create", f->tmp);
    }
    f->mtime_s = m->mtime_s;
    f->mtime_ns = m->mtime_ns;
    p->now = f;
    p->file[p->files++] = f;
    return true;
}

/* For n more bytes; a list has some hundred. */
static bool sums_room(struct putting *p, size_t n, struct err *err)
{
    size_t cap = 2 * p->sums_cap;
    char *larger;

    if (p->sums_n + n <= p->sums_cap) {
        return true;
    }
    cap = cap > p->sums_n + n ? cap : p->sums_n + n;
    larger = arena_alloc(&p->a, cap);
    if (!larger) {
        return arena_err(&p->a, err);
    }
    if (p->sums_n) {
        memcpy(larger, p->sums, p->sums_n);
    }
    p->sums = larger;
    p->sums_cap = cap;
    return true;
}

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    struct putting *p = ctx;

    p->now = NULL;
    if (m->kind != TAR_FILE) {
        return refuse(p, "Unsupported file type '%s' for file '%.300s'",
                      m->kind == TAR_DIR ? "5" : "2", m->name);
    }
    if (strcmp(m->name, "SHA256SUMS") != 0 && strcmp(m->name, "MD5SUMS") != 0) {
        return file_begin(p, m, err);
    }
    if (p->sums_n + m->size + 1 > SUMS_MAX) {
        return refuse(p, "Too long a list of checksums '%s'", m->name);
    }
    if (m->name[0] == 'M') {
        p->kind = DIGEST_MD5;
    }
    return sums_room(p, (size_t)m->size + 1, err);
}

/* Out of the file, and so of what will be archived; it has just been written, no disk turns. */
static bool sum_piece(void *ctx, void *item, bool more, struct err *err)
{
    struct putting *p = ctx;
    struct piece piece;
    struct file *f;

    (void)more;
    memcpy(&piece, item, sizeof piece);
    f = piece.file;
    while (f->summed < piece.end) {
        uint64_t left = piece.end - f->summed;
        ssize_t n = pread(f->fd, p->lane_buf, left < READ_CAP ? (size_t)left : READ_CAP,
                          (off_t)f->summed);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return err_os(err, n < 0 ? errno : EIO, "read", f->tmp);
        }
        digest_feed(&f->digest, p->lane_buf, (size_t)n);
        f->summed += (uint64_t)n;
    }
    return true;
}

static bool tell_lane(struct putting *p, struct file *f, struct err *err)
{
    const struct piece piece = {f, f->size};

    f->told = f->size;
    return lane_put(p->t, p->lane, &piece, err);
}

static bool on_data(void *ctx, const void *data, size_t n, struct err *err)
{
    struct putting *p = ctx;
    struct file *f = p->now;

    if (!f) {
        memcpy(p->sums + p->sums_n, data, n);
        p->sums_n += n;
        return true;
    }
    if (!fd_write_all(f->fd, data, n, f->tmp, err)) {
        return false;
    }
    f->size += n;
    if (f->size - f->begun >= WRITE_OUT) {
        (void)sys_write_out(f->fd, f->begun, f->size - f->begun);
        f->begun = f->size;
    }
    return f->size - f->told < SUM_PIECE || tell_lane(p, f, err);
}

static bool on_end(void *ctx, struct err *err)
{
    struct putting *p = ctx;
    struct file *f = p->now;

    if (f) {
        (void)sys_write_out(f->fd, f->begun, f->size - f->begun);
        return tell_lane(p, f, err);
    }
    if (p->sums_n && p->sums[p->sums_n - 1] != '\n') {
        p->sums[p->sums_n++] = '\n';
    }
    return true;
}

/* Until there is something to read or nobody wants it any more. */
static bool wait_for_input(struct putting *p, struct err *err)
{
    struct pollfd fd[2] = {{.fd = p->what->fd, .events = POLLIN},
                           {.fd = p->t->cancel_fd, .events = POLLIN}};

    while (poll(fd, 2, -1) < 0) {
        if (errno != EINTR) {
            return err_os(err, errno, "read", "the stream on stdin");
        }
    }
    return task_go_on(p->t, err);
}

static bool receive(struct putting *p, struct err *err)
{
    const struct tar_events events = {p, on_member, on_data, on_end};
    struct tar *tar = ARENA_NEW(&p->a, struct tar);
    bool ok = tar || arena_err(&p->a, err);

    if (ok) {
        tar_init(tar, TAR_WITH_TRAILER, &events);
        tar_accept_pax(tar);
    }
    while (ok && (ok = wait_for_input(p, err))) {
        ssize_t n = read(p->what->fd, p->buf, READ_CAP);

        if (n < 0 && errno != EINTR) {
            ok = err_os(err, errno, "read", "the stream on stdin");
        } else if (n == 0) {
            return tar_end(tar, err);
        } else if (n > 0) {
            ok = tar_feed(tar, p->buf, (size_t)n, err);
        }
    }
    return ok;
}

/* To the disk, while the lane sums the last pieces. */
static bool sync_files(struct putting *p, struct err *err)
{
    for (size_t i = 0; i < p->files; i++) {
        const struct file *f = p->file[i];
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {f->mtime_s, f->mtime_ns}};

        if (futimens(f->fd, times) != 0) {
            return err_os(err, errno, "set the time of", f->tmp);
        }
        if (!fd_sync(f->fd, f->tmp, err)) {
            return false;
        }
    }
    return true;
}

static bool receive_and_sum(struct putting *p, struct err *err)
{
    const struct lane_spec spec = {.name = "sums",
                                   .item_size = sizeof(struct piece),
                                   .slots = SUM_SLOTS,
                                   .ctx = p,
                                   .consume = sum_piece};

    p->lane = lane_open(p->t, &spec, err);
    if (!p->lane) {
        return false;
    }
    if (!receive(p, err) || !sync_files(p, err)) {
        lane_fail(p->t, p->lane);
        return false;
    }
    return lane_close(p->t, p->lane, err);
}

/* ---- is it whole? ---- */

static bool sum_of_fd(struct putting *p, int fd, const char *path, char out[DIGEST_HEX_CAP],
                      struct err *err)
{
    struct digest d;
    uint8_t sum[DIGEST_MAX];
    off_t at = 0;
    ssize_t n;

    if (!digest_init(&d, p->kind, err)) {
        return false;
    }
    while ((n = pread(fd, p->buf, READ_CAP, at)) > 0) {
        digest_feed(&d, p->buf, (size_t)n);
        at += n;
    }
    digest_end(&d, sum);
    hex_text(sum, digest_size(p->kind), out, DIGEST_HEX_CAP);
    return n == 0 || err_os(err, errno, "read", path);
}

static bool reckon(struct putting *p, struct err *err)
{
    uint8_t sum[DIGEST_MAX];

    for (size_t i = 0; i < p->files; i++) {
        struct file *f = p->file[i];

        if (p->kind != p->guess) {
            if (!sum_of_fd(p, f->fd, f->tmp, f->sum, err)) {
                return false;
            }
            continue;
        }
        digest_end(&f->digest, sum);
        hex_text(sum, digest_size(p->kind), f->sum, sizeof f->sum);
    }
    return true;
}

static bool compare_sums(struct putting *p)
{
    struct str rest = str_n(p->sums, p->sums_n), line, sum, name;

    while (str_line(&rest, &line)) {
        struct file *f;

        if (!put_sums_line(line, &sum, &name)) {
            task_say(
                p->t, SAY_WARN, "Bad checksum line '%.*s' found in put-wal for server '%s'%s",
                (int)(line.n > 200 ? 200 : line.n), line.p, p->what->repo->server, p->host);
            continue;
        }
        f = file_of(p, name);
        if (!f) {
            return refuse(p, "Checksum without corresponding file '%.*s'",
                          (int)(name.n > 300 ? 300 : name.n), name.p);
        }
        if (!str_eq_nocase(sum, f->sum)) {
            return refuse(p, "Bad file checksum '%s' (should be %.*s) for file '%s'", f->sum,
                          (int)(sum.n > 128 ? 128 : sum.n), sum.p, f->name);
        }
        log_line(LOG_INFO, "Received file '%s' with checksum '%s' by put-wal for server '%s'%s",
                 f->name, f->sum, p->what->repo->server, p->host);
        f->has_sum = true;
    }
    for (size_t i = 0; i < p->files; i++) {
        if (!p->file[i]->has_sum) {
            return refuse(p, "Missing checksum for file '%s'", p->file[i]->name);
        }
    }
    return true;
}

/* Size, cluster, place and timeline of the first page. */
static bool obeys_rules(struct putting *p, const struct file *f, struct err *err)
{
    struct wal_candidate c = {.path = f->tmp,
                              .name = f->name,
                              .kind = wal_name_kind(str_of(f->name), WAL_CASE_UPPER),
                              .size = f->size,
                              .repo = p->what->repo};
    char head[CODEC_MAGIC_LEN];
    ssize_t n = pread(f->fd, head, sizeof head, 0);
    struct err why = {0};

    if (n < 0) {
        return err_os(err, errno, "read", f->tmp);
    }
    c.codec = codec_detect(head, (size_t)n, p->what->repo->custom);
    c.is_sealed = c.codec == CODEC_NONE && gpg_detect(head, (size_t)n);
    if (wal_candidate_check(&c, &p->what->rules, NULL, &why)) {
        return true;
    }
    if (why.code != ERR_FORMAT && why.code != ERR_UNSAFE) {
        *err = why;
        return false;
    }
    return refuse(p, "File '%s' is not what its name says: %s", f->name, why.why);
}

/* ---- for good ---- */

static bool meet_twin(struct putting *p, const struct file *f, const char *final,
                      struct err *err)
{
    char sum[DIGEST_HEX_CAP], moved_to[PATH_CAP];

    int fd = open(final, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool ok = fd >= 0 ? sum_of_fd(p, fd, final, sum, err) : err_os(err, errno, "read", final);

    if (fd >= 0) {
        close(fd);
    }
    if (!ok) {
        return false;
    }
    if (strcmp(sum, f->sum) == 0) {
        task_say(
            p->t, SAY_DEBUG,
            "Duplicate Files with Identical Checksums. File %s already exists on server %s, "
            "and the checksums are identical. Skipping the file.",
            f->name, p->what->repo->server);
        return true;
    }
    if (!wal_store_set_aside_as(p->what->repo, f->tmp, f->name, "duplicate", moved_to, err)) {
        return false;
    }
    task_say(
        p->t, SAY_WARN,
        "Duplicate Files Detected with Mismatched Checksums. File %s already exists on "
        "server %s with checksum %s, but the checksum of the incoming file is %s. The file "
        "has been moved to '%s'%s",
        f->name, p->what->repo->server, sum, f->sum, moved_to, p->host);
    return true;
}

/* Half of a segment, of a copy that was cut off, is no other WAL: what arrived takes its place, or it
 * would be acknowledged and lie in errors/, and the half would never be archived. */
static bool make_way(struct putting *p, const struct file *f, const char *final,
                     struct err *err)
{
    int fd = open(final, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char moved_to[PATH_CAP];
    struct wal_candidate c;
    struct err why = {0};
    bool is_wal = fd < 0 || (wal_candidate_of(p->what->repo, final, fd, &c, &why) &&
                             wal_candidate_check(&c, &p->what->rules, NULL, &why));

    if (fd >= 0) {
        close(fd);
    }
    if (is_wal || why.code != ERR_FORMAT) {
        return true;
    }
    if (!wal_store_set_aside(p->what->repo, final, "error", moved_to, err)) {
        return false;
    }
    task_say(p->t, SAY_WARN,
             "File %s lay in incoming and is not what its name says: %s. It has been moved to "
             "'%s', and what arrived takes its place%s",
             f->name, why.why, moved_to, p->host);
    return true;
}

static bool link_refused(int os)
{
    return os == EXDEV || os == EPERM || os == EOPNOTSUPP || os == EMLINK || os == ENOSYS;
}

/* A link never replaces what is there; where there are none, we look first. */
static bool place(struct putting *p, struct file *f, struct err *err)
{
    char final[PATH_CAP];

    if (!path_join(final, p->what->repo->incoming_dir, f->name, err)) {
        return false;
    }
    if (file_kind(final, NULL) != FILE_NONE && !make_way(p, f, final, err)) {
        return false;
    }
    if (link(f->tmp, final) == 0) {
        return true;
    }
    if (errno == EEXIST) {
        return meet_twin(p, f, final, err);
    }
    if (!link_refused(errno)) {
        return err_os(err, errno, "create", final);
    }
    if (file_kind(final, NULL) != FILE_NONE) {
        return meet_twin(p, f, final, err);
    }
    return rename(f->tmp, final) == 0 || err_os(err, errno, "create", final);
}

static bool take_all(struct putting *p, struct err *err)
{
    if (!reckon(p, err) || !compare_sums(p)) {
        return false;
    }
    for (size_t i = 0; i < p->files; i++) {
        if (!obeys_rules(p, p->file[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < p->files; i++) {
        if (!place(p, p->file[i], err)) {
            return false;
        }
    }
    return dir_sync(p->what->repo->incoming_dir, err);
}

/* ---- all of it ---- */

static bool run(struct putting *p, struct err *err)
{
    struct err why = {0};
    bool ok;

    if (p->what->host) {
        str_fmt(p->host, sizeof p->host, " (SSH host: %s)", p->what->host);
    }
    ok = repo_mounted(p->what->repo, &why) && dir_make(p->what->repo->incoming_dir, &why) &&
         receive_and_sum(p, &why) && take_all(p, &why);
    for (size_t i = 0; i < p->files; i++) {
        unlink(p->file[i]->tmp);
        close(p->file[i]->fd);
    }
    if (ok) {
        put_sums_note(p->what->repo, p->guess, p->kind);
        put_left_remove(p->what->repo);
        return true;
    }
    if (!p->what->refusal[0] && why.code == ERR_FORMAT) {
        refuse(p, "Malformed stream: %s%s%s%s", why.what[0] ? "'" : "", why.what,
               why.what[0] ? "': " : "", why.why);
    }
    *err = why;
    return false;
}

bool put_wal(const struct task *t, struct put_wal *what, struct err *err)
{
    struct putting p = {
        .t = t, .what = what, .kind = DIGEST_SHA256, .guess = put_sums_guess(what->repo)};
    bool ok;

    what->refusal[0] = '\0';
    arena_init(&p.a, 0);
    p.buf = arena_alloc(&p.a, READ_CAP);
    p.lane_buf = arena_alloc(&p.a, READ_CAP);
    ok = p.buf && p.lane_buf ? run(&p, err) : arena_err(&p.a, err);
    arena_release(&p.a);
    return ok;
}
