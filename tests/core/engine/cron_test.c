/* SPDX-License-Identifier: PostgreSQL */
/* cron starts a script of ours instead of the program: it writes down what it was told and in
 * whose session it is. */
#include "core/repo/fixture.h"

#include "engine/cron.h"
#include "repo/lock.h"
#include "said.h"

#include <signal.h>
#include <sys/wait.h>

#define OLD "20260101T000000"
#define NEW "20260102T000000"

struct world {
    struct fx f;
    struct said said;
    struct server_cfg srv;
    struct config cfg;
    struct cron what;
    char program[PATH_CAP];
    struct lock lock[2];
    pid_t receiver;
};

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    fx_init(&w->f);
    said_init(&w->said);
    w->lock[0] = w->lock[1] = LOCK_INIT;
    snprintf(w->program, sizeof w->program, "%.200s/program", w->f.root);
    fx_text(w->program, "#!/bin/sh\n"
                        "cd \"${0%/*}\" || exit\n"
                        "read -r _ _ _ _ _ sid _ </proc/$$/stat\n"
                        "[ \"$sid\" = $$ ] && own=own || own=not\n"
                        "echo \"$*\" >\"args.$4.new\"\n"
                        "io=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)\n"
                        "echo \"$io\" >\"io.$4\"\n"
                        "echo $own >\"session.$4\"\n"
                        "mv \"args.$4.new\" \"args.$4\"\n");
    assert_int_equal(chmod(w->program, 0700), 0);
    w->srv = (struct server_cfg){
        .name = "main",
        .active = true,
        .conninfo = "host=a",
        .backup_directory = w->f.r.backup_dir,
        .basebackups_directory = w->f.r.base_dir,
        .wals_directory = w->f.r.wals_dir,
        .xlogdb_directory = w->f.r.xlogdb_dir,
        .incoming_wals_directory = w->f.r.incoming_dir,
        .streaming_wals_directory = w->f.r.streaming_dir,
        .errors_directory = w->f.r.errors_dir,
        .streaming_archiver = true,
    };
    w->cfg = (struct config){.path = "/etc/barman.conf",
                             .server = &w->srv,
                             .servers = 1,
                             .barman_home = w->f.root,
                             .barman_lock_directory = w->f.root,
                             .lock_directory_cleanup = true};
    w->what = (struct cron){.cfg = &w->cfg, .program = w->program};
    fx_text(fx_fmt("%s/000000010000000000000001", w->f.r.incoming_dir), "");
}

static void world_release(struct world *w)
{
    lock_release(&w->lock[0]);
    lock_release(&w->lock[1]);
    if (w->receiver > 0) {
        kill(w->receiver, SIGKILL);
        waitpid(w->receiver, NULL, 0);
    }
    fx_release(&w->f);
}

static void backup(struct world *w, const char *id, enum backup_status status)
{
    struct backup b = {.id = "", .status = status, .timeline = 1, .xlog_segment_size = FX_SEG};
    struct err err;

    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&w->f.r, &b, &err));
    assert_true(dir_make(fx_fmt("%s/%s/data/base", w->f.r.base_dir, id), &err));
}

static void hold(struct world *w, int i, const char *name)
{
    struct err err;

    assert_true(lock_take(&w->lock[i], &w->f.r, name, LOCK_TRY, &err));
}

/* What lies in incoming and streaming: nothing, or names. */
static void lies(struct world *w, const char *incoming, const char *streaming1,
                 const char *streaming2)
{
    assert_int_equal(unlink(fx_fmt("%s/000000010000000000000001", w->f.r.incoming_dir)), 0);
    if (incoming) {
        fx_text(fx_fmt("%s/%s", w->f.r.incoming_dir, incoming), "");
    }
    if (streaming1) {
        fx_text(fx_fmt("%s/%s", w->f.r.streaming_dir, streaming1), "");
    }
    if (streaming2) {
        fx_text(fx_fmt("%s/%s", w->f.r.streaming_dir, streaming2), "");
    }
}
static void nothing_lies(struct world *w)
{
    lies(w, NULL, NULL, NULL);
}
static void being_written(struct world *w)
{
    lies(w, "000000010000000000000001.tmp", "000000010000000000000002.partial", ".hidden");
}
static void partial_left(struct world *w)
{
    lies(w, NULL, "000000010000000000000002.partial", "000000020000000000000002.partial");
}
static void segment_streamed(struct world *w)
{
    lies(w, NULL, "000000010000000000000002", "000000010000000000000003.partial");
}
static void stranger(struct world *w)
{
    lies(w, "README", NULL, NULL);
}

static void as_it_is(struct world *w)
{
    (void)w;
}
static void receives(struct world *w)
{
    hold(w, 0, LOCK_RECEIVE_WAL);
}
static void archives(struct world *w)
{
    hold(w, 0, LOCK_ARCHIVE_WAL);
}
static void both_run(struct world *w)
{
    hold(w, 0, LOCK_RECEIVE_WAL);
    hold(w, 1, LOCK_ARCHIVE_WAL);
}
static void another_cron(struct world *w)
{
    hold(w, 0, LOCK_CRON);
}
static void file_only(struct world *w)
{
    w->srv.streaming_archiver = false;
    w->srv.archiver = true;
}
static void inactive(struct world *w)
{
    w->srv.active = false;
}
static void disabled(struct world *w)
{
    w->srv.disabled = true;
}
static void passive(struct world *w)
{
    w->srv.primary_ssh_command = "ssh b";
}
static void one_waits(struct world *w)
{
    backup(w, OLD, BACKUP_WAITING_FOR_WALS);
}
static void two_wait(struct world *w)
{
    backup(w, OLD, BACKUP_WAITING_FOR_WALS);
    backup(w, NEW, BACKUP_WAITING_FOR_WALS);
}
static void later_waits(struct world *w)
{
    backup(w, OLD, BACKUP_DONE);
    backup(w, NEW, BACKUP_WAITING_FOR_WALS);
}
static void is_looked_at(struct world *w)
{
    two_wait(w);
    hold(w, 0, OLD);
}
static void none_waits(struct world *w)
{
    backup(w, OLD, BACKUP_DONE);
    backup(w, NEW, BACKUP_FAILED);
}
static void dead_locks(struct world *w)
{
    fx_text(fx_fmt("%s/.main-receive-wal.lock", w->f.root), "1\n");
    fx_text(fx_fmt("%s/.main-archive-wal.lock", w->f.root), "1\n");
    fx_text(fx_fmt("%s/.main-cron.lock", w->f.root), "1\n");
}
static void no_directories(struct world *w)
{
    struct err err;

    assert_true(tree_remove(w->f.r.backup_dir, &err));
}

static const struct row {
    const char *label;
    void (*change)(struct world *w);
    bool archive, receive;
    const char *check; /* id of check-backup, NULL: not started */
    const char *said;
} rows[] = {
    {"nothing runs", as_it_is, true, true, NULL, "Starting streaming archiver for server main"},
    {"the receiver runs", receives, true, false, NULL,
     "Starting WAL archiving for server main"},
    {"the archiver runs", archives, false, true, NULL,
     "Another archive-wal process is already running on server main. Skipping"},
    {"both run", both_run, false, false, NULL, "Another archive-wal process"},
    {"another cron", another_cron, false, false, NULL,
     "Another cron process is already running on server main. Skipping"},
    {"no streaming archiver", file_only, true, false, NULL, "Starting WAL archiving"},
    {"inactive", inactive, false, false, NULL, "Skipping inactive server 'main'"},
    {"disabled", disabled, false, false, NULL, "Skipping temporarily disabled server 'main'"},
    {"passive", passive, false, false, NULL, "Skipping passive server 'main'"},
    {"a backup waits", one_waits, true, true, OLD,
     "Starting check-backup for backup " OLD " of server main"},
    {"two wait: the older first", two_wait, true, true, OLD, "backup " OLD " of"},
    {"only the newer waits", later_waits, true, true, NEW, "backup " NEW " of"},
    {"the older is looked at: its turn first", is_looked_at, true, true, NULL, "Starting WAL"},
    {"none waits", none_waits, true, true, NULL, "Starting WAL"},
    {"111 locks of the dead, with another's pid", dead_locks, true, true, NULL,
     "Starting streaming archiver"},
    {"missing directories are made", no_directories, false, true, NULL,
     "Starting streaming archiver"},
    {"nothing to archive", nothing_lies, false, true, NULL, "Starting streaming archiver"},
    {"only files being written", being_written, false, true, NULL,
     "Starting streaming archiver"},
    {"a .partial of an old timeline", partial_left, true, true, NULL, "Starting WAL"},
    {"a streamed segment", segment_streamed, true, true, NULL, "Starting WAL"},
    {"a file that is no WAL", stranger, true, true, NULL, "Starting WAL"},
};

static void wait_for_children(void)
{
    int status;

    while (wait(&status) > 0) {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static bool started(struct world *w, const char *verb, const char *id)
{
    const char *path = fx_fmt("%s/args.%s", w->f.root, verb), *text;

    if (!fx_there(path)) {
        return false;
    }
    text = fx_read(path);
    assert_string_equal(text, fx_fmt("-c /etc/barman.conf -q %s main%s%s\n", verb,
                                     id ? " " : "", id ? id : ""));
    assert_string_equal(fx_read(fx_fmt("%s/session.%s", w->f.root, verb)), "own\n");
    return true;
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct err err = {0};
    struct world w;

    world_init(&w);
    row->change(&w);
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_int_equal(started(&w, "archive-wal", NULL), row->archive);
    assert_int_equal(started(&w, "receive-wal", NULL), row->receive);
    assert_int_equal(started(&w, "check-backup", row->check), row->check != NULL);
    assert_non_null(strstr(w.said.out, row->said));
    assert_string_equal(w.said.error, "");
    world_release(&w);
}

/* Children have no terminal and no pipe of ours, unless they are to keep it. */
static void output(void **state)
{
    struct err err = {0};
    struct world w;
    char mine[600];
    ssize_t n;

    (void)state;
    world_init(&w);
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_string_equal(fx_read(fx_fmt("%s/io.receive-wal", w.f.root)),
                        "/dev/null\n/dev/null\n/dev/null\n");
    w.what.output = CRON_CHILDREN_KEEP_OUTPUT;
    w.said.out[0] = '\0';
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    n = readlink("/proc/self/fd/1", mine, sizeof mine - 1);
    assert_true(n > 0);
    mine[n] = '\0';
    assert_non_null(strstr(fx_read(fx_fmt("%s/io.receive-wal", w.f.root)),
                           fx_fmt("/dev/null\n%.500s\n", mine)));
    world_release(&w);
}

/* Switched off in the configuration, a receiver that runs is asked to end. */
static void receiver_is_ended(void **state)
{
    struct err err = {0};
    struct world w;
    int status;

    (void)state;
    world_init(&w);
    file_only(&w);
    hold(&w, 0, LOCK_RECEIVE_WAL);
    w.receiver = fork();
    assert_true(w.receiver >= 0);
    if (w.receiver == 0) {
        for (;;) {
            pause();
        }
    }
    fx_text(w.lock[0].path, fx_fmt("%d\n", (int)w.receiver));
    assert_true(cron_run(&w.said.t, &w.what, &err));
    assert_int_equal(waitpid(w.receiver, &status, 0), w.receiver);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    w.receiver = 0;
    wait_for_children();
    assert_false(started(&w, "receive-wal", NULL));
    world_release(&w);
}

/* Its first data file is gone already: what is left of it is no backup, whatever
 * minimum_redundancy wants. */
static void interrupted_delete(void **state)
{
    struct err err = {0};
    struct world w;

    (void)state;
    world_init(&w);
    w.srv.minimum_redundancy = 2;
    backup(&w, OLD, BACKUP_DONE);
    backup(&w, NEW, BACKUP_DONE);
    assert_true(delete_mark_set(&w.f.r, OLD, &err));
    hold(&w, 0, OLD); /* somebody is at it */
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_true(fx_there(fx_fmt("%s/" OLD, w.f.r.base_dir)));
    lock_release(&w.lock[0]);
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_false(fx_there(fx_fmt("%s/" OLD, w.f.r.base_dir)));
    assert_false(fx_there(fx_fmt("%s/" OLD "-backup.info", w.f.r.meta_dir)));
    assert_false(delete_mark_is_set(&w.f.r, OLD));
    assert_true(fx_there(fx_fmt("%s/" NEW, w.f.r.base_dir)));
    assert_true(fx_there(fx_fmt("%s/" NEW "-backup.info", w.f.r.meta_dir)));
    assert_non_null(strstr(w.said.out, "Finishing the interrupted delete of backup " OLD));
    world_release(&w);
}

static void locks_are_cleaned_up(void **state)
{
    struct err err = {0};
    struct world w;

    (void)state;
    world_init(&w);
    both_run(&w);
    fx_text(fx_fmt("%s/.gone-cron.lock", w.f.root), "1\n");
    fx_text(fx_fmt("%s/.main-" OLD ".lock", w.f.root), "1\n");
    fx_text(fx_fmt("%s/lock", w.f.root), "");
    w.cfg.lock_directory_cleanup = false;
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_true(fx_there(fx_fmt("%s/.gone-cron.lock", w.f.root)));
    w.cfg.lock_directory_cleanup = true;
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_false(fx_there(fx_fmt("%s/.gone-cron.lock", w.f.root)));
    assert_false(fx_there(fx_fmt("%s/.main-" OLD ".lock", w.f.root)));
    assert_true(fx_there(fx_fmt("%s/lock", w.f.root)));
    assert_true(fx_there(w.lock[0].path));
    assert_true(fx_there(w.lock[1].path));
    world_release(&w);
}

/* What takes long is left to a call of its own, for whoever asks so. */
static void retention_is_left(void **state)
{
    bool due[2] = {false, false};
    struct server_cfg two[2];
    struct err err = {0};
    struct world w;

    (void)state;
    world_init(&w);
    two[0] = two[1] = w.srv;
    two[0].name = "idle";
    two[0].active = false;
    two[1].retention_policy = "REDUNDANCY 1";
    w.cfg.server = two;
    w.cfg.servers = 2;
    w.what.due = due;
    backup(&w, OLD, BACKUP_DONE);
    backup(&w, NEW, BACKUP_DONE);
    fx_text(fx_fmt("%s/" OLD "/data/base/1", w.f.r.base_dir), "of what can go");
    assert_true(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_true(started(&w, "receive-wal", NULL));
    assert_true(!due[0] && due[1]);
    assert_true(fx_there(fx_fmt("%s/" OLD, w.f.r.base_dir)));
    w.what = (struct cron){
        .cfg = &w.cfg, .program = w.program, .how = CRON_RETENTION, .only = &two[1]};
    w.said.out[0] = '\0';
    assert_true(cron_run(&w.said.t, &w.what, &err));
    assert_false(fx_there(fx_fmt("%s/" OLD, w.f.r.base_dir)));
    assert_true(fx_there(fx_fmt("%s/" NEW, w.f.r.base_dir)));
    assert_null(strstr(w.said.out, "Starting"));
    world_release(&w);
}

/* One server that cannot be served does not keep the others from it. */
static void others_go_on(void **state)
{
    struct server_cfg two[2];
    struct err err = {0};
    struct world w;

    (void)state;
    world_init(&w);
    two[0] = two[1] = w.srv;
    two[0].name = "broken";
    two[0].backup_directory = two[0].errors_directory = w.program; /* a file */
    two[0].basebackups_directory = fx_fmt("%s/base", w.program);
    w.cfg.server = two;
    w.cfg.servers = 2;
    assert_false(cron_run(&w.said.t, &w.what, &err));
    wait_for_children();
    assert_non_null(strstr(w.said.error, "broken: "));
    assert_null(strstr(w.said.out, "for server broken"));
    assert_true(started(&w, "archive-wal", NULL));
    assert_true(started(&w, "receive-wal", NULL));
    world_release(&w);
}

/* A program that cannot be started is told, and the lock is free again. */
static void no_program(void **state)
{
    struct err err = {0};
    struct world w;

    (void)state;
    world_init(&w);
    w.what.program = "/nowhere/barkeep";
    assert_false(cron_run(&w.said.t, &w.what, &err));
    wait(NULL);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(w.said.error, "/nowhere/barkeep"));
    assert_false(lock_is_held(&w.f.r, LOCK_CRON, NULL));
    world_release(&w);
}

TEST_MAIN(ROWS(rows, check_row), ONE(output), ONE(receiver_is_ended), ONE(interrupted_delete),
          ONE(locks_are_cleaned_up), ONE(retention_is_left), ONE(others_go_on), ONE(no_program))
