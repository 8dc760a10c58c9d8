/* SPDX-License-Identifier: PostgreSQL */
/* The desk with real threads: who is looked at when, what is asked, what is seen first, and how
 * soon it is gone. Its jobs are in desk_jobs_test.c. */
#include "desk_engine.h"
#include "desk_questions.h"

#include "workers/saved.h"

/* ---- looking ---- */

/* 60 of 120 hang; still everybody who answers is heard within seconds, and the end is swift. */
static void the_dead_delay_nobody(void **state)
{
    bool heard[120] = {false};
    int64_t begin, took;
    unsigned left = 60;

    (void)state;
    new_home();
    set_servers('s', 120);
    for (int i = 0; i < 120; i += 2) {
        names[i][0] = 'd';
    }
    atomic_store(&most_hanging, 0);
    begin = clock_mono_ns();
    open_desk();
    while (left) {
        struct news news = await_news(NEWS_SNAPSHOT);
        uint32_t i = news.snapshot->index;
        if (news.snapshot->live.state == LIVE_OK && !heard[i]) {
            assert_int_equal(names[i][0], 's');
            heard[i] = true;
            left--;
        }
        news_release(&news);
    }
    took = clock_mono_ns() - begin;
    assert_true(took < 8 * NS_PER_S);
    poll(NULL, 0, 2500); /* now the dead are known to be */
    assert_in_range(most_hanging, 1, DESK_LOOKERS - 4);
    took = free_desk();
    assert_true(took < 400 * NS_PER_MS);
    drop_home();
}

static void fifty_hanging_and_gone_at_once(void **state)
{
    int64_t took;

    (void)state;
    new_desk('d', 50);
    poll(NULL, 0, 200);
    assert_true(hanging > 0);
    took = free_desk();
    print_message("gone after %lld us\n", (long long)(took / 1000));
    assert_true(took < 300 * NS_PER_MS);
    assert_int_equal(hanging, 0);
    drop_home();
}

/* Such a thread is left behind with its desk, which a child process takes along. */
static void a_name_look_up_is_not_waited_for(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    new_home();
    pid = fork();
    if (pid == 0) {
        int64_t took;
        new_desk_at('x', 3);
        poll(NULL, 0, 200);
        took = free_desk();
        kill(getpid(), took < 400 * NS_PER_MS ? SIGKILL : SIGTERM); /* no sanitizer's exit */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    drop_home();
}

static unsigned looks_in(uint32_t server, int ms)
{
    unsigned before = lives[server];
    int64_t until = clock_mono_ns() + ms * NS_PER_MS;
    struct news news;

    while (clock_mono_ns() < until) {
        if (next_news(&news, 20)) {
            news_release(&news);
        }
    }
    return lives[server] - before;
}

/* It is looked at again, within so many ms, because of that order. */
static bool is_looked_at_by(struct order order, uint32_t server, int ms)
{
    unsigned before = lives[server];

    give(order);
    for (int i = 0; i < ms; i += 20) {
        if (lives[server] != before || looks_in(server, 20)) {
            return true;
        }
    }
    return false;
}

static void orders_about_looking(void **state)
{
    (void)state;
    new_desk('s', 200);  /* a turn takes half a minute */
    looks_in(150, 1500); /* the first round */
    assert_int_equal(looks_in(199, 300), 0);
    assert_true(
        is_looked_at_by((struct order){.kind = ORDER_REFRESH, .server = 199}, 199, 3000));
    give((struct order){.kind = ORDER_SELECT, .server = 198});
    assert_in_range(looks_in(198, 4700), 2, 4); /* at 0, 2 and 4 s */
    give((struct order){.kind = ORDER_PAUSE});
    looks_in(198, 100);
    give((struct order){.kind = ORDER_REFRESH, .server = 199});
    assert_int_equal(looks_in(199, 2500), 0);
    assert_true(is_looked_at_by((struct order){.kind = ORDER_RESUME}, 199, 3000));
    give((struct order){.kind = ORDER_SELECT, .server = 4000000000}); /* there is none */
    give((struct order){.kind = ORDER_REFRESH, .server = 200});
    looks_in(0, 100);
    drop_desk();
}

/* 2, 4, 8 s between two tries, and the snapshot says when the next one is. */
static void silence_is_waited_out(void **state)
{
    unsigned seen = 0;
    int64_t until;
    struct news news;

    (void)state;
    new_desk('r', 1);
    until = clock_mono_ns() + 7 * NS_PER_S;
    while (clock_mono_ns() < until) {
        if (!next_news(&news, 50)) {
            continue;
        }
        if (news.kind == NEWS_SNAPSHOT && news.snapshot->live.state == LIVE_SILENT) {
            int64_t wait = news.snapshot->live.next_us - clock_wall_ns() / 1000;
            seen++;
            assert_in_range(wait, ((int64_t)1 << seen) * US_PER_S - 500000,
                            ((int64_t)1 << seen) * US_PER_S);
        }
        news_release(&news);
    }
    assert_int_equal(seen, 3); /* at 0, 2 and 6 s */
    assert_int_equal(lives[0] > 0, 1);
    drop_desk();
}

/* ---- what was seen ---- */

static void first_comes_what_was_seen(void **state)
{
    bool told[500] = {false};
    int64_t begin, took;
    struct news news;

    (void)state;
    new_desk('s', 500);
    for (unsigned live = 0; live < 500;) {
        news = await_news(NEWS_SNAPSHOT);
        live += news.snapshot->live.state == LIVE_OK && !told[news.snapshot->index];
        told[news.snapshot->index] |= news.snapshot->live.state == LIVE_OK;
        news_release(&news);
    }
    free_desk();
    begin = clock_mono_ns();
    open_desk();
    for (int i = 0; i < 500; i++) {
        news = await_news(NEWS_SNAPSHOT);
        assert_true(news.snapshot->is_saved);
        assert_int_equal(news.snapshot->index, i);
        assert_string_equal(news.snapshot->live.version_text, "15.18");
        assert_int_equal(news.snapshot->live.state, LIVE_NOT_ASKED);
        news_release(&news);
    }
    took = clock_mono_ns() - begin;
    print_message("500 saved snapshots after %lld us\n", (long long)(took / 1000));
    assert_true(took < 250 * NS_PER_MS);
    drop_desk();
}

static void without_a_file_everybody_waits(void **state)
{
    struct news news;

    (void)state;
    new_desk('q', 3);
    for (uint32_t i = 0; i < 3; i++) {
        news = await_news(NEWS_SNAPSHOT);
        assert_true(news.snapshot->is_saved);
        assert_int_equal(news.snapshot->index, i);
        assert_int_equal(news.snapshot->light, LIGHT_WAIT);
        assert_string_equal(news.snapshot->server, names[i]);
        news_release(&news);
    }
    drop_desk();
}

static void write_seen(const char *text)
{
    char dir[PATH_CAP], path[PATH_CAP];
    struct err err = {0};

    assert_true(path_join(dir, home, ".barkeep", &err) && path_join(path, dir, "seen", &err));
    assert_true(dir_make(dir, &err) && file_replace(path, str_of(text), &err));
}

static const struct seen_row {
    const char *label;
    const char *text;
    const char *version; /* what the first snapshot of q000 knows */
} seens[] = {
    {"whole",
     SAVED_HEAD "server\tname=q000\nlive\tanswered=1\tversion_text=14.1\nend\tservers=1\n",
     "14.1"},
    {"torn", SAVED_HEAD "server\tname=q000\nlive\tanswered=1\tversion_text=14.1\n", NULL},
    {"not ours", "hello\n", NULL},
    {"empty", "", NULL},
    {"of servers that are gone",
     SAVED_HEAD "server\tname=zzz\nlive\tversion_text=14.1\nend\tservers=1\n", NULL},
    {"a bad entry spoils only itself",
     SAVED_HEAD "server\tname=q001\nlive\tlsn=x\nserver\tname=q000\nlive\tversion_text=14.2\n"
                "end\tservers=2\n",
     "14.2"},
    {"the same server twice",
     SAVED_HEAD "server\tname=q000\nlive\tversion_text=14.3\nserver\tname=q000\n"
                "live\tversion_text=9\nend\tservers=2\n",
     "14.3"},
};

static void file_of_what_was_seen(void **state)
{
    const struct seen_row *r = *state;
    unsigned firsts = 0;

    new_home();
    write_seen(r->text);
    new_desk_at('q', 2);
    while (firsts < 2) {
        struct news news = await_news(NEWS_SNAPSHOT);
        assert_true(news.snapshot->is_saved);
        if (news.snapshot->index == 0) {
            const char *version = news.snapshot->live.version_text;
            assert_true(r->version ? version && strcmp(version, r->version) == 0 : !version);
        }
        firsts++;
        news_release(&news);
    }
    drop_desk();
}

/* A server that is silent now keeps what it said in an earlier run. */
static void silence_does_not_forget(void **state)
{
    (void)state;
    new_home();
    write_seen(SAVED_HEAD
               "server\tname=r000\nlive\tanswered=99\tversion_text=14.1\nend\tservers=1\n");
    new_desk_at('r', 1);
    for (bool silent = false; !silent;) {
        struct news news = await_news(NEWS_SNAPSHOT);
        silent = news.snapshot->live.state == LIVE_SILENT;
        assert_string_equal(news.snapshot->live.version_text, "14.1");
        assert_int_equal(news.snapshot->live.answered_us, 99);
        news_release(&news);
    }
    drop_desk();
}

/* ---- asking ---- */

static void ask(enum ask_kind kind, uint32_t ticket, const char *text)
{
    struct ask ask = {.kind = kind, .ticket = ticket};

    str_copy(ask.restore.server, sizeof ask.restore.server, "q000");
    str_copy(ask.restore.goal.text, sizeof ask.restore.goal.text, text);
    str_copy(ask.restore.backup, sizeof ask.restore.backup, text);
    str_copy(ask.restore.destination, sizeof ask.restore.destination, text);
    str_copy(ask.table[0], sizeof ask.table[0], "public.a");
    str_copy(ask.table[1], sizeof ask.table[1], "public.b");
    ask.tables = 2;
    give((struct order){.kind = ORDER_ASK, .ask = ask_new(&ask)});
}

static void the_newest_of_a_kind_is_answered(void **state)
{
    unsigned before = cancelled, hung = hanging;
    struct news news;

    (void)state;
    new_desk('q', 1);
    ask(ASK_BACKUP, 1, "hang"); /* of another kind: goes on */
    ask(ASK_MOMENT, 2, "hang");
    for (int i = 0; i < 1000 && hanging - hung < 2; i++) {
        poll(NULL, 0, 10);
    }
    assert_int_equal(hanging - hung, 2);
    for (uint32_t ticket = 3; ticket < 14; ticket++) { /* no more than there are places */
        ask(ASK_MOMENT, ticket, "hang");
    }
    ask(ASK_MOMENT, 40, "noon");
    news = await_news(NEWS_ANSWER);
    assert_int_equal(news.answer->ticket, 40);
    assert_true(news.answer->is_last && !news.answer->has_failed);
    assert_string_equal(news.answer->moment.sentence, "stops at noon");
    news_release(&news);
    for (int i = 0; i < 1000 && cancelled == before; i++) {
        poll(NULL, 0, 10);
    }
    assert_true(cancelled - before >= 1); /* that one; of the others some were never begun */
    give((struct order){.kind = ORDER_ASK_STOP, .ticket = 1});
    give((struct order){.kind = ORDER_ASK_STOP, .ticket = 12345}); /* of nobody */
    ask(ASK_MOMENT, 41, "one");
    news = await_news(NEWS_ANSWER); /* neither ticket 1 nor any of the cancelled ones */
    assert_int_equal(news.answer->ticket, 41);
    news_release(&news);
    drop_desk();
}

static void answers_of_every_kind(void **state)
{
    struct news news;

    (void)state;
    new_desk('q', 1);
    ask(ASK_COPY, 1, "/srv/copy");
    news = await_news(NEWS_ANSWER);
    assert_string_equal(news.answer->copy.sentence, "/srv/copy");
    news_release(&news);
    ask(ASK_COMPARE, 2, "/srv/copy");
    news = await_news(NEWS_ANSWER);
    assert_string_equal(news.answer->compare.database, "public.b of 2");
    news_release(&news);
    ask(ASK_PLACE, 3, "");
    news = await_news(NEWS_ANSWER);
    assert_string_equal(news.answer->place.destination, "/srv/copy");
    news_release(&news);
    ask(ASK_PLAN, 5, "auto");
    news = await_news(NEWS_ANSWER);
    assert_string_equal(news.answer->plan.backup_id, "auto of q000 by workers_desk_test");
    news_release(&news);
    ask(ASK_BACKUP, 6, "x");
    news = await_news(NEWS_ANSWER);
    assert_true(news.answer->kind == ASK_BACKUP && !news.answer->has_failed);
    news_release(&news);
    ask(ASK_MOMENT, 4, "fail");
    news = await_news(NEWS_ANSWER);
    assert_true(news.answer->has_failed);
    assert_int_equal(news.answer->err.code, ERR_MISSING);
    assert_null(news.answer->moment.sentence);
    news_release(&news);
    give((struct order){.kind = ORDER_ASK,
                        .ask = ask_new(&(struct ask){
                            .kind = ASK_MOMENT, .ticket = 6, .restore.server = "nobody"})});
    news = await_news(NEWS_ANSWER);
    assert_true(news.answer->has_failed);
    assert_int_equal(news.answer->err.code, ERR_CONFIG);
    news_release(&news);
    drop_desk();
}

static void points_come_in_parts(void **state)
{
    unsigned parts = 0;
    bool last = false;

    (void)state;
    new_desk('q', 1);
    ask(ASK_POINTS, 7, "");
    while (!last) {
        struct news news = await_news(NEWS_ANSWER);
        last = news.answer->is_last;
        assert_int_equal(news.answer->ticket, 7);
        if (!last) {
            parts++;
            assert_int_equal(news.answer->points.segments, parts);
            assert_string_equal(news.answer->points.point[0].name, "before");
            assert_int_equal(news.answer->points.commits.bytes[1], 2);
        }
        news_release(&news);
    }
    assert_int_equal(parts, 3);
    drop_desk();
}

static void questions_do_not_delay_the_end(void **state)
{
    int64_t took;

    (void)state;
    new_desk('q', 1);
    ask(ASK_MOMENT, 1, "hang");
    ask(ASK_BACKUP, 2, "hang");
    poll(NULL, 0, 50);
    took = free_desk(); /* and frees answers that nobody took */
    assert_true(took < 300 * NS_PER_MS);
    drop_home();
}

/* Nobody takes the news: orders are still taken, until there is no more room, and then refused
 * at once. */
static void an_order_never_waits(void **state)
{
    unsigned taken = 0;
    int64_t begin;
    bool refused = false;

    (void)state;
    new_desk('q', 1);
    begin = clock_mono_ns();
    for (int i = 0; i < 5000 && !refused; i++) {
        struct order o = {.kind = ORDER_START, .words = NULL}; /* answered at once, each */
        refused = !road.order(road.self, &o);
        taken += !refused;
    }
    assert_true(refused);
    assert_true(taken >= 256);
    assert_true(clock_mono_ns() - begin < 2 * NS_PER_S);
    for (unsigned i = 0; i < taken; i++) { /* and every one of them is answered */
        struct news news = await_news(NEWS_STARTED);
        assert_non_null(news.started.err);
        news_release(&news);
    }
    drop_desk();
}

DESK_TEST_MAIN(ONE(the_dead_delay_nobody), ONE(fifty_hanging_and_gone_at_once),
               ONE(a_name_look_up_is_not_waited_for), ONE(orders_about_looking),
               ONE(silence_is_waited_out), ONE(first_comes_what_was_seen),
               ONE(without_a_file_everybody_waits), ROWS(seens, file_of_what_was_seen),
               ONE(silence_does_not_forget), ONE(the_newest_of_a_kind_is_answered),
               ONE(answers_of_every_kind), ONE(points_come_in_parts),
               ONE(questions_do_not_delay_the_end), ONE(an_order_never_waits))
