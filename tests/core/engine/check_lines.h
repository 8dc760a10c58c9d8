/* SPDX-License-Identifier: PostgreSQL */
/* check_lines.h - a struct checking to fill by hand, and its lines as one text:
 *
 *     PostgreSQL: OK
 *     wal_level: FAILED (please set it to a higher level than 'minimal')
 */
#ifndef TESTS_ENGINE_CHECK_LINES_H
#define TESTS_ENGINE_CHECK_LINES_H

#include "core/repo/fixture.h"

#include "engine/check_in.h"
#include "said.h"

struct checked {
    struct fx f;
    struct said said;
    struct arena a;
    struct server_cfg srv;
    struct check out;
    struct checking c;
    char text[16384];
};

static inline void checked_init(struct checked *k)
{
    memset(k, 0, sizeof *k);
    fx_init(&k->f);
    arena_init(&k->a, 0);
    k->srv = (struct server_cfg){
        .name = "main",
        .active = true,
        .conninfo = "host=a",
        .backup_method = "postgres",
        .streaming_archiver = true,
        .slot_name = "barman",
        .encryption = "none",
        .retention_policy_mode = "auto",
        .last_backup_maximum_age = CFG_UNSET,
        .last_backup_minimum_size = CFG_UNSET,
        .last_wal_maximum_age = CFG_UNSET,
        .max_incoming_wals_queue = CFG_UNSET,
    };
    k->c = (struct checking){.t = said_init(&k->said),
                             .repo = &k->f.r,
                             .srv = &k->srv,
                             .a = &k->a,
                             .out = &k->out,
                             .now_ns = INT64_C(1767225600) * 1000000000}; /* 2026-01-01 UTC */
}

static inline void checked_release(struct checked *k)
{
    arena_release(&k->a);
    fx_release(&k->f);
}

static inline const char *checked_text(struct checked *k)
{
    struct sbuf b;

    sbuf_init(&b, k->text, sizeof k->text);
    for (size_t i = 0; i < k->out.n; i++) {
        const struct check_line *l = &k->out.line[i];
        sbuf_fmt(&b, "%s: %s", l->label, l->ok ? "OK" : "FAILED");
        if (l->hint) {
            sbuf_fmt(&b, " (%s)", l->hint);
        }
        sbuf_char(&b, '\n');
    }
    assert_true(sbuf_ok(&b));
    return k->text;
}

/* The line of that label, or NULL. */
static inline const struct check_line *checked_line(const struct checked *k, const char *label)
{
    for (size_t i = 0; i < k->out.n; i++) {
        if (strcmp(k->out.line[i].label, label) == 0) {
            return &k->out.line[i];
        }
    }
    return NULL;
}

#endif
