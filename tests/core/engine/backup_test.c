/* SPDX-License-Identifier: PostgreSQL */
/* What a backup does before it asks a server for anything. */
#include "core/repo/fixture.h"

#include "cfg/server.h"
#include "engine/backup.h"
#include "repo/lock.h"
#include "said.h"

static const struct row {
    const char *label;
    const char *primary_ssh_command;
    bool is_busy;
    enum err_code code;
} rows[] = {
    {"another process backs up", NULL, true, ERR_BUSY},
    {"a copy of another node's server", "ssh other", false, ERR_CONFIG},
};

/* Refused: nothing is left behind, and nothing of ours is taken away, standard input say. */
static void refused(void **state)
{
    const struct row *row = *state;
    struct server_cfg srv = {.name = "main",
                             .backup_method = "postgres",
                             .primary_ssh_command = row->primary_ssh_command};
    struct engine_backup what = {.srv = &srv};
    struct lock lock = LOCK_INIT;
    struct err err = {0};
    struct said said;
    struct fx f;

    fx_init(&f);
    what.repo = &f.r;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        srv.source[i] = "barman.conf:1";
    }
    if (fcntl(STDIN_FILENO, F_GETFD) < 0) {
        assert_int_equal(open("/dev/null", O_RDONLY), STDIN_FILENO);
    }
    if (row->is_busy) {
        assert_true(lock_take(&lock, &f.r, LOCK_BACKUP, LOCK_TRY, &err));
    }
    assert_false(engine_backup(said_init(&said), &what, &err));
    assert_int_equal(err.code, row->code);
    assert_int_equal(what.result.status, BACKUP_EMPTY);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    assert_int_equal(fx_count(f.r.base_dir) + fx_count(f.r.meta_dir), 0);
    lock_release(&lock);
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, refused))
