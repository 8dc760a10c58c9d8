/* SPDX-License-Identifier: PostgreSQL */
/* What every command prints, to the letter: tests/golden/batch/NAME.txt as lines and NAME.json
 * with -f json, from the catalogue of tests/data/catalogue at a fixed time (BARKEEP_NOW).
 *
 * To add a command: a row {"name", "its command line without barkeep"} in rows[], then
 *     scripts/golden --batch build-debug
 * and read what changed (git diff) before you commit it. Each row begins with a fresh copy of the catalogue,
 * whose servers are
 *     main   three backups and one that failed     chain  incremental backups, two timelines
 *     keep   a kept backup and one of rsync        empty, off (inactive), bad (disabled)
 * No server answers: their sockets are not there. In what is kept '@' stands for barman_home,
 * and times that pass are cut out (see steady()).
 */
#include "invocation.h"

#include <sys/stat.h>

#define CATALOGUE TEST_DATA "/catalogue"
#define NOW       "1795435200" /* 2026-11-23 12:00:00 UTC */

static const struct {
    const char *label;
    const char *line;
} rows[] = {
    {"list-servers", "list-servers"},
    {"list-servers-minimal", "list-servers --minimal"},
    {"list-backups", "list-backups main"},
    {"list-backups-all", "list-backups all"},
    {"list-backups-minimal", "list-backups --minimal main chain"},
    {"list-backups-unknown", "list-backups main nosuch"},
    {"list-backups-all-and-one", "list-backups all main"},
    {"show-backup", "show-backup main latest"},
    {"show-backup-first", "show-backup main first"},
    {"show-backup-tablespaces", "show-backup main 20261121T100000"},
    {"show-backup-rsync", "show-backup keep latest"},
    {"show-backup-failed", "show-backup main last-failed"},
    {"show-backup-incremental", "show-backup chain latest"},
    {"show-backup-parent", "show-backup chain first"},
    {"show-backup-unknown", "show-backup main nosuch"},
    {"show-backup-all", "show-backup all latest"},
    {"status", "status main"},
    {"status-many", "status off bad empty"},
    {"check", "check main"},
    {"check-many", "check off bad"},
    {"check-nagios", "check --nagios main"},
    {"check-nagios-many", "check --nagios all"},
    {"backup-off", "backup off"},
    {"backup-bad", "backup bad"},
    {"backup-unreachable", "backup main"},
    {"delete", "delete main first"},
    {"delete-refused", "delete keep 20261120T100000"},
    {"delete-parent", "delete chain first"},
    {"delete-dry-run", "delete --dry-run main first"},
    {"cron-dry-run", "cron --dry-run"},
    {"check-backup", "check-backup main latest"},
    {"verify-backup-nothing", "verify-backup main latest"},
    {"verify-backup-unknown", "verify-backup main nosuch"},
    {"generate-manifest", "generate-manifest keep latest"},
    {"generate-manifest-failed", "generate-manifest main last-failed"},
    {"restore-missing", "restore main nosuch @/new"},
    {"restore-elsewhere", "restore main latest db1:/srv/main"},
    {"restore-targets", "restore --target-xid 9 --target-name x main latest @/new"},
    {"estimate-size", "estimate-size main"},
    {"convert-layout-dry-run", "convert-layout --dry-run main legacy"},
    {"convert-layout", "convert-layout main legacy"},
    {"convert-layout-refused", "convert-layout chain legacy"},
    {"show-copy", "show-copy main @/new"},
    {"start-copy", "start-copy main @/new"},
    {"stop-copy", "stop-copy main @/new"},
    {"promote-copy", "promote-copy main @/new"},
    {"compare-copy", "compare-copy main @/new"},
    {"drop-copy", "drop-copy main @/new"},
    {"archive-wal", "archive-wal main"},
    {"archive-wal-off", "archive-wal off"},
    {"switch-wal", "switch-wal main"},
    {"receive-wal-not-running", "receive-wal --stop main"},
    {"receive-wal-off", "receive-wal off"},
    {"receive-wal-create-slot", "receive-wal --create-slot main"},
    {"receive-wal-incompatible", "receive-wal --stop --reset main"},
    {"get-wal-test", "get-wal --test main x"},
    {"get-wal-peek", "get-wal --peek 5 main 000000010000000000000003"},
    {"get-wal", "get-wal -o @ main 000000010000000000000003"},
    {"get-wal-invalid", "get-wal main x"},
    {"get-wal-missing", "get-wal main 0000000900000000000000FF"},
    {"get-wal-history", "get-wal main 00000002.history"},
    {"put-wal", "put-wal main"},
    {"put-wal-test", "put-wal --test main"},
    {"put-wal-off", "put-wal --test off"},
    {"put-wal-bad", "put-wal bad"},
    {"keep-nothing-off", "keep off latest"},
    {"keep-status", "keep --status keep first"},
    {"keep-status-not", "keep -s main latest"},
    {"keep-nothing", "keep main latest"},
    {"keep", "keep --target full main first"},
    {"keep-failed", "keep --target full main last-failed"},
    {"keep-incremental", "keep --target full chain latest"},
    {"keep-release", "keep --release keep first"},
    {"list-files", "list-files main latest"},
    {"list-files-wal", "list-files --target wal main first"},
    {"list-files-full", "list-files --target full chain first"},
    {"list-files-data", "list-files --target data --list-empty-directories keep latest"},
    {"list-files-unknown", "list-files main nosuch"},
    {"check-wal-archive", "check-wal-archive empty"},
    {"check-wal-archive-failed", "check-wal-archive main"},
    {"check-wal-archive-timeline", "check-wal-archive --timeline 2 chain"},
    {"rebuild-xlogdb", "rebuild-xlogdb empty"},
    {"replication-status", "replication-status main off bad"},
    {"replication-status-minimal", "replication-status --minimal main"},
    {"list-processes", "list-processes main"},
    {"list-processes-off", "list-processes off"},
    {"terminate-process", "terminate-process main receive-wal"},
    {"lock-directory-cleanup", "lock-directory-cleanup"},
    {"config-switch", "config-switch main main-moved"},
    {"config-switch-other", "config-switch main elsewhere"},
    {"config-switch-nothing", "config-switch main"},
    {"config-switch-unknown", "config-switch main nosuch"},
    {"config-switch-reset", "config-switch --reset empty"},
    {"config-update", "config-update "
                      "[{\"scope\":\"server\",\"server_name\":\"main\",\"slot_name\":\"b\"}]"},
    {"config-update-none", "config-update []"},
    {"config-update-wrong", "config-update [{}]"},
    {"show-servers", "show-servers main"},
    {"show-servers-many", "show-servers off bad"},
    {"diagnose", "diagnose"},
    {"diagnose-source", "diagnose --show-config-source"},
    {"help-restore", "help restore"},
};

/* ---- the catalogue ---- */

/* Files named *.in have their '@' and '~' replaced; a file NAME.size holds how many bytes NAME
 * has. */
static void copy_file(struct arena *a, const char *from, const char *rel)
{
    static char text[1 << 16];
    char to[512];
    struct str in = str_of(""), size;
    uint64_t bytes;
    struct err err;

    assert_true(file_read(a, from, 1 << 16, &in, &err));
    str_fmt(to, sizeof to, "%s/%s", home, rel);
    if (str_ends(str_of(rel), ".in")) {
        to[strlen(to) - 3] = '\0';
        expand(in, text, sizeof text);
        assert_true(file_replace(to, str_of(text), &err));
    } else if (str_ends(str_of(rel), ".size")) {
        to[strlen(to) - 5] = '\0';
        size = str_trim(in);
        assert_true(str_u64(size, UINT64_C(1) << 40, &bytes));
        assert_true(file_replace(to, str_of(""), &err));
        assert_int_equal(truncate(to, (off_t)bytes), 0);
    } else {
        assert_true(file_replace(to, in, &err));
    }
}

static void copy_catalogue(struct arena *a)
{
    struct tree tree = {.depth = 0};
    struct tree_entry e;
    struct err err;
    char to[512];

    assert_true(tree_open(&tree, CATALOGUE, &err));
    while (tree_next(&tree, &e, &err) && e.kind != TREE_END) {
        if (e.kind == TREE_FILE) {
            copy_file(a, tree.path, e.rel);
        } else if (e.kind == TREE_DIR) {
            str_fmt(to, sizeof to, "%s/%s", home, e.rel);
            assert_true(mkdir(to, 0700) == 0 || file_kind(to, NULL) == FILE_DIR);
        }
    }
    tree_close(&tree);
}

/* ---- comparing ---- */

/* Cut what passes out of a text: barman_home and elapsed times. */
static const char *steady(struct arena *a, const char *text)
{
    static const struct {
        const char *before, *after; /* what lies between becomes '...' */
    } cut[] = {
        {"elapsed time: ", ")"},
        {"recovery_elapsed_time_seconds\": ", ","},
        {"recovery_elapsed_time\": \"", "\""},
        {"kernel_ver\": \"", "\""},
    };
    const size_t cuts = sizeof cut / sizeof cut[0];
    size_t cap = strlen(text) * 2 + 64, n = strlen(home);
    char *mem = arena_alloc(a, cap);
    struct sbuf b;

    sbuf_init(&b, mem, cap);
    while (*text) {
        size_t k = 0;

        if (strncmp(text, home, n) == 0) {
            sbuf_char(&b, '@');
            text += n;
            continue;
        }
        while (k < cuts && strncmp(text, cut[k].before, strlen(cut[k].before)) != 0) {
            k++;
        }
        if (k < cuts) {
            sbuf_fmt(&b, "%s...", cut[k].before);
            text = strstr(text + strlen(cut[k].before), cut[k].after);
            assert_non_null(text);
            continue;
        }
        sbuf_char(&b, *text++);
    }
    assert_true(sbuf_ok(&b));
    return mem;
}

static void compare(struct arena *a, const char *name, const char *ext, const char *got)
{
    const char *update = getenv("GOLDEN_UPDATE");
    char path[512];
    struct str want = str_of("");
    struct err err;

    if (update) {
        str_fmt(path, sizeof path, "%s/batch", update);
        assert_true(mkdir(path, 0755) == 0 || file_kind(path, NULL) == FILE_DIR);
        str_fmt(path, sizeof path, "%s/batch/%s.%s", update, name, ext);
        assert_true(file_replace(path, str_of(got), &err));
        return;
    }
    str_fmt(path, sizeof path, TEST_DATA "/../golden/batch/%s.%s", name, ext);
    if (!file_read(a, path, 1 << 20, &want, &err)) {
        print_message("%s is not there: scripts/golden makes it\n", path);
    }
    assert_string_equal(got, want.p);
}

static void once(const char *name, const char *ext, const char *before, const char *line)
{
    struct arena a;
    int status;

    arena_init(&a, 0);
    home_make();
    copy_catalogue(&a);
    status = run(arena_fmt(&a, "barkeep %s -c @/conf %s", before, line));
    compare(&a, name, ext,
            arena_fmt(&a, "$ barkeep %s%s%s\n%s%s%s==== exit status %d\n", before,
                      *before ? " " : "", line, steady(&a, said(&a, "out")),
                      *said(&a, "err") ? "==== stderr\n" : "", steady(&a, said(&a, "err")),
                      status));
    arena_release(&a);
    home_remove();
}

static void golden(void **state)
{
    const struct {
        const char *label, *line;
    } *row = *state;

    setenv("BARKEEP_NOW", NOW, 1);
    setenv("TZ", "UTC", 1);
    unsetenv("BARMAN_CONFIG_FILE");
    once(row->label, "txt", "", row->line);
    once(row->label, "json", "-f json", row->line);
}

TEST_MAIN(ROWS(rows, golden))
