/* SPDX-License-Identifier: PostgreSQL */
/* more_story.h - what the views of lists need beside story.h: a log, details of a backup,
 * hostile names, many servers. */
#ifndef TESTS_UI_MORE_STORY_H
#define TESTS_UI_MORE_STORY_H

#include "ui/story.h"

#include <stdio.h>

#define STORY_HOSTILE "\033]0;owned\a\033[31m\xff\xfe\xc0\x80 東京\u202e\u0301 \r\n\t"

static inline void story_said(struct ui *ui, uint32_t job, enum say kind, int64_t at_us,
                              const char *text)
{
    struct news news = {.kind = NEWS_SAID, .job = job};

    news.said.kind = kind;
    news.said.at_us = at_us;
    snprintf(news.said.line, sizeof news.said.line, "%s", text);
    story_news(ui, news);
}

/* What the loop does before the first key. */
static inline void story_paint(struct ui *ui)
{
    struct grid *g = grid_new(80, 24, SYMBOLS_BLOCK);

    assert_non_null(g);
    ui_draw(ui, g);
    grid_free(g);
}

/* The log of #41, followed. */
static inline void story_log(struct ui *ui, int lines)
{
    char text[200];

    for (int i = 0; i < lines; i++) {
        int64_t us =
            story_us(22, 3, 12, 0) + (int64_t)i * 3140 * 1000 - lines * INT64_C(3140000);

        if (i % 23 == 7) {
            story_said(ui, 41, SAY_WARN, us,
                       "connection to repo1 closed, opened again (1 of 5)");
        } else {
            snprintf(text, sizeof text, "base/16390/41198.%-3d crc32c ok  1.00 G  3.1 s", i);
            story_said(ui, 41, SAY_OUT, us, text);
        }
    }
}

/* What ASK_BACKUP answers about 20260822T020003. */
static inline void story_details(struct ui *ui)
{
    static const char *const path[] = {"base/16402/24576", "base/16402/24576.1",
                                       "base/16402/24610", "base/16402/24655",
                                       "pg_tblspc/16500/PG_17_202406281/16402/24700"};
    struct answer *a = calloc(1, sizeof *a);
    struct answer_file *file;

    assert_non_null(a);
    arena_init(&a->arena, 0);
    file = ARENA_ARRAY(&a->arena, 40, struct answer_file);
    for (int i = 0; i < 40; i++) {
        file[i] =
            (struct answer_file){arena_fmt(&a->arena, "%s%s", path[i % 5], i < 5 ? "" : ".7"),
                                 UINT64_C(1073741824) - (uint64_t)i * 20000000};
    }
    a->kind = ASK_BACKUP;
    a->ticket = ui->model.waiting[ASK_BACKUP];
    a->is_last = true;
    (void)str_copy(a->backup.backup.id, sizeof a->backup.backup.id, "20260822T020003");
    a->backup.backup.begin_wal = "000000030000004C00000071";
    a->backup.backup.end_wal = "000000030000004C00000071";
    a->backup.backup.mode = "postgres";
    a->backup.backup.systemid = STORY_SYSTEM;
    a->backup.backup.data_checksums = "on";
    a->backup.files = 7814;
    a->backup.largest = file;
    a->backup.largests = 40;
    a->backup.has_manifest = true;
    a->backup.needed_from = a->backup.needed_to = "000000030000004C00000071";
    a->backup.tree = "/srv/barman/orders-db1/base/20260822T020003/data";
    story_news(ui, (struct news){.kind = NEWS_ANSWER, .answer = a});
}

#endif
