/* SPDX-License-Identifier: PostgreSQL */
/* receive_pace.c - does a server wait for us that did not when we connected?
 *
 * Whose commits wait for us falls silent until we tell what is durable, and goes on at once when we
 * have. Seen that way WAITS_MAX times in a row, the server is asked, over an ordinary connection of
 * a lane of its own: the stream and its answers go on meanwhile. When it does not wait for us, or
 * cannot be asked, the next question comes ever later.
 */
#include "base/clock.h"
#include "engine/receive.h"

#include <string.h>

#define WAITS_MAX  3
#define SILENCE_NS (100 * NS_PER_MS) /* at least so long nothing came while we waited */
#define ANSWER_NS  (100 * NS_PER_MS) /* at most so long after we told something comes */
#define ASK_FIRST  (10 * NS_PER_S)
#define ASK_LAST   (600 * NS_PER_S)

/* A name of ours in another's is asked for by mistake: it costs a few more syncs. */
bool pace_is_named(const struct server_cfg *srv, const char *names)
{
    const char *ours = srv->streaming_archiver_name;

    return strchr(names, '*') || (ours && ours[0] && strstr(names, ours));
}

/* ---- the lane that asks ------------------------------------------------------------- */

struct pace_item {
    uint64_t number; /* of the question, from 1 on */
};

/* The mark becomes twice the number, and one more when a commit waits for us. */
static bool consume_ask(void *ctx, void *item, bool more, struct err *err)
{
    struct receive *rx = ctx;
    const struct pace_item *it = item;
    const struct pg_target target = {.conninfo = server_cfg_wal_conninfo(rx->srv),
                                     .application_name = "barkeep"};
    const char *names;
    struct err ignored;
    struct arena a;
    struct pg *pg;

    (void)more;
    (void)err;
    arena_init(&a, 0);
    pg = target.conninfo ? pg_open(rx->t, &target, &ignored) : NULL;
    names = pg ? pg_show_setting(pg, rx->t, &a, "synchronous_standby_names", &ignored) : NULL;
    lane_set_mark(rx->t, rx->pace.lane,
                  2 * it->number + (names && pace_is_named(rx->srv, names)));
    pg_close(pg);
    arena_release(&a);
    return true;
}

bool pace_open(struct receive *rx, struct err *err)
{
    const struct lane_spec spec = {
        .name = "wal-pace",
        .item_size = sizeof(struct pace_item),
        .slots = 2,
        .ctx = rx,
        .consume = consume_ask,
    };

    rx->pace = (struct pace){.ask_ns = ASK_FIRST};
    rx->pace.lane = lane_open(rx->t, &spec, err);
    return rx->pace.lane != NULL;
}

void pace_close(struct receive *rx)
{
    lane_fail(rx->t, rx->pace.lane);
}

/* ---- what the stream shows ---------------------------------------------------------- */

static void ask(struct receive *rx, int64_t now)
{
    struct pace *p = &rx->pace;
    const struct pace_item item = {.number = p->asked + 1};
    struct err ignored;

    if (p->asked > p->answered || now < p->next_ask_ns) {
        return;
    }
    p->asked++;
    p->next_ask_ns = now + p->ask_ns;
    p->ask_ns = p->ask_ns * 2 > ASK_LAST ? ASK_LAST : p->ask_ns * 2;
    if (!lane_put(rx->t, p->lane, &item, &ignored)) {
        p->answered = p->asked;
    }
}

void pace_waited(struct receive *rx, int64_t now)
{
    rx->pace.has_waited = now - rx->pace.heard_ns >= SILENCE_NS;
}

void pace_told(struct receive *rx, int64_t now)
{
    struct pace *p = &rx->pace;

    p->told_ns = p->has_waited ? now : 0;
    p->has_waited = false;
}

void pace_heard(struct receive *rx, int64_t now)
{
    struct pace *p = &rx->pace;
    bool is_answer = p->told_ns && now - p->told_ns <= ANSWER_NS;

    if (is_answer) {
        p->waits++;
    } else if (p->told_ns) {
        p->waits = 0;
    }
    p->told_ns = 0;
    p->heard_ns = now;
    if (p->waits >= WAITS_MAX && !rx->is_prompt) {
        p->waits = 0;
        ask(rx, now);
    }
}

void pace_look(struct receive *rx)
{
    struct pace *p = &rx->pace;
    uint64_t mark = p->asked > p->answered ? lane_mark(rx->t, p->lane) : 0;

    if (mark / 2 <= p->answered) {
        return;
    }
    p->answered = mark / 2;
    if (mark % 2) {
        rx->is_prompt = true;
        p->ask_ns = ASK_FIRST;
        task_say(rx->t, SAY_LOG, "%s: commits wait for this receiver now", rx->srv->name);
    }
}
