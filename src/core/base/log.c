/* SPDX-License-Identifier: PostgreSQL */
#include "log.h"

#include "barkeep/str.h"
#include "clock.h"
#include "file.h"
#include "log_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECENT      ((size_t)3072) /* bytes: some 30 lines, less than a page of each thread's */
#define RECENT_LINE ((size_t)256)  /* of one text */

/* Set once by log_open(), before there are threads; never changed afterwards. A line is one
 * write() on a descriptor opened for appending, which the kernel does not interleave, so the
 * log needs no lock. */
static struct {
    int fd;
    char path[1024]; /* "": not a file */
    char layout[512];
    enum log_level least;
} the = {.fd = -1, .layout = LOG_LAYOUT_DEFAULT, .least = LOG_INFO};

/* Every thread remembers its own last lines, each with its LF; without the time, which only what is
 * written needs to know. */
static _Thread_local struct {
    char text[RECENT];
    size_t at; /* bytes ever written; the next one goes to at % RECENT */
} recent;

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

bool log_layout(const char *layout, struct err *err)
{
    if (!log_layout_ok(layout, err)) {
        return false;
    }
    if (strlen(layout) >= sizeof the.layout) {
        return err_set(err, ERR_CONFIG, "Shorten log_format.", "", "the layout is too long");
    }
    return str_copy(the.layout, sizeof the.layout, layout);
}

void log_to_stderr(enum log_level least)
{
    the.fd = STDERR_FILENO;
    the.path[0] = '\0';
    the.least = least;
}

/* The directory too, as Barman does. */
static bool make_directory(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char dir[1024];

    if (!slash || slash == path) {
        return true;
    }
    str_fmt(dir, sizeof dir, "%.*s", (int)(slash - path), path);
    return access(dir, F_OK) == 0 || dir_make(dir, err);
}

bool log_open(const char *path, enum log_level least, struct err *err)
{
    the.least = least;
    if (!path) {
        return true;
    }
    if (!str_copy(the.path, sizeof the.path, path)) {
        return err_os(err, ENAMETOOLONG, "open the log", path);
    }
    if (!make_directory(path, err)) {
        return err_wrap(err, "log");
    }
    the.fd = open_file(path);
    return the.fd >= 0 ? true : err_os(err, errno, "open the log", path);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "DEBUG";
    case LOG_INFO:
        return "INFO";
    case LOG_WARNING:
        return "WARNING";
    case LOG_ERROR:
        return "ERROR";
    }
    return "INFO";
}

/* Rotation: put the file that now has the name under the same descriptor number. */
static void reopen_if_moved(void)
{
    struct stat named, held;
    int fd;

    if (!the.path[0]) {
        return;
    }
    if (fstat(the.fd, &held) == 0 && stat(the.path, &named) == 0 &&
        named.st_ino == held.st_ino && named.st_dev == held.st_dev) {
        return;
    }
    fd = open_file(the.path);
    if (fd >= 0) {
        dup2(fd, the.fd);
        close(fd);
    }
}

static void remember(const char *text)
{
    for (size_t i = 0; text[i] && i < RECENT_LINE; i++) {
        recent.text[recent.at++ % RECENT] = text[i];
    }
}

static void write_line(enum log_level level, const char *text)
{
    char line[LOG_TEXT_CAP + 512];
    struct log_event event = {.now = stamp_local(clock_wall_ns() / 1000),
                              .level = (int)level,
                              .level_name = level_name(level),
                              .pid = (long)getpid(),
                              .text = text};
    struct sbuf b;

    sbuf_init(&b, line, sizeof line - 1);
    log_layout_put(&b, the.layout, &event);
    line[b.len++] = '\n'; /* its place was kept */
    reopen_if_moved();
    b.overflow |= write(the.fd, line, b.len) < 0; /* nobody is left to tell */
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char text[LOG_TEXT_CAP], covered[LOG_TEXT_CAP];
    struct sbuf b;
    va_list ap;

    va_start(ap, fmt);
    sbuf_init(&b, text, sizeof text);
    sbuf_vfmt(&b, fmt, ap);
    va_end(ap);
    redact(text, covered, sizeof covered);
    str_tame(covered); /* a name from outside must not look like a line of its own */
    remember(level_name(level));
    remember(": ");
    remember(covered);
    remember("\n");
    if (the.fd >= 0 && level >= the.least) {
        write_line(level, covered);
    }
}

void log_dump_recent(int fd)
{
    size_t i = recent.at > RECENT ? recent.at - RECENT : 0;
    char line[2 * RECENT_LINE];
    struct sbuf b;

    /* The rest of one that is overwritten is left out. */
    for (bool whole = i == 0; i < recent.at && !whole; i++) {
        whole = recent.text[i % RECENT] == '\n';
    }
    sbuf_init(&b, line, sizeof line);
    for (; i < recent.at; i++) {
        sbuf_char(&b, recent.text[i % RECENT]);
        if (recent.text[i % RECENT] == '\n') {
            dprintf(fd, "  %s", line);
            sbuf_init(&b, line, sizeof line);
        }
    }
}

/* Length of what begins with a quote, with the quote that ends it. */
static size_t quoted_length(struct str s)
{
    size_t i;

    if (s.n == 0 || (s.p[0] != '\'' && s.p[0] != '"')) {
        return 0;
    }
    for (i = 1; i < s.n && s.p[i] != s.p[0]; i++) {
        i += s.p[i] == '\\' && i + 1 < s.n;
    }
    return i < s.n ? i + 1 : s.n;
}

#define BLANKS " \t\r\n\v\f"

/* Does this quote end the text that the value stands in? Then nothing but a stop follows it. */
static bool is_last_quote(struct str s)
{
    s = str_skip(s, 1);
    while (s.n && strchr("'\":;,.)]}", s.p[0])) {
        s = str_skip(s, 1);
    }
    return s.n == 0 || strchr(BLANKS, s.p[0]);
}

/* Length of the value after "password=": quoted or not, up to a blank, or to the next parameter of a
 * URI. What touches the end of a quoted one goes with it. */
static size_t value_length(struct str s, bool in_uri)
{
    size_t i = quoted_length(s);

    for (; i < s.n && !strchr(BLANKS, s.p[i]); i++) {
        if ((in_uri && s.p[i] == '&') ||
            ((s.p[i] == '\'' || s.p[i] == '"') && is_last_quote(str_skip(s, i)))) {
            break;
        }
        i += s.p[i] == '\\' && i + 1 < s.n;
    }
    return i;
}

/* After "scheme://": the length of "user:" and of the password, when there is one. A '/' or '?' that
 * somebody left bare in it does not end it: what follows the colon is no port then. */
static bool uri_password(struct str s, size_t *user, size_t *pw)
{
    size_t end = 0, path = SIZE_MAX, colon = SIZE_MAX, at = SIZE_MAX;

    for (; end < s.n && !strchr(" \t\r\n'\"", s.p[end]); end++) {
        if (s.p[end] == ':' && colon == SIZE_MAX) {
            colon = end;
        }
        if ((s.p[end] == '/' || s.p[end] == '?') && path == SIZE_MAX) {
            path = end;
            if (at != SIZE_MAX || colon == SIZE_MAX ||
                strspn(s.p + colon + 1, "0123456789,") >= path - colon - 1) {
                break;
            }
        }
        if (s.p[end] == '@') {
            at = end;
        }
    }
    if (colon == SIZE_MAX || at == SIZE_MAX || colon > at) {
        return false;
    }
    *user = colon + 1;
    *pw = at - colon - 1;
    return true;
}

/* Length of this word at the beginning of s, in any case, and as a URI may write it: "%70assword". */
static size_t spelled(struct str s, const char *word)
{
    size_t i = 0;

    for (; *word; word++) {
        uint64_t c;

        if (i >= s.n) {
            return 0;
        }
        c = (unsigned char)s.p[i++];
        if (c == '%' && s.n - i >= 2 && str_hex_u64(str_n(s.p + i, 2), 0, &c)) {
            i += 2;
        }
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (unsigned char)*word) {
            return 0;
        }
    }
    return i;
}

/* How much of the text at s is a key whose value must go: "password=", "password = ", also
 * passwd, sslpassword, oauth_client_secret. 0: none. */
static size_t secret_key(struct str s)
{
    static const char *const keys[] = {"password", "passwd", "secret", "scram_client_key",
                                       "scram_server_key"};

    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        size_t n = spelled(s, keys[k]);
        if (n) {
            n += strspn(s.p + n, BLANKS);
            if (n < s.n && s.p[n] == '=') {
                return n + 1 + strspn(s.p + n + 1, BLANKS);
            }
        }
    }
    return 0;
}

const char *redact(const char *text, char *out, size_t cap)
{
    static const char cover[] = "*REDACTED*";
    struct str s = str_of(text);
    struct sbuf b;
    size_t user, pw, key;

    sbuf_init(&b, out, cap);
    while (s.n) {
        key = secret_key(s);
        if (key) {
            bool in_uri = s.p > text && strchr("?&", s.p[-1]);

            sbuf_add_n(&b, s.p, key);
            s = str_skip(s, key);
            sbuf_add(&b, cover);
            s = str_skip(s, value_length(s, in_uri));
        } else if (str_starts(s, "://") && uri_password(str_skip(s, 3), &user, &pw)) {
            sbuf_add_n(&b, s.p, 3 + user);
            sbuf_add(&b, cover);
            s = str_skip(s, 3 + user + pw);
        } else {
            size_t plain = 1 + strcspn(s.p + 1, "pPsS%:"); /* what neither can begin in */

            sbuf_add_n(&b, s.p, plain);
            s = str_skip(s, plain);
        }
    }
    return out;
}
