/* SPDX-License-Identifier: PostgreSQL */
/* copy_foresee.c - would the server here take a configuration file?
 *
 * `postgres -C NAME` reads its configuration, complains about all of it that it does not know,
 * prints one setting and ends: no data directory, no memory, no socket. The file is one in memory
 * that it opens by its descriptor, so that nothing is written anywhere. */
#include "engine/copy_refused.h"

#include "engine/copy_in.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/sys.h"

#include <string.h>
#include <unistd.h>

#define ANSWER_S  10
#define NAMES_MAX 32
#define NAMES_CAP 1000

struct listening {
    struct arena *a;
    const char *name[NAMES_MAX];
    size_t n;
};

/* "... LOG:  unrecognized configuration parameter "x" in file "/dev/fd/3" line 1" */
static void on_line(void *ctx, struct str line)
{
    struct listening *l = ctx;
    const char *text = arena_strndup(l->a, line.p, line.n), *name;
    const char *words = text ? strstr(text, "LOG:  ") : NULL;

    name = words ? copy_conf_refused(l->a, words + 6) : NULL;
    for (size_t i = 0; name && i < l->n && i < NAMES_MAX; i++) {
        if (strcmp(l->name[i], name) == 0) {
            return; /* there is a line each time the file is read */
        }
    }
    if (name && l->n < NAMES_MAX) {
        l->name[l->n++] = name;
    }
}

static const char *joined(const struct listening *l)
{
    char mem[NAMES_CAP];
    struct sbuf b;

    sbuf_init(&b, mem, sizeof mem);
    for (size_t i = 0; i < l->n; i++) {
        sbuf_fmt(&b, "%s%s", i ? ", " : "", l->name[i]);
    }
    return arena_strdup(l->a, mem);
}

static bool write_all(int fd, struct str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n <= 0) {
            return false;
        }
        text = str_skip(text, (size_t)n);
    }
    return true;
}

const char *copy_foresee(const struct task *t, struct arena *a, const char *binaries,
                         struct str conf, size_t *n, bool *asked)
{
    const char *argv[] = {arena_fmt(a, "%s/postgres", binaries),
                          "-C",
                          "port",
                          "-D",
                          "/",
                          "-c",
                          "config_file=/dev/fd/3",
                          "-c",
                          "lc_messages=C",
                          "-c",
                          "log_min_messages=log",
                          NULL};
    struct listening l = {.a = a};
    struct child_spec spec = {.argv = argv,
                              .line = on_line,
                              .line_ctx = &l,
                              .deadline_ns = clock_mono_ns() + ANSWER_S * NS_PER_S,
                              .cancel_fd = t->cancel_fd};
    struct child_end end = {.status = -1};
    struct err ignored = {0};
    int fd = argv[0] ? sys_memory_file("configuration") : -1;
    bool ran;

    *n = 0;
    *asked = false;
    if (fd < 0) {
        return NULL;
    }
    ran = write_all(fd, conf) &&
          child_run_between(&spec, &(struct child_fds){-1, -1, fd}, &end, &ignored);
    close(fd);
    *asked = ran || l.n;
    *n = l.n;
    return l.n ? joined(&l) : NULL;
}
