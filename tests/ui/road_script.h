/* SPDX-License-Identifier: PostgreSQL */
/* road_script.h - the workers' side of the road, played by a test: takes the orders the screen
 * gave, hands answers, starts and ends of jobs back, lets time pass. */
#ifndef TESTS_UI_ROAD_SCRIPT_H
#define TESTS_UI_ROAD_SCRIPT_H

#include "story.h"

#include "ui/prompt.h"
#include "ui/wizard.h"

#include <stdio.h>

#define SCRIPT_ORDERS 64

struct script {
    struct ui ui;
    struct order order[SCRIPT_ORDERS]; /* given since the last script_clear() */
    char words[SCRIPT_ORDERS][1024];   /* of a start, joined by blanks */
    struct ask ask[SCRIPT_ORDERS];
    size_t n;
    uint32_t next_job;
    struct job_row row[8];
    size_t rows;
    unsigned flags; /* of the last key */
};

static inline void script_take(struct script *s)
{
    for (size_t i = 0; i < s->ui.orders && s->n < SCRIPT_ORDERS; i++) {
        struct ui_order *o = &s->ui.order[i];
        struct sbuf b;

        s->order[s->n] = o->order;
        if (o->order.ask) {
            s->ask[s->n] = *o->order.ask;
            ask_free(o->order.ask);
        }
        sbuf_init(&b, s->words[s->n], sizeof s->words[0]);
        for (const char *w = o->words; o->order.kind == ORDER_START && *w; w += strlen(w) + 1) {
            sbuf_fmt(&b, "%s%s", w == o->words ? "" : " ", w);
        }
        s->n++;
    }
    s->ui.orders = 0;
}

static inline void script_clear(struct script *s)
{
    s->n = 0;
}

/* Time passes in steps of 50 ms, as the loop would wake for what is due. */
static inline void script_wait(struct script *s, int64_t ms)
{
    for (; ms > 0; ms -= 50) {
        model_now(&s->ui.model, s->ui.model.now_us + 50000,
                  s->ui.model.now_ns + 50 * NS_PER_MS);
        (void)ui_tick(&s->ui);
        script_take(s);
    }
}

static inline void script_key(struct script *s, int key)
{
    s->flags = ui_key(&s->ui, key);
    script_take(s);
}

static inline void script_keys(struct script *s, const char *keys)
{
    for (; *keys; keys++) {
        script_key(s, *keys == '\n' ? UI_KEY_ENTER : *keys == '\033' ? UI_KEY_ESC : *keys);
    }
}

/* The newest ask of the kind; fails when there was none. */
static inline const struct ask *script_asked(struct script *s, enum ask_kind kind)
{
    for (size_t i = s->n; i-- > 0;) {
        if (s->order[i].kind == ORDER_ASK && s->ask[i].kind == kind) {
            return &s->ask[i];
        }
    }
    fail_msg("kind %d was not asked", kind);
    return NULL;
}

static inline size_t script_count(const struct script *s, enum ask_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        n += s->order[i].kind == ORDER_ASK && s->ask[i].kind == kind;
    }
    return n;
}

static inline struct answer *script_answer(struct script *s, enum ask_kind kind)
{
    struct answer *a = calloc(1, sizeof *a);

    assert_non_null(a);
    arena_init(&a->arena, 0);
    a->kind = kind;
    a->ticket = script_asked(s, kind)->ticket;
    a->is_last = true;
    return a;
}

static inline void script_hand(struct script *s, struct answer *a)
{
    story_news(&s->ui, (struct news){.kind = NEWS_ANSWER, .answer = a});
    script_take(s);
}

static inline void script_fail(struct script *s, enum ask_kind kind, const char *what,
                               const char *why, const char *hint)
{
    struct answer *a = script_answer(s, kind);

    a->has_failed = true;
    (void)err_set(&a->err, ERR_IO, hint, what, "%s", why);
    script_hand(s, a);
}

static inline void script_begin(struct script *s)
{
    memset(s, 0, sizeof *s);
    story_begin(&s->ui);
    s->next_job = 41;
}

static inline void script_end_all(struct script *s)
{
    ui_release(&s->ui);
}

#endif
