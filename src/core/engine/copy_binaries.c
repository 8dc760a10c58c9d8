/* SPDX-License-Identifier: PostgreSQL */
/* copy_binaries.c - where are the server programs of a version? */
#include "engine/copy_in.h"

#include "base/child.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_S 10

/* "postgres (PostgreSQL) 15.20 (Debian 15.20-1)", "postgres (PostgreSQL) 18beta1" -> 15, 18 */
static bool is_of(const char *program, int major)
{
    const char *argv[] = {program, "--version", NULL};
    char text[256];
    struct child_spec spec = {.argv = argv,
                              .out = text,
                              .out_cap = sizeof text,
                              .deadline_ns = clock_mono_ns() + ANSWER_S * NS_PER_S,
                              .cancel_fd = -1};
    struct child_end end;
    struct err ignored;
    struct str s;
    uint64_t found;

    if (access(program, X_OK) != 0 || !child_run(&spec, &end, &ignored)) {
        return false;
    }
    s = str_n(text, end.out_len);
    return str_take_lit(&s, "postgres (PostgreSQL) ") && str_take_u64(&s, 99, &found) &&
           (int)found == major;
}

static const char *usable(struct arena *a, int major, const char *dir)
{
    const char *program = dir && dir[0] ? arena_fmt(a, "%s/postgres", dir) : NULL;

    return program && is_of(program, major) ? dir : NULL;
}

static const char *in_path(struct arena *a, int major)
{
    struct str rest = str_of(getenv("PATH")), dir;

    while (str_split(&rest, ':', &dir)) {
        const char *text = dir.n && dir.p[0] == '/' ? arena_strndup(a, dir.p, dir.n) : NULL;

        if (usable(a, major, text)) {
            return text;
        }
    }
    return NULL;
}

const char *copy_binaries(struct arena *a, int major)
{
    const char *own = getenv("BARKEEP_PG_BIN");
    const char *place[] = {
        own && own[0] ? arena_fmt(a, "%s/%d/bin", own, major) : NULL,
        own && own[0] ? own : NULL,
        arena_fmt(a, "/usr/lib/postgresql/%d/bin", major),
        arena_fmt(a, "/usr/pgsql-%d/bin", major),
        "/usr/local/pgsql/bin",
    };

    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        if (usable(a, major, place[i])) {
            return place[i];
        }
    }
    return in_path(a, major);
}
