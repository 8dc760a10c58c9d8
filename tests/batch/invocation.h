/* SPDX-License-Identifier: PostgreSQL */
/* invocation.h - a whole command line in a child process: its exit status, and what it wrote.
 *
 * `home` is a directory of the test's own. In command lines and files '@' stands for it, and '~'
 * for who we are. stdin is empty.
 */
#ifndef TESTS_BATCH_INVOCATION_H
#define TESTS_BATCH_INVOCATION_H

#include "batch/session.h"

#include "base/file.h"
#include "repo/tree.h"

#include "harness.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char home[256];

static inline void home_make(void)
{
    str_copy(home, sizeof home, "/tmp/barkeep-batch-XXXXXX");
    assert_non_null(mkdtemp(home));
}

static inline void home_remove(void)
{
    struct err err;

    assert_true(tree_remove(home, &err));
}

static inline void expand(struct str text, char *out, size_t cap)
{
    struct sbuf b;

    sbuf_init(&b, out, cap);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '@') {
            sbuf_add(&b, home);
        } else if (text.p[i] == '~') {
            sbuf_add(&b, getpwuid(geteuid())->pw_name);
        } else {
            sbuf_char(&b, text.p[i]);
        }
    }
    assert_true(sbuf_ok(&b));
}

static inline void put(const char *name, const char *text)
{
    static char all[1 << 16];
    char path[512];
    struct err err;

    expand(str_of(text), all, sizeof all);
    str_fmt(path, sizeof path, "%s/%s", home, name);
    assert_true(file_replace(path, str_of(all), &err));
}

static inline void redirect(void)
{
    static const char *const names[] = {"/dev/null", "out", "err"};
    char path[512];

    for (int i = 0; i < 3; i++) {
        int fd;

        str_fmt(path, sizeof path, i ? "%s/%s" : "%.0s%s", home, names[i]);
        fd = open(path, i ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
        if (fd < 0 || dup2(fd, i) != i) {
            _exit(99);
        }
    }
}

/* The exit status; what was written is in home/out and home/err. */
static inline int run(const char *line)
{
    char mem[2048], *argv[32];
    int argc = 0, status;
    struct str rest, word;
    pid_t pid;

    expand(str_of(line), mem, sizeof mem);
    rest = str_of(mem);
    while (str_split(&rest, ' ', &word)) {
        if (word.n) {
            mem[(word.p - mem) + (ptrdiff_t)word.n] = '\0';
            argv[argc++] = mem + (word.p - mem);
        }
    }
    argv[argc] = NULL;
    pid = fork();
    if (pid == 0) {
        redirect();
        _exit(batch_main(argc, argv));
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* What it wrote: "out", "err", or any other file of home. */
static inline const char *said(struct arena *a, const char *name)
{
    char path[512];
    struct str text;
    struct err err;

    str_fmt(path, sizeof path, "%s/%s", home, name);
    assert_true(file_read(a, path, 1 << 20, &text, &err));
    return text.p;
}

#endif
