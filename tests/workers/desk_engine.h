/* SPDX-License-Identifier: PostgreSQL */
/* desk_engine.h - servers that behave as a test wants, in the place of engine/look.h: how the
 * desk treats them is what is tested, and a server that hangs for exactly so long cannot be had
 * otherwise. The first letter of a server's name:
 *
 *     s  answers, and something has changed every time
 *     q  answers, and nothing changes
 *     d  does not answer until the deadline, or until it is cancelled
 *     r  refuses at once
 *     x  hangs and cannot be cancelled, as a name look-up (3 s)
 */
#ifndef TESTS_WORKERS_DESK_ENGINE_H
#define TESTS_WORKERS_DESK_ENGINE_H

#include "desk_tools.h"

#include "engine/look.h"

#include <stdatomic.h>

struct look {
    const struct server_cfg *srv;
    uint32_t index;
    bool is_silent;
    int64_t answered_us;
};

static _Atomic unsigned lives[500], hanging, most_hanging, freed;

struct look *look_new(const struct config *cfg, uint32_t index, struct err *err)
{
    struct look *l = calloc(1, sizeof *l);

    (void)err;
    l->srv = &cfg->server[index];
    l->index = index;
    return l;
}

void look_free(struct look *l)
{
    freed += l != NULL;
    free(l);
}

static bool hang(const struct task *t, int ms)
{
    struct pollfd fd = {.fd = t->cancel_fd, .events = POLLIN};
    int64_t left = (t->deadline_ns - clock_mono_ns()) / NS_PER_MS;
    unsigned now = ++hanging, most = most_hanging;

    while (now > most && !atomic_compare_exchange_weak(&most_hanging, &most, now)) {
    }
    if (ms) {
        poll(NULL, 0, ms);
    } else {
        poll(&fd, 1, left > 0 ? (int)left : 0);
    }
    hanging--;
    return false;
}

bool look_live(struct look *l, const struct task *t)
{
    lives[l->index]++;
    switch (l->srv->name[0]) {
    case 'd':
        l->is_silent = true;
        return hang(t, 0);
    case 'x':
        l->is_silent = true;
        return hang(t, 3000);
    case 'r':
        l->is_silent = true;
        return false;
    default:
        l->answered_us = clock_wall_ns() / 1000;
        return l->srv->name[0] == 's';
    }
}

bool look_kept(struct look *l, const struct task *t)
{
    (void)l;
    (void)t;
    return false;
}

bool look_bounds(struct look *l, const struct task *t)
{
    (void)l;
    (void)t;
    return false;
}

bool look_is_silent(const struct look *l)
{
    return l->is_silent;
}

struct snapshot *look_snapshot(struct look *l, struct err *err)
{
    struct snapshot *s = calloc(1, sizeof *s);

    (void)err;
    arena_init(&s->arena, 0);
    s->server = arena_strdup(&s->arena, l->srv->name);
    s->index = l->index;
    s->made_us = clock_wall_ns() / 1000;
    s->sentence = s->todo = "";
    s->light = LIGHT_OK;
    s->live.state = l->answered_us ? LIVE_OK : l->is_silent ? LIVE_SILENT : LIVE_NOT_ASKED;
    s->live.answered_us = l->answered_us;
    s->live.version_text = l->answered_us ? "15.18" : NULL;
    return s;
}

#endif
