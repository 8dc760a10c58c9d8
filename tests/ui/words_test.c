/* SPDX-License-Identifier: PostgreSQL */
/* How far a job is, in words: bytes, but of a replay database time (microseconds). */
#include "ui/words.h"

#include "harness.h"

#define MINUTE (UINT64_C(60) * 1000000)
#define MIB    (UINT64_C(1024) * 1024)

static const struct row {
    const char *label;
    struct progress progress;
    const char *done, *rate, *left;
} rows[] = {
    {"copy",
     {.done = 412 * MIB, .total = 614 * MIB, .per_sec = 2 * MIB, .phase = "copy"},
     "412/614 M",
     "2.00 M/s",
     "1m 41s left"},
    {"of an unknown size", {.done = 412 * MIB, .phase = "copy"}, "412 M", "0 B/s", ""},
    {"replay",
     {.done = 12 * MINUTE, .total = 58 * MINUTE, .per_sec = MINUTE, .phase = "replay"},
     "12m 00s of 58m 00s",
     "60 x real time",
     "46 s left"},
    {"replay to an unknown end",
     {.done = 12 * MINUTE, .phase = "replay"},
     "",
     "0.0 x real time",
     ""},
    {"replay, slower than it was written",
     {.done = 12 * MINUTE, .total = 13 * MINUTE, .per_sec = MINUTE / 150, .phase = "replay"},
     "12m 00s of 13m 00s",
     "0.4 x real time",
     "2m 30s left"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    char text[FMT_CAP];

    assert_string_equal(word_done(&r->progress, text), r->done);
    assert_string_equal(word_rate(&r->progress, text), r->rate);
    assert_string_equal(word_left(&r->progress, text), r->left);
}

/* Five steps of five minutes, the last one runs. */
static const struct rate_row {
    const char *label;
    uint64_t mib[5];
    uint64_t per_minute; /* MiB */
} rates[] = {
    {"of the last full quarter of an hour", {90, 10, 20, 15, 3}, 3},
    {"nothing comes any more", {90, 0, 0, 0, 0}, 0},
    {"it has just begun", {0, 0, 0, 0, 150}, 30},
    {"it grows", {0, 5, 5, 5, 50}, 10},
};

static void check_rate(void **state)
{
    const struct rate_row *r = *state;
    uint64_t bytes[5], got = 0;
    const struct coverage coverage = {.day = {0, 5 * MINUTE, bytes, 5}};
    const struct snapshot s = {.coverage = &coverage};

    for (size_t i = 0; i < 5; i++) {
        bytes[i] = r->mib[i] * MIB;
    }
    assert_true(snapshot_rate(&s, &got));
    assert_int_equal(got, r->per_minute * MIB);
    assert_false(snapshot_rate(&(struct snapshot){0}, &got));
}

TEST_MAIN(ROWS(rates, check_rate), ROWS(rows, check_row))
