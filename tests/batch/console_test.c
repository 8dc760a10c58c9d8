/* SPDX-License-Identifier: PostgreSQL */
#include "batch/console.h"

#include "barkeep/arena.h"
#include "barkeep/str.h"
#include "base/doc.h"

#include "harness.h"

#include <stdlib.h>

static char *out_text, *err_text_;
static size_t out_size, err_size;

static struct console on_memory(void)
{
    return (struct console){.out = open_memstream(&out_text, &out_size),
                            .err = open_memstream(&err_text_, &err_size)};
}

static void same(struct console *c, const char *out, const char *err)
{
    fclose(c->out);
    fclose(c->err);
    assert_string_equal(out_text, out);
    assert_string_equal(err_text_, err);
    free(out_text);
    free(err_text_);
}

static void streams_and_prefixes(void **state)
{
    struct console c = on_memory();

    (void)state;
    console_say(&c, SAY_OUT, "one");
    console_say(&c, SAY_WARN, "two %d", 2);
    assert_false(c.failed);
    console_say(&c, SAY_ERROR, "three");
    assert_true(c.failed);
    console_say(&c, SAY_LOG, "four");
    console_say(&c, SAY_DEBUG, "five");
    c.debug = true;
    console_say(&c, SAY_DEBUG, "six");
    same(&c, "one\n", "WARNING: two 2\nERROR: three\nDEBUG: six\n");
}

static void quiet_keeps_the_rest(void **state)
{
    struct console c = on_memory();

    (void)state;
    c.quiet = true;
    console_say(&c, SAY_OUT, "one");
    console_result(&c, "pg", "label", RESULT_OK, NULL);
    console_say(&c, SAY_ERROR, "two");
    same(&c, "", "ERROR: two\n");
}

static void colours(void **state)
{
    struct console c = on_memory();

    (void)state;
    c.color = true;
    console_result(&c, "pg", "directories", RESULT_OK, NULL);
    console_result(&c, "pg", "replication slot", RESULT_FAILED, "not active");
    console_say(&c, SAY_ERROR, "x");
    console_say(&c, SAY_WARN, "y");
    c.debug = true;
    console_say(&c, SAY_DEBUG, "z");
    same(&c,
         "\tdirectories: \033[32mOK\033[0m\n"
         "\treplication slot: \033[31mFAILED\033[0m (not active)\n",
         "\033[31mERROR: x\033[0m\n\033[33mWARNING: y\033[0m\nDEBUG: z\n");
}

static void secrets_and_control_characters(void **state)
{
    struct console c = on_memory();

    (void)state;
    console_say(&c, SAY_OUT, "host=a password=sekret dbname=b");
    console_say(&c, SAY_ERROR, "cannot reach postgresql://u:sekret@h/db");
    console_say(&c, SAY_OUT, "\tname\033[2Jof\x7f a\rfile");
    same(&c,
         "host=a password=*REDACTED* dbname=b\n"
         "\tname?[2Jof? a?file\n",
         "ERROR: cannot reach postgresql://u:*REDACTED*@h/db\n");
}

static void one_document(void **state)
{
    struct console c = on_memory();
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, 0);
    c.doc = doc_new(&a);
    console_say(&c, SAY_WARN, "two %d", 2);
    console_say(&c, SAY_OUT, "one password=sekret");
    console_say(&c, SAY_OUT, "\tan other\033");
    console_say(&c, SAY_LOG, "four");
    console_say(&c, SAY_DEBUG, "five");
    assert_false(c.failed);
    err_set(&err, ERR_IO, "Free some space.", "/x", "no space left");
    err_wrap(&err, "write");
    console_err(&c, &err);
    assert_true(c.failed);
    console_result(&c, "pg", "WAL-size no. 1 (x)", RESULT_FAILED, "2 B");
    console_result(&c, "pg", "directories", RESULT_OK, NULL);
    assert_true(console_close(&c));
    same(&c,
         "{\"_ERROR\": [\"cannot write: '/x': no space left\"], "
         "\"_HINT\": [\"Free some space.\"], "
         "\"_INFO\": [\"one password=*REDACTED*\", \"\\tan other\\u001b\"], "
         "\"_WARNING\": [\"two 2\"], "
         "\"pg\": {\"directories\": {\"hint\": \"\", \"status\": \"OK\"}, "
         "\"wal_size_no_1_(x)\": {\"hint\": \"2 B\", \"status\": \"FAILED\"}}}",
         "");
    arena_release(&a);
}

static void quiet_document(void **state)
{
    struct console c = on_memory();
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    c.doc = doc_new(&a);
    c.quiet = true;
    console_say(&c, SAY_ERROR, "x");
    assert_true(console_close(&c));
    assert_true(c.failed);
    same(&c, "", "");
    arena_release(&a);
}

static void document_without_memory(void **state)
{
    struct console c = on_memory();
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    c.doc = doc_new(&a);
    for (int i = 0; i < 10; i++) {
        console_say(&c, SAY_OUT, "some line %d", i);
    }
    assert_false(console_close(&c));
    same(&c, "", "ERROR: out of memory\n");
    arena_release(&a);
}

static void debug_document(void **state)
{
    struct console c = on_memory();
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    c.doc = doc_new(&a);
    c.debug = true;
    console_say(&c, SAY_DEBUG, "x");
    assert_true(console_close(&c));
    same(&c, "{\"_DEBUG\": [\"x\"]}", "");
    arena_release(&a);
}

static void failure_with_its_hint(void **state)
{
    struct console c = on_memory();
    struct err err;

    (void)state;
    err_set(&err, ERR_IO, "Free some space.", "/x", "no space left");
    err_wrap(&err, "write");
    console_err(&c, &err);
    same(&c, "", "ERROR: cannot write: '/x': no space left\nHINT: Free some space.\n");
}

static const struct {
    const char *label;
    struct progress p;
    int width;
    const char *want;
} rows[] = {
    {"all of it",
     {.done = 512ull << 20,
      .total = 1ull << 30,
      .per_sec = 128ull << 20,
      .phase = "copy",
      .what = "base/1/2"},
     100,
     "copy  512 M of 1.00 G  50 %  128 M/s  4 s left  base/1/2"},
    {"without the name",
     {.done = 512ull << 20,
      .total = 1ull << 30,
      .per_sec = 128ull << 20,
      .phase = "copy",
      .what = "base/1/2"},
     48,
     "copy  512 M of 1.00 G  50 %  128 M/s  4 s left"},
    {"total not known", {.done = 1536, .phase = "receive"}, 80, "receive  1.50 K"},
    {"only a phase", {.phase = "waiting for checkpoint"}, 80, "waiting for checkpoint"},
    {"more than was estimated",
     {.done = 300, .total = 200, .phase = "copy"},
     80,
     "copy  300 B of 200 B  100 %"},
    {"nothing fits", {.done = 1, .total = 2, .phase = "copy"}, 3, ""},
    {"hostile name, one byte each",
     {.phase = "copy",
      .what = "a\x9b\x9b"
              "2Jb\xc3\xbc\xe2\x80\x94"},
     80,
     "copy  a??2Jb\xc3\xbc\xe2\x80\x94"},
    {"hostile name", {.phase = "copy", .what = "a\033[2Jb"}, 80, "copy  a?[2Jb"},
    {"database time",
     {.done = 30000000, .total = 45000000, .per_sec = 15000000, .phase = "replay"},
     80,
     "replay  30 s of 45 s  66 %  15 s/s  1 s left"},
    {"an hour left",
     {.done = 0, .total = 7200, .per_sec = 2, .phase = "copy"},
     80,
     "copy  0 B of 7.03 K  0 %  2 B/s  1h 00m left"},
};

static void progress_line(void **state)
{
    const struct {
        const char *label;
        struct progress p;
        int width;
        const char *want;
    } *row = *state;
    char text[512];

    progress_text(&row->p, row->width, text, sizeof text);
    assert_string_equal(text, row->want);
}

static void nothing_is_drawn_unless_asked(void **state)
{
    struct console c = on_memory();
    struct progress p = {.done = 1, .total = 2, .phase = "copy"};

    (void)state;
    console_progress(&c, &p);
    console_erase(&c);
    same(&c, "", "");
}

static void drawn_and_erased(void **state)
{
    struct console c = on_memory();
    struct progress p = {.done = 1, .total = 2, .phase = "copy"};

    (void)state;
    c.draws = true;
    console_progress(&c, &p);
    console_progress(&c, &p); /* too soon for a second one */
    console_say(&c, SAY_OUT, "x");
    same(&c, "x\n", "\rcopy  1 B of 2 B  50 %\033[K\r\033[K");
}

TEST_MAIN(ONE(streams_and_prefixes), ONE(quiet_keeps_the_rest), ONE(colours),
          ONE(secrets_and_control_characters), ONE(failure_with_its_hint), ONE(one_document),
          ONE(quiet_document), ONE(document_without_memory), ONE(debug_document),
          ROWS(rows, progress_line), ONE(nothing_is_drawn_unless_asked), ONE(drawn_and_erased))
