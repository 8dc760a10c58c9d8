/* SPDX-License-Identifier: PostgreSQL */
/* conf_home.h - a fresh barman_home with configuration files. '@' in a text stands for it. */
#ifndef TESTS_CONF_HOME_H
#define TESTS_CONF_HOME_H

#include "cfg/config.h"

#include "base/file.h"

#include "harness.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "[barman]\nbarman_home = @\n"
#define SRV  "[pg]\nconninfo = host=a\nbackup_method = postgres\narchiver = on\n"

static char home[256];

static inline void put(const char *name, const char *text)
{
    char path[512], all[65536];
    struct sbuf b;
    struct err err;

    sbuf_init(&b, all, sizeof all);
    for (; *text; text++) {
        if (*text == '@') {
            sbuf_add(&b, home);
        } else {
            sbuf_char(&b, *text);
        }
    }
    assert_true(sbuf_ok(&b));
    str_fmt(path, sizeof path, "%s/%s", home, name);
    assert_true(file_replace(path, str_n(b.p, b.len), &err));
}

static inline void at_home(const char *text, char out[512])
{
    struct sbuf b;

    sbuf_init(&b, out, 512);
    for (; *text; text++) {
        if (*text == '@') {
            sbuf_add(&b, home);
        } else {
            sbuf_char(&b, *text);
        }
    }
}

static inline void fresh_home(void)
{
    char conf_d[300];

    str_copy(home, sizeof home, "/tmp/barkeep-cfg-XXXXXX");
    assert_non_null(mkdtemp(home));
    str_fmt(conf_d, sizeof conf_d, "%s/conf.d", home);
    assert_int_equal(mkdir(conf_d, 0700), 0);
}

static inline const struct config *load(struct arena *a, struct cfg_messages *w,
                                        struct err *err)
{
    char path[512];

    str_fmt(path, sizeof path, "%s/main.conf", home);
    return config_load(a, path, w, err);
}

#endif
