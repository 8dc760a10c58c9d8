/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/err.h"
#include "barkeep/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int status;
} codes[] = {
#define X(name, status, what) {#name, status},
    ERR_LIST(X)
#undef X
};

/* What one usually does about an errno. */
static const struct {
    int os;
    const char *hint;
} os_hints[] = {
    {ENOSPC, "Free space on that file system, then run the command again."},
    {EDQUOT, "Raise the quota of this user or free space, then run the command again."},
    {EACCES, "Run as the user that owns it, or change its permissions."},
    {EPERM, "Run as the user that owns it, or change its permissions."},
    {EROFS, "Mount that file system read-write."},
    {EMFILE, "Raise the limit of open files (ulimit -n) of this user."},
    {ENFILE, "Raise the system's limit of open files (fs.file-max)."},
    {EIO, "Check the disk: the kernel log says more."},
};

/* Copy a long thing and keep both of its ends, which are what tells paths apart. */
static void copy_middle_cut(char *out, size_t cap, const char *s)
{
    size_t n = strlen(s);
    size_t head, tail;

    if (n < cap) {
        memcpy(out, s, n + 1);
        return;
    }
    head = (cap - 4) / 2;
    tail = cap - 4 - head;
    memcpy(out, s, head);
    memcpy(out + head, "...", 3);
    memcpy(out + head + 3, s + n - tail, tail);
    out[cap - 1] = '\0';
}

/* One line whatever the outside said: newlines of a server's message become spaces. */
static void one_line(char *s)
{
    size_t n = strlen(s);

    while (n && (s[n - 1] == '\n' || s[n - 1] == ' ')) {
        s[--n] = '\0';
    }
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            *s = ' ';
        }
    }
}

bool err_set(struct err *err, enum err_code code, const char *hint, const char *what,
             const char *fmt, ...)
{
    va_list ap;

    *err = (struct err){.code = code};
    copy_middle_cut(err->what, sizeof err->what, what);
    va_start(ap, fmt);
    vsnprintf(err->why, sizeof err->why, fmt, ap);
    va_end(ap);
    one_line(err->why);
    one_line(err->what);
    str_copy(err->hint, sizeof err->hint, hint);
    return false;
}

bool err_os(struct err *err, int os, const char *doing, const char *what)
{
    const char *hint = "";
    char why[128];

    for (size_t i = 0; i < sizeof os_hints / sizeof os_hints[0]; i++) {
        if (os_hints[i].os == os) {
            hint = os_hints[i].hint;
        }
    }
    if (strerror_r(os, why, sizeof why) != 0) {
        str_fmt(why, sizeof why, "error %d", os);
    }
    if (why[0] >= 'A' && why[0] <= 'Z' && why[1] >= 'a' && why[1] <= 'z') {
        why[0] = (char)(why[0] - 'A' + 'a');
    }
    err_set(err, ERR_IO, hint, what, "%s", why);
    err->os = os;
    str_copy(err->doing, sizeof err->doing, doing);
    return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
    char front[sizeof err->doing];
    char was[sizeof err->doing];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(front, sizeof front, fmt, ap);
    va_end(ap);
    str_copy(was, sizeof was, err->doing);
    str_fmt(err->doing, sizeof err->doing, was[0] ? "%s: %s" : "%s%s", front, was);
    return false;
}

const char *err_name(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? codes[code].name : "ERR_UNKNOWN";
}

int err_exit_status(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? codes[code].status : 1;
}

const char *err_text(const struct err *err, char *out, size_t cap)
{
    char head[sizeof err->doing + sizeof err->what + 32];
    size_t why = strlen(err->why);
    struct sbuf b;

    sbuf_init(&b, head, sizeof head);
    if (err->doing[0]) {
        sbuf_fmt(&b, "cannot %s: ", err->doing);
    }
    if (err->what[0]) {
        sbuf_fmt(&b, "'%s': ", err->what);
    }
    sbuf_init(&b, out, cap);
    if (strlen(head) + why + 1 > cap && why + 8 < cap) {
        copy_middle_cut(out, cap - why, head);
        b.len = strlen(out);
    } else {
        sbuf_add(&b, head);
    }
    sbuf_add(&b, err->why);
    return out;
}
