/* SPDX-License-Identifier: PostgreSQL */
/* Timelines and what can be restored, as they are seen. */
#include "ui/golden.h"
#include "ui/more_story.h"

static void as_it_stands(void **state)
{
    static struct ui ui;
    (void)state;

    story_begin(&ui);
    (void)ui_key(&ui, 't');
    golden_sizes(&ui, "wal");
    ui_release(&ui);
}

static void in_the_hole(void **state)
{
    static struct ui ui;
    (void)state;

    story_begin(&ui);
    (void)ui_key(&ui, 't');
    ui.axis_at_us = story_us(18, 20, 0, 0);
    golden_sizes(&ui, "wal-hole");
    ui_release(&ui);
}

/* One hour, and bounds that nobody has read from WAL yet. */
static void zoomed(void **state)
{
    static struct ui ui;
    struct snapshot *s;
    struct stretch *st;
    (void)state;

    story_begin(&ui);
    s = story_snapshot(STORY_ORDERS);
    st = (struct stretch *)(uintptr_t)s->coverage->stretch;
    st[1].to.is_proven = st[1].from.is_proven = false;
    st[1].is_open = false;
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    (void)ui_key(&ui, 't');
    ui.axis_from_us = story_us(22, 2, 0, 0);
    ui.axis_to_us = story_us(22, 3, 0, 0);
    ui.axis_at_us = story_us(22, 2, 30, 0);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "wal-hour");
    ui_release(&ui);
}

/* A hole that nothing ends, an abandoned timeline, WAL that nobody misses. */
static void open_hole(void **state)
{
    static struct ui ui;
    struct snapshot *s;
    struct coverage *c;
    struct hole *h;
    (void)state;

    story_begin(&ui);
    s = story_snapshot(STORY_ORDERS);
    c = (struct coverage *)(uintptr_t)s->coverage;
    h = ARENA_ARRAY(&s->arena, 2, struct hole);
    h[0] = c->hole[0];
    h[0].hurts = false;
    h[1] = (struct hole){.why = HOLE_CORRUPT,
                         .tli = 3,
                         .segments = 1,
                         .hurts = true,
                         .from_lsn = UINT64_C(0x4C90000000),
                         .to_lsn = UINT64_C(0x4C91000000),
                         .from_us = story_us(22, 2, 40, 0),
                         .note = "the page at 4C/90002000 has magic 0000"};
    (void)str_copy(h[1].first, sizeof h[1].first, "000000030000004C00000090");
    (void)str_copy(h[1].last, sizeof h[1].last, h[1].first);
    c->hole = h;
    c->holes = 2;
    ((struct stretch *)(uintptr_t)c->stretch)[1].to.us = story_us(22, 2, 40, 0);
    ((struct stretch *)(uintptr_t)c->stretch)[1].is_open = false;
    ((struct line_part *)(uintptr_t)c->line)[1].is_main = false;
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    (void)ui_key(&ui, 't');
    ui.axis_at_us = story_us(22, 3, 0, 0);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "wal-open-hole");
    ui_release(&ui);
}

static void nothing(void **state)
{
    static struct ui ui;
    (void)state;

    story_begin(&ui);
    ui_select_server(&ui, story_server[4]);
    (void)ui_key(&ui, 't');
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "wal-nothing");
    for (const char *key = "hlHL+-0gG\nry"; *key; key++) {
        (void)ui_key(&ui, *key);
    }
    ui_release(&ui);
}

/* Any moment, any width: nothing is drawn outside, nothing divides by nothing. */
static void anywhere(void **state)
{
    static struct ui ui;
    (void)state;

    story_begin(&ui);
    (void)ui_key(&ui, 't');
    for (int cols = 60; cols < 200; cols += 7) {
        struct grid *g = grid_new(cols, 16 + cols % 9, SYMBOLS_BLOCK);

        for (int i = 0; i < 60; i++) {
            static const char script[] = "++hhLL-H+l0";

            (void)ui_key(&ui, script[(i * 7 + cols) % 11]);
            ui_draw(&ui, g);
        }
        grid_free(g);
    }
    ui_release(&ui);
}

TEST_MAIN(ONE(as_it_stands); ONE(in_the_hole); ONE(zoomed); ONE(open_hole); ONE(nothing);
          ONE(anywhere))
