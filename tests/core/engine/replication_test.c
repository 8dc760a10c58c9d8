/* SPDX-License-Identifier: PostgreSQL */
/* The stages as PostgreSQL's synchronous_commit has them: sent, written, flushed, replayed. */
#include "engine/replication.h"

#include "harness.h"

#define HERE 0x3000148

static const struct row {
    const char *label;
    pg_lsn sent, write, flush, replay;
    const char *stage;
} rows[] = {
    {"standby, replayed", HERE, HERE, HERE, HERE, "5/5 Hot standby (max)"},
    {"standby, flushed", HERE, HERE, HERE, HERE - 1, "4/5 2-safe"},
    {"standby, written", HERE, HERE, HERE - 1, HERE - 1, "3/5 Remote write"},
    {"standby, sent", HERE, HERE - 1, HERE - 1, HERE - 1, "2/5 WAL Sent (min)"},
    {"standby, behind", HERE - 1, HERE - 1, HERE - 1, HERE - 1, "1/5 1-safe"},
    {"standby, ahead of what we read", HERE + 1, HERE + 1, HERE + 1, HERE + 1, "1/5 1-safe"},
    {"streamer, written", HERE, HERE, HERE, 0, "3/3 Remote write"},
    {"streamer, sent", HERE, HERE - 1, HERE - 1, 0, "2/3 WAL Sent (min)"},
    {"streamer, flushed but not written", HERE - 1, HERE - 1, HERE, 0, "1/3 1-safe"},
    {"streamer, behind", HERE - 1, HERE - 1, 0, 0, "1/3 1-safe"},
    {"streamer, nothing told", 0, 0, 0, 0, "1/3 1-safe"},
};

static void stage(void **state)
{
    const struct row *row = *state;
    const struct pg_sender s = {
        .sent = row->sent, .write = row->write, .flush = row->flush, .replay = row->replay};

    assert_string_equal(replication_stage(&s, HERE), row->stage);
    assert_int_equal(replication_is_standby(&s), row->stage[2] == '5');
}

TEST_MAIN(ROWS(rows, stage))
