/* SPDX-License-Identifier: PostgreSQL */
/* Real scripts, run by /bin/sh; what they see and how often they run is what a Barman user's
 * scripts rely on. */
#include "core/repo/fixture.h"

#include "base/clock.h"
#include "cfg/server.h"
#include "engine/archive_wal.h"
#include "engine/delete.h"
#include "engine/hook.h"
#include "said.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>

static struct fx f;
static struct said said;
static char logged[16384];
static struct task_ops ops;
static int cancel[2] = {-1, -1};
static int cancel_after; /* attempts; 0: never */
static int attempts;

static void say(void *self, enum say kind, const char *line)
{
    struct task_sink *sink = self;
    size_t n = strlen(logged);

    attempts += kind == SAY_LOG && strncmp(line, "running", 7) == 0;
    if (cancel_after && attempts == cancel_after && cancel[1] >= 0) {
        assert_int_equal(write(cancel[1], "x", 1), 1);
        cancel_after = 0;
    }
    snprintf(logged + n, sizeof logged - n, "%s\n", line);
    if (kind != SAY_LOG && kind != SAY_DEBUG) {
        sink->fn(sink->ctx, kind, line);
    }
}

static bool cancelled(void *self)
{
    char some;

    (void)self;
    return cancel[0] >= 0 && recv(cancel[0], &some, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static struct task *task_init(void)
{
    struct task *t = said_init(&said);

    ops = *t->ops;
    ops.say = say;
    ops.cancelled = cancelled;
    t->ops = &ops;
    t->self = &said.sink;
    t->cancel_fd = cancel[0];
    logged[0] = '\0';
    attempts = 0;
    return t;
}

static struct server_cfg server(void)
{
    return (struct server_cfg){.name = "main", .config_path = "/etc/barman.conf"};
}

/* A script of the hook: what it does, in the fixture's root as $D. */
static const char *script(const char *body)
{
    return fx_fmt("D='%s'; %s", f.root, body);
}

static const char *made(const char *name)
{
    return fx_read(fx_fmt("%s/%s", f.root, name));
}

/* ---- how often, and with which end ---- */

static const struct row {
    const char *label;
    const char *pre, *pre_retry; /* NULL: not configured; each writes a letter first */
    const char *wrote;           /* letters, in order */
    const char *why;             /* NULL: it may go on */
} rows[] = {
    {"nothing configured", NULL, NULL, "", NULL},
    {"order", "true", "true", "ab", NULL},
    {"a plain script's failure is only logged", "exit 1", "true", "ab", NULL},
    {"62 of a plain script too", "exit 62", "true", "ab", NULL},
    {"63 of a plain script too", "exit 63", "true", "ab", NULL},
    {"retry: 62 goes on", NULL, "exit 62", "b", NULL},
    {"retry: 63 stops", NULL, "exit 63", "b",
     "pre_backup_retry_script ended with exit status 63: stop"},
    {"retry: until it is content", NULL, "[ $(wc -c <$D/ran) -ge 4 ]", "bbbb", NULL},
    {"retry: until it says stop", NULL, "[ $(wc -c <$D/ran) -lt 9 ] || exit 63; exit 5",
     "bbbbbbbbb", "pre_backup_retry_script ended with exit status 63: stop"},
    {"retry: a signal is a failure", NULL, "[ $(wc -c <$D/ran) -ge 2 ] || kill -9 $$", "bb",
     NULL},
    {"retry: 64 is a failure", NULL, "[ $(wc -c <$D/ran) -ge 2 ] || exit 64", "bb", NULL},
    {"retry: what cannot be found", NULL, "[ $(wc -c <$D/ran) -ge 2 ] || /nonexistent/script",
     "bb", NULL},
};

static void one_row(void **state)
{
    const struct row *r = *state;
    struct server_cfg srv = server();
    struct err err = {0};
    struct hook h;

    fx_init(&f);
    fx_text(fx_fmt("%s/ran", f.root), "");
    srv.pre_backup_script = r->pre ? script(fx_fmt("printf a >>$D/ran; %s", r->pre)) : NULL;
    srv.pre_backup_retry_script =
        r->pre_retry ? script(fx_fmt("printf b >>$D/ran; %s", r->pre_retry)) : NULL;
    hook_init(&h, task_init(), &srv, HOOK_BACKUP);
    assert_int_equal(h.pause_ms, 3000);
    assert_int_equal(h.long_pause_ms, 60000);
    h.pause_ms = h.long_pause_ms = 1;
    assert_int_equal(hook_before(&h, &err), r->why == NULL);
    assert_string_equal(made("ran"), r->wrote);
    assert_string_equal(err.why, r->why ? r->why : "");
    assert_int_equal(err.code, r->why ? ERR_HOOK : ERR_NONE);
    fx_release(&f);
}

/* Five failures do not come to it, the sixth does. */
static void every_sixth_pause_is_long(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};
    struct hook h;
    int64_t from, ms;

    (void)state;
    fx_init(&f);
    srv.pre_delete_retry_script = script("printf b >>$D/ran; [ $(wc -c <$D/ran) -ge 6 ]");
    hook_init(&h, task_init(), &srv, HOOK_DELETE);
    h.pause_ms = 1;
    h.long_pause_ms = 60000; /* five failures: not reached */
    assert_true(hook_before(&h, &err));
    srv.pre_delete_retry_script = script("printf b >>$D/two; [ $(wc -c <$D/two) -ge 7 ]");
    h.long_pause_ms = 700;
    from = clock_mono_ns();
    assert_true(hook_before(&h, &err));
    ms = (clock_mono_ns() - from) / NS_PER_MS;
    assert_true(ms >= 700);
    fx_release(&f);
}

/* ---- cancel and timeout ---- */

static void cancel_ends_the_waiting(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};
    struct hook h;
    int64_t from = clock_mono_ns();

    (void)state;
    fx_init(&f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, cancel), 0);
    srv.pre_recovery_retry_script = "exit 1";
    cancel_after = 1;
    hook_init(&h, task_init(), &srv, HOOK_RECOVERY); /* with the real pauses */
    assert_false(hook_before(&h, &err));
    assert_int_equal(err.code, ERR_CANCEL);
    assert_true(clock_mono_ns() - from < 2 * NS_PER_S);
    /* Those after are told all the same, once. */
    srv.post_recovery_retry_script = script("echo \"$BARMAN_ERROR\" >>$D/told; exit 1");
    hook_after(&h, "cancelled");
    assert_string_equal(made("told"), "cancelled\n");
    close(cancel[0]);
    close(cancel[1]);
    cancel[0] = cancel[1] = -1;
    fx_release(&f);
}

static void cancel_ends_the_script(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};
    struct hook h;
    int64_t from = clock_mono_ns();

    (void)state;
    fx_init(&f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, cancel), 0);
    srv.pre_backup_script = "sleep 50";
    cancel_after = 1;
    hook_init(&h, task_init(), &srv, HOOK_BACKUP);
    assert_false(hook_before(&h, &err));
    assert_int_equal(err.code, ERR_CANCEL);
    assert_true(clock_mono_ns() - from < 4 * NS_PER_S);
    close(cancel[0]);
    close(cancel[1]);
    cancel[0] = cancel[1] = -1;
    fx_release(&f);
}

static void too_long_counts_as_failed(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};
    struct hook h;
    int64_t from = clock_mono_ns();

    (void)state;
    fx_init(&f);
    fx_text(fx_fmt("%s/ran", f.root), "");
    srv.hook_timeout = 1;
    srv.pre_backup_retry_script =
        script("printf b >>$D/ran; [ $(wc -c <$D/ran) -ge 2 ] || sleep 50");
    hook_init(&h, task_init(), &srv, HOOK_BACKUP);
    h.pause_ms = 1;
    assert_true(hook_before(&h, &err));
    assert_string_equal(made("ran"), "bb");
    assert_true(clock_mono_ns() - from >= NS_PER_S);
    assert_non_null(strstr(logged, "pre_backup_retry_script failed: '/bin/sh': did not end"));
    fx_release(&f);
}

/* ---- what they see ---- */

static void ours_and_what_was_inherited(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};
    struct hook h;

    (void)state;
    fx_init(&f);
    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
    assert_int_equal(setenv("HOOK_TEST", "inherited", 1), 0);
    assert_int_equal(setenv("BARMAN_SERVER", "another", 1), 0);
    assert_int_equal(setenv("BARMAN_CONFIG_FILE", "/x.conf", 1), 0);
    srv.path_prefix = "/opt/one:/opt/two";
    srv.pre_backup_script =
        script("env | grep -E '^(BARMAN_|HOOK_TEST)' | LC_ALL=C sort >$D/env; echo \"$PATH\" "
               ">>$D/env; echo out; echo err >&2; echo out again");
    hook_init(&h, task_init(), &srv, HOOK_BACKUP);
    hook_env_add(&h, "BARMAN_BACKUP_ID", "20260101T000000");
    hook_env_add(&h, "BARMAN_NEXT_ID", NULL);
    assert_true(hook_before(&h, &err));
    assert_string_equal(made("env"), "BARMAN_BACKUP_ID=20260101T000000\n"
                                     "BARMAN_CONFIGURATION=/etc/barman.conf\n"
                                     "BARMAN_CONFIG_FILE=/x.conf\n"
                                     "BARMAN_ERROR=\n"
                                     "BARMAN_HOOK=backup_script\n"
                                     "BARMAN_NEXT_ID=\n"
                                     "BARMAN_PHASE=pre\n"
                                     "BARMAN_RETRY=0\n"
                                     "BARMAN_SERVER=main\n"
                                     "BARMAN_VERSION=3.17.0\n"
                                     "HOOK_TEST=inherited\n"
                                     "/opt/one:/opt/two:/usr/bin:/bin\n");
    assert_non_null(strstr(logged, "pre_backup_script: out\npre_backup_script: err\n"
                                   "pre_backup_script: out again\n"));
    assert_non_null(strstr(logged, "pre_backup_script ended with exit status 0\n"));
    assert_string_equal(said.out, "");
    unsetenv("BARMAN_SERVER");
    fx_release(&f);
}

/* Those after: retry first; both are told the error; 63 is a warning. */
static void after_the_operation(void **state)
{
    struct server_cfg srv = server();
    struct hook h;

    (void)state;
    fx_init(&f);
    srv.post_archive_script =
        script("echo $BARMAN_HOOK $BARMAN_PHASE $BARMAN_RETRY $BARMAN_ERROR >>$D/ran; exit 63");
    srv.post_archive_retry_script = srv.post_archive_script;
    hook_init(&h, task_init(), &srv, HOOK_ARCHIVE);
    hook_after(&h, "disk full");
    assert_string_equal(made("ran"), "archive_retry_script post 1 disk full\n"
                                     "archive_script post 0 disk full\n");
    assert_non_null(strstr(said.warn, "post_archive_retry_script ended with exit status 63"));
    assert_null(strstr(said.warn, "post_archive_script ended"));
    fx_release(&f);
}

static void a_backup(const char *id, enum backup_status status)
{
    struct err err = {0};
    struct backup b = {.status = status,
                       .mode = "postgres",
                       .begin_wal = "000000010000000000000002",
                       .end_wal = "000000010000000000000002",
                       .timeline = 1,
                       .xlog_segment_size = FX_SEG};

    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(dir_make(fx_fmt("%s/%s/data", f.r.base_dir, id), &err));
}

#define A "20260101T000000"
#define B "20260102T000000"
#define C "20260103T000000"

/* Not the failed one before it. */
static void of_a_backup(void **state)
{
    struct backup b = {.id = C, .status = BACKUP_FAILED, .error = "no space"};
    struct server_cfg srv = server();
    struct err err = {0};
    struct arena a;
    struct hook h;

    (void)state;
    fx_init(&f);
    a_backup(A, BACKUP_DONE);
    a_backup(B, BACKUP_FAILED);
    srv.post_backup_script =
        script("echo \"$BARMAN_BACKUP_ID,$BARMAN_PREVIOUS_ID,$BARMAN_NEXT_ID,"
               "$BARMAN_STATUS,$BARMAN_ERROR\" >$D/ran; echo \"$BARMAN_BACKUP_DIR,"
               "$BARMAN_BACKUP_INFO_PATH\" >$D/paths");
    arena_init(&a, 0);
    hook_init(&h, task_init(), &srv, HOOK_BACKUP);
    assert_true(hook_env_backup(&h, &a, &f.r, &b, &err));
    hook_after(&h, NULL);
    assert_string_equal(made("ran"), C "," A ",,FAILED,no space\n");
    assert_string_equal(made("paths"),
                        fx_fmt("%s/" C ",%s/" C "-backup.info\n", f.r.base_dir, f.r.meta_dir));
    arena_release(&a);
    fx_release(&f);
}

/* ---- with the verbs ---- */

#define WAL_LINE                                                                               \
    "echo \"$BARMAN_PHASE $BARMAN_SEGMENT ${BARMAN_FILE#$D/} $BARMAN_SIZE $BARMAN_TIMESTAMP "  \
    "[$BARMAN_COMPRESSION] [$BARMAN_ERROR]\" >>$D/ran; "

static struct archive_wal archive_verb(const struct server_cfg *srv)
{
    return (struct archive_wal){
        .repo = &f.r,
        .store.rules = {.systemid = FX_SYSID, .seg_size = FX_SEG, .major = 15},
        .from = ARCHIVE_INCOMING,
        .srv = srv,
    };
}

static void set_time(const char *path)
{
    struct timespec t[2] = {{1700000000, 500000000}, {1700000000, 500000000}};

    assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* Those after find the file archived, listed and the source gone. */
static void around_each_wal_file(void **state)
{
    struct server_cfg srv = server();
    struct archive_result result;
    struct archive_wal what;
    struct err err = {0};

    (void)state;
    fx_init(&f);
    set_time(fx_segment(f.r.incoming_dir, 1));
    set_time(fx_segment(f.r.incoming_dir, 2));
    srv.pre_archive_script = script(WAL_LINE "[ -f \"$BARMAN_FILE\" ]");
    srv.post_archive_script =
        script(WAL_LINE
               "[ -f \"$BARMAN_FILE\" ] && grep -q \"^$BARMAN_SEGMENT\" $D/main/wals/*xlog.db "
               "&& [ ! -e \"$D/main/incoming/$BARMAN_SEGMENT\" ] && echo durable >>$D/ran");
    what = archive_verb(&srv);
    assert_true(archive_wal(task_init(), &what, &result, &err));
    assert_int_equal(result.stored, 2);
    assert_string_equal(
        made("ran"),
        "pre 000000010000000000000001 main/incoming/000000010000000000000001 1048576 "
        "1700000000.5 [] []\n"
        "post 000000010000000000000001 main/wals/0000000100000000/000000010000000000000001 "
        "1048576 1700000000.5 [] []\ndurable\n"
        "pre 000000010000000000000002 main/incoming/000000010000000000000002 1048576 "
        "1700000000.5 [] []\n"
        "post 000000010000000000000002 main/wals/0000000100000000/000000010000000000000002 "
        "1048576 1700000000.5 [] []\ndurable\n");
    fx_release(&f);
}

static void stop_ends_the_archiving(void **state)
{
    struct server_cfg srv = server();
    struct archive_result result;
    struct archive_wal what;
    struct err err = {0};

    (void)state;
    fx_init(&f);
    fx_segment(f.r.incoming_dir, 1);
    fx_segment(f.r.incoming_dir, 2);
    fx_segment(f.r.incoming_dir, 3);
    srv.pre_archive_retry_script =
        script("case $BARMAN_SEGMENT in *2) exit 63;; *) exit 0;; esac");
    srv.post_archive_script = script("echo \"$BARMAN_SEGMENT $BARMAN_ERROR\" >>$D/ran");
    what = archive_verb(&srv);
    assert_true(archive_wal(task_init(), &what, &result, &err));
    assert_int_equal(result.stored, 1);
    assert_true(fx_there(fx_fmt("%s/000000010000000000000002", f.r.incoming_dir)));
    assert_true(fx_there(fx_fmt("%s/000000010000000000000003", f.r.incoming_dir)));
    assert_non_null(strstr(said.warn, "archiving from file archival ends here"));
    assert_non_null(strstr(made("ran"), "000000010000000000000001 \n"));
    assert_non_null(strstr(made("ran"), "000000010000000000000002 '"));
    assert_null(strstr(made("ran"), "000000010000000000000003"));
    fx_release(&f);
}

/* A file that breaks a rule: the plain script after it is told too. */
static void the_error_of_a_wal_file(void **state)
{
    struct server_cfg srv = server();
    struct archive_result result;
    struct archive_wal what;
    struct err err = {0};

    (void)state;
    fx_init(&f);
    fx_text(fx_fmt("%s/000000010000000000000001", f.r.incoming_dir), "short");
    srv.post_archive_script = script("echo \"$BARMAN_ERROR\" >$D/ran");
    what = archive_verb(&srv);
    assert_true(archive_wal(task_init(), &what, &result, &err));
    assert_int_equal(result.refused, 1);
    assert_non_null(strstr(made("ran"), "000000010000000000000001"));
    fx_release(&f);
}

static void wal(unsigned no)
{
    const char *dir = fx_fmt("%s/0000000100000000", f.r.wals_dir);

    mkdir(dir, 0700);
    fx_text(fx_fmt("%s/0000000100000000%08X", dir, no), "");
}

static bool delete_a(const struct server_cfg *srv, struct err *err)
{
    const struct delete_backup what = {.repo = &f.r, .id = A, .srv = srv};

    return delete_backup(task_init(), &what, err);
}

static void around_a_delete(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};

    (void)state;
    fx_init(&f);
    a_backup(A, BACKUP_DONE);
    wal(1);
    wal(2);
    srv.pre_delete_script = script("[ -d $BARMAN_BACKUP_DIR ] && echo pre >>$D/ran");
    srv.post_delete_script = script("[ -d $BARMAN_BACKUP_DIR ] || echo post >>$D/ran");
    srv.pre_wal_delete_script =
        script("[ -e $BARMAN_FILE ] && echo pre $BARMAN_SEGMENT >>$D/ran");
    srv.post_wal_delete_script =
        script("[ -e $BARMAN_FILE ] || echo post $BARMAN_SEGMENT >>$D/ran");
    assert_true(delete_a(&srv, &err));
    assert_string_equal(made("ran"), "pre\npre 000000010000000000000001\n"
                                     "post 000000010000000000000001\npost\n");
    fx_release(&f);
}

/* Said before anything is touched: nothing is. */
static void stop_before_a_delete(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};

    (void)state;
    fx_init(&f);
    a_backup(A, BACKUP_DONE);
    srv.pre_delete_retry_script = "exit 63";
    srv.post_delete_script = script("echo $BARMAN_PHASE >>$D/ran");
    assert_false(delete_a(&srv, &err));
    assert_int_equal(err.code, ERR_HOOK);
    assert_true(fx_there(fx_fmt("%s/" A "/data", f.r.base_dir)));
    assert_false(delete_mark_is_set(&f.r, A));
    assert_false(fx_there(fx_fmt("%s/ran", f.root)));
    fx_release(&f);
}

/* Said between two WAL files: the list stays true, and the delete can be given again. */
static void stop_among_the_wal(void **state)
{
    struct server_cfg srv = server();
    struct err err = {0};

    (void)state;
    fx_init(&f);
    a_backup(A, BACKUP_DONE);
    a_backup(B, BACKUP_DONE);
    wal(0);
    wal(1);
    wal(2);
    srv.pre_wal_delete_retry_script = "case $BARMAN_SEGMENT in *1) exit 63;; esac";
    assert_false(delete_a(&srv, &err));
    assert_int_equal(err.code, ERR_HOOK);
    assert_int_equal(fx_xlogdb_lines(&f.r), 2);
    assert_false(
        fx_there(fx_fmt("%s/0000000100000000/000000010000000000000000", f.r.wals_dir)));
    assert_true(fx_there(fx_fmt("%s/0000000100000000/000000010000000000000001", f.r.wals_dir)));
    assert_true(delete_mark_is_set(&f.r, A));
    srv.pre_wal_delete_retry_script = NULL;
    err = (struct err){0};
    assert_true(delete_a(&srv, &err));
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, one_row), ONE(every_sixth_pause_is_long), ONE(cancel_ends_the_waiting),
          ONE(cancel_ends_the_script), ONE(too_long_counts_as_failed),
          ONE(ours_and_what_was_inherited), ONE(after_the_operation), ONE(of_a_backup),
          ONE(around_each_wal_file), ONE(stop_ends_the_archiving), ONE(the_error_of_a_wal_file),
          ONE(around_a_delete), ONE(stop_before_a_delete), ONE(stop_among_the_wal))
