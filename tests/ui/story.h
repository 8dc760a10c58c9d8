/* SPDX-License-Identifier: PostgreSQL */
/* story.h - the story that golden screens tell, always at the same moment.
 *
 * Saturday 22 August 2026, 03:12:45 in Berlin. At 03:02:11 a script deleted rows of orders.
 * Five servers: one fails, one is silent, orders-db1 is well but has a hole in its past, one
 * never had a backup, and one has a name from far away. All that is shown is made here; the
 * clock is frozen, the zone is set.
 */
#ifndef TESTS_UI_STORY_H
#define TESTS_UI_STORY_H

#include "ui/story_kept.h"

static inline struct snapshot *story_new(uint32_t index)
{
    struct snapshot *s = calloc(1, sizeof *s);

    assert_non_null(s);
    arena_init(&s->arena, 0);
    s->server = arena_strdup(&s->arena, story_server[index]);
    s->index = index;
    s->made_us = STORY_NOW_US - 2 * US_PER_S;
    s->streams = s->is_receiving = true;
    s->light = LIGHT_OK;
    s->sentence = s->todo = "";
    s->live = (struct live){.state = LIVE_OK,
                            .answered_us = s->made_us,
                            .version = 170006,
                            .version_text = "17.6",
                            .systemid = STORY_SYSTEM,
                            .tli = 1,
                            .now_us = s->made_us,
                            .has_slot = true,
                            .sync_state = "async"};
    return s;
}

static inline void story_orders(struct snapshot *s)
{
    s->live.address = "eu1:5432";
    s->live.tli = 3;
    s->live.lsn = UINT64_C(0x4CA0200000);
    s->live.flushed = UINT64_C(0x4CA0123450);
    s->description = "Orders";
    story_backups(s);
    story_coverage(s);
}

static inline void story_short(struct snapshot *s, const char *address, const char *id,
                               int64_t begin_us, int64_t to_us)
{
    struct coverage *c = ARENA_NEW(&s->arena, struct coverage);
    struct stretch *st = ARENA_NEW(&s->arena, struct stretch);
    struct backup_row *b = ARENA_NEW(&s->arena, struct backup_row);

    s->live.address = address;
    *b = story_backup(id, begin_us, 600, UINT64_C(103079215104));
    b->tli = 1;
    s->backup = b;
    s->backups = 1;
    *st = (struct stretch){.tli = 1, .is_main = true, .backups = 1};
    (void)str_copy(st->backup_id, sizeof st->backup_id, id);
    st->from = story_mark(begin_us + 600 * US_PER_S, 0x2000100, 0, true);
    st->to = story_mark(to_us, 0x9000100, 4711, false);
    c->stretch = st;
    c->stretches = 1;
    c->seg_size = 16777216;
    (void)str_copy(c->last_wal, sizeof c->last_wal, "000000010000000000000009");
    c->last_wal_us = to_us;
    s->coverage = c;
}

static inline struct snapshot *story_snapshot(uint32_t index)
{
    struct snapshot *s = story_new(index);

    switch (index) {
    case 0:
        story_short(s, "eu2:5432", "20260821T180000", story_us(21, 18, 0, 0),
                    story_us(22, 3, 11, 51));
        break;
    case 1:
        story_short(s, "eu3:5432", "20260819T020000", story_us(19, 2, 0, 0),
                    story_us(21, 22, 58, 10));
        s->live.archiver_known = s->live.archiver_fails = true;
        s->live.archiver_failed_us = story_us(22, 3, 12, 40);
        s->live.archiver_failed_wal = "0000000100000000000000E4";
        s->light = LIGHT_FAIL;
        s->sentence = "archive_command fails since Fri 21 22:58";
        s->todo = "See the server's log; is the repository full?";
        break;
    case 2:
        s->live.state = LIVE_SILENT;
        s->live.in_recovery = true;
        s->live.address = "eu4:5432";
        s->live.answered_us = story_us(22, 3, 1, 40);
        s->live.since_us = s->live.answered_us;
        s->live.next_us = STORY_NOW_US + 20 * US_PER_S;
        s->live.why = "timed out after 5 s";
        s->light = LIGHT_UNKNOWN;
        s->sentence = "no answer since 03:01:40: timed out after 5 s";
        s->todo = "Is the host up? barkeep check billing-db2";
        break;
    case 3:
        story_orders(s);
        break;
    default:
        s->live.address = "tokyo:5432";
        s->live.version_text = "15.18";
        s->coverage = ARENA_NEW(&s->arena, struct coverage);
        s->light = LIGHT_WARN;
        s->sentence = "no backup yet";
        s->todo = "Press b for the first one.";
        break;
    }
    return s;
}

static inline struct job_table *story_jobs(void)
{
    struct job_table *t = calloc(1, sizeof *t);
    struct job_row *j;

    assert_non_null(t);
    arena_init(&t->arena, 0);
    j = ARENA_ARRAY(&t->arena, 5, struct job_row);
    for (int i = 0; i < 5; i++) {
        j[i] = (struct job_row){.number = (uint32_t)(41 - i),
                                .state = ROW_DONE,
                                .verb = "backup",
                                .server = "orders-db1",
                                .plan = "backup orders-db1",
                                .text = "",
                                .hint = "",
                                .directory = "/srv/barman/.barkeep/jobs/41",
                                .pid = 4121};
    }
    j[0].state = ROW_RUNNING;
    j[0].verb = "verify-backup";
    j[0].server = "billing-db1";
    j[0].plan = "verify-backup billing-db1 20260819T020000";
    j[0].began_us = story_us(22, 2, 55, 40);
    j[1].began_us = story_us(22, 2, 0, 3);
    j[1].ended_us = story_us(22, 2, 4, 11);
    j[1].text = "Backup completed (start time: 2026-08-22 02:00:03, elapsed time: 4 minutes)";
    j[2].began_us = story_us(21, 14, 0, 3);
    j[2].ended_us = story_us(21, 14, 3, 5);
    j[3].state = ROW_FAILED;
    j[3].server = "billing-db1";
    j[3].text = "cannot write: '/srv/barman/billing-db1/base': No space left on device";
    j[3].hint = "Free space there, then run the backup again.";
    j[3].began_us = story_us(21, 22, 57, 40);
    j[3].ended_us = story_us(21, 22, 58, 21);
    j[4].state = ROW_DIED;
    j[4].began_us = story_us(20, 14, 0, 2);
    t->job = j;
    t->n = 5;
    return t;
}

static inline void story_news(struct ui *ui, struct news news)
{
    (void)ui_news(ui, &news);
}

/* The console as it stands at STORY_NOW_US, orders-db1 selected. */
static inline void story_begin(struct ui *ui)
{
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_true(ui_init(ui, story_server, STORY_SERVERS));
    model_now(&ui->model, STORY_NOW_US, 1000 * NS_PER_S);
    for (uint32_t i = 0; i < STORY_SERVERS; i++) {
        story_news(ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = story_snapshot(i)});
    }
    story_news(ui, (struct news){.kind = NEWS_JOBS, .jobs = story_jobs()});
    story_news(ui, (struct news){.kind = NEWS_PROGRESS,
                                 .job = 41,
                                 .when_ns = 1000 * NS_PER_S,
                                 .progress = {.done = UINT64_C(442381631488),
                                              .total = UINT64_C(659282345984),
                                              .per_sec = UINT64_C(402653184),
                                              .phase = "verify",
                                              .what = "base/16390/41198.12"}});
    ui_select_server(ui, story_server[STORY_ORDERS]);
    ui->message[0] = '\0';
    for (size_t i = 0; i < ui->orders; i++) {
        ask_free(ui->order[i].order.ask);
    }
    ui->orders = 0;
}

#endif
