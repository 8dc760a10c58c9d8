/* SPDX-License-Identifier: PostgreSQL */
/* desk_tools.h - a desk on a temporary home, its orders and its news. */
#ifndef TESTS_WORKERS_DESK_TOOLS_H
#define TESTS_WORKERS_DESK_TOOLS_H

#include "desk_program.h"

#include "barkeep/ask.h"
#include "barkeep/jobs.h"
#include "barkeep/snapshot.h"
#include "cfg/config.h"
#include "workers/desk.h"

#define LOOK_MS 20000 /* nothing here takes that long */

/* ---- the desk ---- */

static struct server_cfg servers[500];
static struct config config;
static char names[500][16];
static char program[PATH_CAP];
static struct desk *desk;
static struct road_end road;

/* n servers, 's': s000, s001 ... */
static inline void set_servers(char letter, size_t n)
{
    memset(servers, 0, sizeof servers);
    for (size_t i = 0; i < n; i++) {
        str_fmt(names[i], sizeof names[i], "%c%03d", letter, (int)i);
        servers[i].name = names[i];
    }
    config = (struct config){.server = servers, .servers = n, .barman_home = home};
}

static inline void open_desk(void)
{
    struct desk_spec spec = {.config = &config, .program = program, .config_path = home};
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    struct err err = {0};

    assert_true(len > 0);
    program[len] = '\0';
    desk = desk_new(&spec, &err);
    if (!desk) {
        fail_msg("%s", err.why);
    }
    road = desk_end(desk);
}

static inline void new_desk_at(char letter, size_t n)
{
    set_servers(letter, n);
    open_desk();
}

static inline void new_desk(char letter, size_t n)
{
    new_home();
    new_desk_at(letter, n);
}

static inline int64_t free_desk(void)
{
    int64_t begin = clock_mono_ns();

    desk_free(desk);
    desk = NULL;
    return clock_mono_ns() - begin;
}

static inline void drop_desk(void)
{
    free_desk();
    drop_home();
}

static inline void give(struct order order)
{
    assert_true(road.order(road.self, &order));
}

/* The next news, whatever it is; false when none came in so many milliseconds. */
static inline bool next_news(struct news *news, int ms)
{
    int64_t until = clock_mono_ns() + ms * NS_PER_MS;

    for (;;) {
        struct pollfd fd = {.fd = road.fd, .events = POLLIN};
        int64_t left = (until - clock_mono_ns()) / NS_PER_MS;

        if (road.take(road.self, news)) {
            return true;
        }
        if (left <= 0) {
            return false;
        }
        poll(&fd, 1, (int)left);
    }
}

/* The next of that kind; others are thrown away. */
static inline struct news await_news(enum news_kind kind)
{
    struct news news;

    while (next_news(&news, LOOK_MS)) {
        if (news.kind == kind) {
            return news;
        }
        news_release(&news);
    }
    fail_msg("news of kind %d did not come", (int)kind);
    return (struct news){0};
}

/* Until the list says so; the row's texts are gone with the news. */
static inline struct job_row await_row(uint32_t number, enum row_state state, char text[256])
{
    for (;;) {
        struct news news = await_news(NEWS_JOBS);
        struct job_row row = {0};

        for (size_t i = 0; i < news.jobs->n; i++) {
            if (news.jobs->job[i].number == number) {
                row = news.jobs->job[i];
            }
        }
        if (row.number && row.state == state) {
            snprintf(text, 256, "%s|%s|%s|%s", row.verb, row.server, row.plan, row.text);
            news_release(&news);
            return row;
        }
        news_release(&news);
    }
}

/* Start it and wait for the answer. 0: refused, *why is filled. */
static inline uint32_t start_job(const char *words, char why[300])
{
    struct news news;
    uint32_t number;

    give((struct order){.kind = ORDER_START, .ticket = 5, .words = words});
    news = await_news(NEWS_STARTED);
    assert_int_equal(news.started.ticket, 5);
    number = news.started.err ? 0 : news.job;
    if (news.started.err && why) {
        snprintf(why, 300, "%s: %s", news.started.err->doing, news.started.err->why);
    }
    news_release(&news);
    return number;
}

#endif
