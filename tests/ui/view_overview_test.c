/* SPDX-License-Identifier: PostgreSQL */
/* The first screen, as it is seen; tests/golden holds the pictures. */
#include "ui/golden.h"
#include "ui/more_story.h"

static struct ui ui;

static void begin(void)
{
    story_begin(&ui);
    story_paint(&ui);
}

static void keys(const char *text)
{
    for (; *text; text++) {
        (void)ui_key(&ui, (unsigned char)*text);
    }
}

static void as_it_stands(void **state)
{
    (void)state;
    begin();
    golden_sizes(&ui, "overview");
    golden_draw(&ui, 100, 30, SYMBOLS_BLOCK, "overview");
    ui_release(&ui);
}

/* What is seen before anybody has answered: names, and that nothing is known. */
static void first_paint(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_true(ui_init(&ui, story_server, STORY_SERVERS));
    model_now(&ui.model, STORY_NOW_US, NS_PER_S);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-first");
    ui_release(&ui);
}

/* What went on while nobody looked is told once, beside what always runs. */
static void went_on(void **state)
{
    (void)state;
    assert_true(ui_init(&ui, story_server, STORY_SERVERS));
    model_now(&ui.model, STORY_NOW_US, NS_PER_S);
    story_news(&ui, (struct news){.kind = NEWS_JOBS, .jobs = story_jobs()});
    assert_string_equal(ui.message,
                        "#41 verify-backup billing-db1 went on meanwhile; 4 shows the jobs");
    ui.message[0] = '\0';
    story_news(&ui, (struct news){.kind = NEWS_JOBS, .jobs = story_jobs()});
    assert_string_equal(ui.message, "");
    ui_release(&ui);
}

static void saved(void **state)
{
    struct snapshot *s;
    (void)state;

    begin();
    s = story_snapshot(STORY_ORDERS);
    s->is_saved = true;
    s->made_us -= 7 * 3600 * US_PER_S;
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-saved");
    ui_release(&ui);
}

static void no_server(void **state)
{
    (void)state;
    assert_true(ui_init(&ui, story_server, 0));
    model_now(&ui.model, STORY_NOW_US, NS_PER_S);
    golden_sizes(&ui, "overview-none");
    keys("jk2\n3\n4\nbrvDz/x\n\033y");
    story_paint(&ui);
    ui_release(&ui);
}

static void no_backup(void **state)
{
    (void)state;
    begin();
    ui_select_server(&ui, "東京-db");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-no-backup");
    ui_release(&ui);
}

static void silent(void **state)
{
    struct snapshot *s;
    (void)state;

    begin();
    s = story_snapshot(STORY_ORDERS);
    s->live.state = LIVE_SILENT;
    s->live.since_us = story_us(22, 3, 1, 40);
    s->light = LIGHT_UNKNOWN;
    s->sentence = "no answer since 03:01:40: timed out after 5 s";
    s->todo = "Is the host up?";
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-silent");
    ui_release(&ui);
}

/* The disk of the home is not mounted: that is no server without a backup. */
static void home_gone(void **state)
{
    struct snapshot *s;
    (void)state;

    begin();
    s = story_snapshot(STORY_ORDERS);
    s->backups = 0;
    s->coverage = NULL;
    s->kept_why = "'/srv/barman': barman_home is not there";
    s->light = LIGHT_FAIL;
    s->sentence = "what is kept cannot be read: '/srv/barman': barman_home is not there";
    s->todo = "Mount its disk, or correct barman_home.";
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-home-gone");
    keys("t");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "wal-home-gone");
    keys("b");
    assert_non_null(strstr(ui.message, "cannot be read"));
    ui_release(&ui);
}

static void failed_job(void **state)
{
    (void)state;
    begin();
    keys("4jjj");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-failed-job");
    keys("z");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-zoom-jobs");
    ui_release(&ui);
}

static void five_hundred(void **state)
{
    static char text[500][24];
    static const char *name[500];
    (void)state;

    for (int i = 0; i < 500; i++) {
        snprintf(text[i], sizeof text[i], "shard-%03d", i);
        name[i] = text[i];
    }
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_true(ui_init(&ui, name, 500));
    model_now(&ui.model, STORY_NOW_US, 1000 * NS_PER_S);
    for (uint32_t i = 0; i < 500; i++) {
        struct snapshot *s = story_snapshot(i % 10 == 3 ? 2 : 0);

        s->index = i;
        s->server = text[i];
        story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    }
    story_paint(&ui);
    for (int i = 0; i < 55; i++) {
        keys("j");
    }
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "overview-500");
    keys("z");
    golden_draw(&ui, 140, 40, SYMBOLS_BLOCK, "overview-500-zoom");
    ui_release(&ui);
}

static void hostile(void **state)
{
    static char name[300];
    static const char *names[] = {STORY_HOSTILE, name,
                                  "東京東京東京東京東京東京東京東京東京東京"};
    struct backup_row *b;
    struct snapshot *s;
    struct job_table *t;
    (void)state;

    memset(name, 'n', sizeof name - 1);
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_true(ui_init(&ui, names, 3));
    model_now(&ui.model, STORY_NOW_US, 1000 * NS_PER_S);
    for (uint32_t i = 0; i < 3; i++) {
        s = story_snapshot(STORY_ORDERS);
        s->index = i;
        s->server = names[i];
        s->description = s->sentence = s->todo = STORY_HOSTILE;
        s->live.address = s->live.version_text = s->live.systemid = STORY_HOSTILE;
        b = (struct backup_row *)(uintptr_t)s->backup;
        b[0].name = b[1].name = STORY_HOSTILE;
        b[2].name = name;
        b[3].error = STORY_HOSTILE;
        story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    }
    t = story_jobs();
    for (size_t i = 0; i < t->n; i++) {
        struct job_row *j = (struct job_row *)(uintptr_t)&t->job[i];

        j->verb = j->server = j->text = j->hint = i % 2 ? STORY_HOSTILE : name;
    }
    story_news(&ui, (struct news){.kind = NEWS_JOBS, .jobs = t});
    story_paint(&ui); /* the message, too */
    ui.message[0] = '\0';
    golden_sizes(&ui, "hostile");
    for (const char *key = "jj2jj\n\0334jj\n\033t"; *key; key++) {
        (void)ui_key(&ui, *key);
        story_paint(&ui);
    }
    ui_release(&ui);
}

TEST_MAIN(ONE(as_it_stands); ONE(first_paint); ONE(went_on); ONE(saved); ONE(no_server);
          ONE(no_backup); ONE(silent), ONE(home_gone); ONE(failed_job); ONE(five_hundred);
          ONE(hostile))
