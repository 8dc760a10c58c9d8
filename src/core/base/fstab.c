/* SPDX-License-Identifier: PostgreSQL */
#include "fstab.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FSTAB_MAX 32768 /* of what is longer the beginning counts */

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
    size_t n = 0;

    for (size_t i = 0; i < word.n && n + 1 < PATH_CAP; i++) {
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
    return n + 1 < PATH_CAP;
}

static bool is_at_or_above(const char *mount, const char *path)
{
    size_t n = strlen(mount);

    return n > 1 && strncmp(path, mount, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool is_bind(struct str options)
{
    struct str option;

    while (str_split(&options, ',', &option)) {
        if (str_eq(option, "bind") || str_eq(option, "rbind")) {
            return true;
        }
    }
    return false;
}

bool fstab_above(struct str text, const char *path, char out[PATH_CAP])
{
    struct str line;

    out[0] = '\0';
    while (str_line(&text, &line)) {
        struct str device, place, type, options;
        char mount[PATH_CAP];

        if (!take_word(&line, &device) || device.p[0] == '#' || !take_word(&line, &place) ||
            place.p[0] != '/' || !take_word(&line, &type) || !take_word(&line, &options) ||
            is_bind(options) || !unescape(place, mount) || !is_at_or_above(mount, path)) {
            continue;
        }
        if (strlen(mount) > strlen(out)) {
            str_copy(out, PATH_CAP, mount);
        }
    }
    return out[0] != '\0';
}

/* Nothing is mounted there; a mount point that is missing has nothing on it either. */
static bool is_bare(const char *mount)
{
    struct stat there, above;
    char up[PATH_CAP];

    path_dir(mount, up);
    return stat(mount, &there) != 0 ? errno == ENOENT
                                    : stat(up, &above) == 0 && there.st_dev == above.st_dev;
}

bool fstab_unmounted(const char *path, char out[PATH_CAP])
{
    return fstab_unmounted_one(&path, 1, out) == 0;
}

/* On the stack: who takes a lock does not fail for want of memory here. */
static struct str read_fstab(char text[FSTAB_MAX])
{
    int fd = open("/etc/fstab", O_RDONLY | O_CLOEXEC);
    struct err ignored;
    size_t n = 0;

    if (fd < 0) {
        return str_n("", 0);
    }
    if (!fd_read_full(fd, text, FSTAB_MAX, &n, "/etc/fstab", &ignored)) {
        n = 0;
    }
    close(fd);
    return str_n(text, n);
}

size_t fstab_unmounted_one(const char *const *path, size_t n, char out[PATH_CAP])
{
    char mem[FSTAB_MAX];
    struct str text = read_fstab(mem);
    size_t i = 0;

    while (i < n && !(path[i] && fstab_above(text, path[i], out) && is_bare(out))) {
        i++;
    }
    return i;
}
