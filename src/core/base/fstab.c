/* SPDX-License-Identifier: PostgreSQL */
#include "fstab.h"

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FSTAB_MAX  32768 /* of what is longer the beginning counts */
#define PLACES_MAX 8192  /* bytes of mount points; what is over is not looked at */
#define LINES_MAX  16384 /* of mountinfo at a time */
#define LINKS_MAX  40    /* as the kernel */

/* ---- lines ---- */

/* The next word; false: the line is at its end. */
static bool take_word(struct str *line, struct str *word)
{
    size_t n = 0;

    *line = str_trim(*line);
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t') {
        n++;
    }
    *word = str_n(line->p, n);
    *line = str_skip(*line, n);
    return n > 0;
}

static bool take_words(struct str *line, struct str *word, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!take_word(line, &word[i])) {
            return false;
        }
    }
    return true;
}

static bool is_octal(struct str s)
{
    for (size_t i = 0; i < 3; i++) {
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '7') {
            return false;
        }
    }
    return true;
}

/* "/srv/two\040words" -> "/srv/two words", without a slash at its end. false: too long. */
static bool unescape(struct str word, char out[PATH_CAP])
{
    size_t n = 0, i = 0;

    for (; i < word.n && n + 1 < PATH_CAP; i++) {
        const char *p = word.p + i;

        if (*p == '\\' && is_octal(str_skip(word, i + 1))) {
            out[n++] = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
            i += 3;
        } else {
            out[n++] = *p;
        }
    }
    while (n > 1 && out[n - 1] == '/') {
        n--;
    }
    out[n] = '\0';
    return i >= word.n && n > 0 && !memchr(out, 0, n);
}

bool fstab_next(struct str *text, char out[PATH_CAP])
{
    enum { DEVICE, PLACE, TYPE, WORDS }; /* what follows may be left out */
    struct str line, word[WORDS];

    while (str_line(text, &line)) {
        if (take_words(&line, word, WORDS) && word[DEVICE].p[0] != '#' &&
            word[PLACE].p[0] == '/' && unescape(word[PLACE], out)) {
            return true;
        }
    }
    return false;
}

bool mountinfo_point(struct str text, uint64_t id, char out[PATH_CAP])
{
    enum { ID, PARENT, DEVICE, ROOT, POINT, WORDS };
    struct str line, word[WORDS];
    uint64_t number;

    while (str_line(&text, &line)) {
        if (take_words(&line, word, WORDS) && str_u64(word[ID], UINT64_MAX, &number) &&
            number == id) {
            return word[POINT].p[0] == '/' && unescape(word[POINT], out);
        }
    }
    return false;
}

/* ---- what is so now ---- */

static bool is_at_or_above(const char *mount, const char *path)
{
    size_t n = strlen(mount);

    return strncmp(path, mount, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* "/a/b" -> "/a", and "/b" in front of the tail. */
static bool move_base(char path[PATH_CAP], char tail[PATH_CAP])
{
    char up[PATH_CAP], longer[PATH_CAP];

    path_dir(path, up);
    return str_fmt(longer, PATH_CAP, "/%s%s", path_base(path), tail) &&
           str_copy(tail, PATH_CAP, longer) && str_copy(path, PATH_CAP, up);
}

/* Where the link leads that stands at path, as far as that is known. */
static bool follow(char path[PATH_CAP], size_t length, const char target[PATH_CAP])
{
    char up[PATH_CAP], next[PATH_CAP];

    path_dir(path, up);
    return length > 0 &&
           str_fmt(next, PATH_CAP, "%s%s%s", target[0] == '/' ? "" : up,
                   target[0] == '/' ? "" : "/", target) &&
           str_copy(path, PATH_CAP, next);
}

/* Without links, also where its end does not exist (yet): a link may lead to what only is there
 * when the disk is. false: it cannot be told. */
static bool resolve(const char *path, char out[PATH_CAP])
{
    char now[PATH_CAP], real[PATH_CAP], target[PATH_CAP], tail[PATH_CAP] = "";
    int links = 0;

    if (path[0] != '/' || !str_copy(now, sizeof now, path)) {
        return false;
    }
    while (sys_real_path(now, real) != 0) {
        ssize_t n;

        if (errno != ENOENT) {
            return false;
        }
        n = readlink(now, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        if (n >= 0 ? links++ == LINKS_MAX || !follow(now, (size_t)n, target)
                   : !move_base(now, tail)) {
            return false;
        }
    }
    return str_fmt(out, PATH_CAP, "%s%s", strcmp(real, "/") == 0 && tail[0] ? "" : real, tail);
}

/* The mount of the nearest directory that is there. */
static bool mount_of(const char *path, uint64_t *id)
{
    char now[PATH_CAP], up[PATH_CAP];

    str_copy(now, sizeof now, path);
    while (sys_mount_id(now, id) != 0) {
        if (errno != ENOENT || strcmp(now, "/") == 0) {
            return false;
        }
        path_dir(now, up);
        str_copy(now, sizeof now, up);
    }
    return true;
}

/* The length of the whole lines among n bytes. */
static size_t whole_lines(const char *text, size_t n)
{
    while (n > 0 && text[n - 1] != '\n') {
        n--;
    }
    return n;
}

static bool find_point(uint64_t id, char out[PATH_CAP])
{
    char text[LINES_MAX];
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    struct err ignored;
    size_t n = 0, got = 1;
    bool found = false;

    while (fd >= 0 && !found && got > 0) {
        size_t whole;

        if (!fd_read_full(fd, text + n, sizeof text - n, &got, "", &ignored)) {
            break;
        }
        n += got;
        whole = whole_lines(text, n);
        found = mountinfo_point(str_n(text, whole), id, out);
        n -= whole;
        memmove(text, text + whole, n);
    }
    if (fd >= 0) {
        close(fd);
    }
    return found;
}

/* Does what holds the path lie above the mount point? */
static bool is_bare(const char *mount, const char *path)
{
    char point[PATH_CAP];
    uint64_t id;

    return mount_of(path, &id) && find_point(id, point) && !is_at_or_above(mount, point);
}

/* ---- the question ---- */

struct places {
    size_t n, len;
    char text[PLACES_MAX]; /* mount points without links, each with its NUL */
};

static void places_read(struct places *p, struct str fstab)
{
    char place[PATH_CAP], real[PATH_CAP];

    p->n = p->len = 0;
    while (fstab_next(&fstab, place)) {
        const char *known = resolve(place, real) ? real : place;
        size_t n = strlen(known) + 1;

        if (n > sizeof p->text - p->len) {
            return;
        }
        memcpy(p->text + p->len, known, n);
        p->len += n;
        p->n++;
    }
}

/* The nearest at or above the path, which is not the root, and which line it is; NULL: none. Of two
 * lines for one place either will do. */
static const char *nearest(const struct places *p, const char *path, size_t *line)
{
    const char *best = NULL, *at = p->text;

    for (size_t i = 0; i < p->n; i++, at += strlen(at) + 1) {
        if (strcmp(at, "/") != 0 && is_at_or_above(at, path) &&
            (!best || strlen(at) > strlen(best))) {
            best = at;
            *line = i;
        }
    }
    return best;
}

size_t fstab_unmounted_by(struct str fstab, const char *const *path, size_t n,
                          char out[PATH_CAP])
{
    struct places places;
    char real[PATH_CAP];
    size_t i, line = 0;

    places_read(&places, fstab);
    for (i = 0; i < n && places.n > 0; i++) {
        const char *mount =
            path[i] && resolve(path[i], real) ? nearest(&places, real, &line) : NULL;

        if (mount && is_bare(mount, real)) {
            for (size_t k = 0; k <= line; k++) {
                (void)fstab_next(&fstab, out);
            }
            return i;
        }
    }
    return n;
}

/* On the stack: who takes a lock does not fail for want of memory here. */
size_t fstab_unmounted_one(const char *const *path, size_t n, char out[PATH_CAP])
{
    int fd = open("/etc/fstab", O_RDONLY | O_CLOEXEC);
    char text[FSTAB_MAX];
    struct err ignored;
    size_t got = 0;
    bool ok;

    if (fd < 0) {
        return n;
    }
    ok = fd_read_full(fd, text, FSTAB_MAX, &got, "/etc/fstab", &ignored);
    close(fd);
    return ok ? fstab_unmounted_by(str_n(text, got), path, n, out) : n;
}

bool fstab_unmounted(const char *path, char out[PATH_CAP])
{
    return fstab_unmounted_one(&path, 1, out) == 0;
}
