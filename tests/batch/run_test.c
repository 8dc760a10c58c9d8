/* SPDX-License-Identifier: PostgreSQL */
/* Whole invocations in a child process: streams and exit statuses, and the rules about servers
 * that are inactive, disabled, or not there. */
#include "invocation.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PG     "[pg]\nconninfo = host=none\nbackup_method = postgres\narchiver = on\n"
#define BARMAN "[barman]\nbarman_home = @\nbarman_user = ~\n"

static int set_up(void **state)
{
    (void)state;
    home_make();
    put("conf", BARMAN
        "log_file = @/log\n"
        "[pg]\ndescription = Orders\nconninfo = host=none\nbackup_method = postgres\n"
        "archiver = on\n"
        "[off]\nactive = no\nconninfo = host=none\nbackup_method = postgres\narchiver = on\n"
        "[bad]\nbackup_method = postgres\narchiver = on\n"
        "[gpg]\nconninfo = host=none\nbackup_method = postgres\narchiver = on\n"
        "encryption = gpg\ncombine_mode = link\n");
    put("clash", BARMAN
        "[a]\nconninfo=host=a\nbackup_method=postgres\narchiver=on\nwals_directory=@/w\n"
        "[b]\nconninfo=host=a\nbackup_method=postgres\narchiver=on\nwals_directory=@/w\n");
    put("nolog", BARMAN "log_file = /proc/none/log\n"
                        "log_format = L=%%(levelname)s M=%%(message)s\n");
    put("layout", BARMAN "log_file = @/new/sub/log\n"
                         "log_format = %%%%(levelname)-7s|%%%%(message)s\n");
    put("mislaid", BARMAN "log_file = @/log\nlog_format = hello\n");
    put("plain", BARMAN PG);
    put("forced", BARMAN "log_file = @/log\n"
                         "[a]\nconninfo=host=/nowhere\nbackup_method=postgres\n"
                         "archiver=on\n[b]\nconninfo=host=b\nbackup_method=postgres\n");
    put("nobody", "[barman]\nbarman_home = @\nbarman_user = no-such-user\n");
    put("broken", "[barman]\nhello\n");
    return 0;
}

static const struct {
    const char *label;
    const char *line;
    int status;
    const char *out, *err; /* whole; NULL: not looked at; a leading '*': begins so */
} rows[] = {
    {"no command", "barkeep", 0, "*usage: barkeep [OPTION...] COMMAND", ""},
    {"version", "barkeep -v", 0, BARKEEP_VERSION " barkeep\n", ""},
    {"help needs no configuration", "barkeep -c /none help backup", 0,
     "*usage: barkeep [OPTION...] backup", ""},
    {"help of nothing", "barkeep help fly", 2, "",
     "barkeep help: error: 'fly' is no command\n"},
    {"wrong usage", "barkeep list-backups", 2, "",
     "usage: barkeep [OPTION...] list-backups [OPTION...] SERVER [SERVER...]\n"
     "barkeep list-backups: error: the following argument is required: SERVER\n"},
    {"an archiver that is missing, of another server", "barkeep -c @/forced list-backups a", 0,
     "", ""},
    {"an archiver that is missing", "barkeep -c @/forced list-backups b", 0, "",
     "WARNING: No archiver enabled for server 'b'. Please turn on 'archiver', "
     "'streaming_archiver' or both\nWARNING: Forcing 'archiver = on'\n"},
    {"an archiver that is missing, of one of all", "barkeep -c @/forced list-servers", 0,
     "a\nb\n",
     "WARNING: No archiver enabled for server 'b'. Please turn on 'archiver', "
     "'streaming_archiver' or both\nWARNING: Forcing 'archiver = on'\n"},
    {"a WAL host that is the server itself",
     "barkeep -c @/forced replication-status --source wal-host a", 1, "",
     "*ERROR: Unable to connect to server a"},
    {"nothing is to be received", "barkeep -c @/forced receive-wal a", 1, "",
     "ERROR: Unable to start receive-wal process: streaming_archiver option set to 'off' in "
     "barman configuration file\n"},
    {"nor to be made anew", "barkeep -c @/forced receive-wal --reset a", 1, "",
     "ERROR: Unable to start receive-wal process: streaming_archiver option set to 'off' in "
     "barman configuration file\n"},
    {"no configuration", "barkeep -c @/none list-servers", 1, "",
     "*ERROR: cannot read: '@/none': no such file"},
    {"broken configuration", "barkeep -c @/broken list-servers", 1, "",
     "*ERROR: cannot read the configuration: '@/broken:2': neither a [section]"},
    {"user that is not there", "barkeep -c @/nobody list-servers", 1, "",
     "*ERROR: 'no-such-user': the configured user does not exist"},
    {"servers", "barkeep -c @/conf list-servers", 0,
     "bad -  (WARNING: disabled)\ngpg\noff -  (inactive)\npg - Orders\n", NULL},
    {"names of servers", "barkeep -c @/conf list-servers --minimal", 0, "bad\ngpg\noff\npg\n",
     "WARNING: @/conf:23: option 'combine_mode' is known but this version does not act on "
     "it.\n"},
    {"quiet hides results", "barkeep -q -c @/conf list-servers", 0, "", NULL},
    {"paths that clash stop all", "barkeep -c @/clash list-servers", 1, "",
     "*ERROR: Conflicting path: wals_directory=@/w of server 'b'"},
    {"unknown server", "barkeep -c @/conf list-backups none", 1, "", "*"},
    {"unknown and known server", "barkeep -c @/conf list-backups none pg", 1, "", NULL},
    {"no backups", "barkeep -c @/conf list-backups pg", 0, "", NULL},
    {"all", "barkeep -c @/conf list-backups all", 0, "", NULL},
    {"all with another", "barkeep -c @/conf list-backups all pg", 1, "", NULL},
    {"all where one is asked for", "barkeep -c @/conf show-backup all latest", 1, "", NULL},
    {"unknown backup", "barkeep -c @/conf show-backup pg latest", 1, "", NULL},
    {"side by side, in order", "barkeep -c @/conf backup off none", 1,
     "Skipping inactive server 'off'\n", "*"},
    {"side by side, all", "barkeep -c @/conf -f json backup off none bad", 1,
     "*{\"_ERROR\": [\"PostgreSQL connection: Missing 'conninfo' parameter for server 'bad'\", "
     "\"Streaming connection: Missing 'streaming_conninfo' parameter for server 'bad'\", "
     "\"Unknown server 'none'\"], \"_INFO\": [\"Skipping inactive server 'off'\"], "
     "\"_WARNING\": [",
     ""},
    {"side by side, each once", "barkeep -c @/conf switch-wal off off off", 0,
     "Skipping inactive server 'off'\n", NULL},
    {"side by side, the highest status", "barkeep -c @/conf backup --name latest off pg", 2,
     "Skipping inactive server 'off'\n", NULL},
    {"backup skips an inactive server", "barkeep -c @/conf backup off", 0,
     "Skipping inactive server 'off'\n", NULL},
    {"backup refuses a disabled server", "barkeep -c @/conf backup bad", 1, "", NULL},
    {"list-backups looks at a disabled server", "barkeep -c @/conf list-backups bad", 0, "",
     NULL},
    {"archive-wal skips an inactive server", "barkeep -c @/conf archive-wal off", 0,
     "Skipping inactive server 'off'\n", NULL},
    {"archive-wal refuses what it cannot honour", "barkeep -c @/conf archive-wal gpg", 1, "",
     NULL},
    {"backup refuses what it cannot honour", "barkeep -c @/conf backup gpg", 1, "", NULL},
    {"get-wal says it is ready", "barkeep -c @/conf get-wal --test pg x", 0,
     "Ready to retrieve WAL files from the server pg\n", NULL},
    {"get-wal packed and as it is stored",
     "barkeep -c @/plain get-wal --gzip --keep-compression pg 000000010000000000000001", 1, "",
     "ERROR: argument `gzip` not allowed with argument `keep-compression`\n"},
    {"get-wal packed otherwise and as it is stored",
     "barkeep -c @/plain get-wal --keep-compression -j pg 000000010000000000000001", 1, "",
     "ERROR: argument `bzip2` not allowed with argument `keep-compression`\n"},
    {"get-wal with an impossible name", "barkeep -c @/conf get-wal pg x", 3, "", NULL},
    {"get-wal of what is not there", "barkeep -c @/conf get-wal pg 000000010000000000000001", 1,
     "", NULL},
    {"reserved backup name", "barkeep -c @/conf backup --name latest pg", 2, "", NULL},
    {"backup name like an id", "barkeep -c @/conf backup --name 20261122T134344 pg", 2, "",
     NULL},
    {"empty backup name", "barkeep -c @/conf backup --name= pg", 2, "", NULL},
    {"restore of an unknown backup", "barkeep -c @/conf restore pg latest @/new", 1, "", NULL},
    {"restore with a strange tablespace",
     "barkeep -c @/conf restore --tablespace x pg latest @/new", 1, "", NULL},
    {"restore onto another host",
     "barman -c @/plain restore --remote-ssh-command ssh pg latest @/new", 1, "",
     "*ERROR: a restore onto another host is not offered by this version\nHINT: "},
    {"restore staged on another host",
     "barman -c @/plain restore --staging-location remote pg latest @/new", 1, "",
     "*ERROR: --staging-location as remote requires --remote-ssh-command to be set\n"},
    {"restore staged here",
     "barman -c @/plain restore --staging-location local pg latest @/new", 1, "",
     "*ERROR: Unknown backup 'latest' for server 'pg'\n"},
    {"restore over a compressed line",
     "barman -c @/plain restore --network-compression pg latest @/new", 1, "",
     "*ERROR: Network compression can only be used with remote recovery.\n"},
    {"restore over an uncompressed line",
     "barman -c @/plain restore --no-network-compression pg latest @/new", 1, "",
     "*ERROR: Unknown backup 'latest' for server 'pg'\n"},
    {"restore of a difference", "barman -c @/plain restore --delta-restore pg latest @/new", 1,
     "", "*ERROR: delta restore is not offered by this version\n"},
    {"restore from a snapshot",
     "barman -c @/plain restore --snapshot-recovery-instance vm pg latest @/new", 1, "",
     "*ERROR: snapshot backups are not offered by this version\n"},
    {"restore staged somewhere",
     "barman -c @/plain restore --staging-path here pg latest @/new", 1, "",
     "*ERROR: Cannot parse staging path: Invalid value : 'here' (must be an absolute path)\n"},
    {"restore with what does nothing",
     "barman -c @/plain restore --staging-path /t --combine-mode link --jobs-start-batch-size "
     "9 "
     "pg latest @/new",
     1, "",
     "*WARNING: --staging-path does nothing for server 'pg': backups are unpacked straight to "
     "their place\n"
     "WARNING: --combine-mode does nothing for server 'pg': pg_combinebackup is not used\n"
     "WARNING: --jobs-start-batch-size does nothing for server 'pg': rsync is not used\n"
     "ERROR: Unknown backup 'latest' for server 'pg'\n"},
    {"delete of an unknown backup", "barkeep -c @/conf delete pg latest", 1, "", NULL},
    {"one document instead of lines", "barkeep -f json -c @/conf list-backups none", 1,
     "*{\"_ERROR\": [\"Unknown server 'none'\"], \"_WARNING\": [\"", ""},
    {"no configuration, in a document", "barkeep --format=json -c @/none list-servers", 1,
     "*{\"_ERROR\": [\"cannot read: '@/none': no such file", ""},
    {"a quiet document", "barkeep -q -f json -c @/none list-servers", 1, "", ""},
    {"wrong usage is no document", "barkeep -f json list-backups", 2, "", "*usage: "},
    {"help is no document", "barkeep -f json help", 0, "*usage: barkeep", ""},
    {"no such format", "barkeep -f xml list-servers", 2, "",
     "*usage: barkeep [OPTION...] COMMAND ...\nbarkeep: error: argument --format: invalid "
     "choice: 'xml'"},
    {"get-wal tells in a document why not", "barkeep -f json -c @/conf get-wal pg x", 3,
     "*{\"_ERROR\": [\"", ""},
    {"one job number for two servers", "barkeep --job 1 -c @/conf backup pg off", 2, "",
     "usage: barkeep [OPTION...] backup [OPTION...] SERVER [SERVER...]\n"
     "barkeep backup: error: argument --job: one job is for one server\n"},
    {"one job number for all servers", "barkeep --job 1 -c @/conf backup all", 2, "", NULL},
    {"barman: version", "barman -v", 0,
     "3.17.0 Barman by EnterpriseDB (www.enterprisedb.com)\n", ""},
    {"barman: no command, with a configuration", "barman -c @/conf -q", 0,
     "*usage: barman [OPTION...] COMMAND", NULL},
    {"barman: no command, no configuration", "barman -c @/none", 1, "",
     "*ERROR: cannot read: '@/none': no such file"},
    {"barman: the command help", "barman -c @/conf help", 0,
     "*usage: barman [OPTION...] COMMAND", NULL},
    {"barman: help of a command", "barman backup --help", 0,
     "*usage: barman [OPTION...] backup [OPTION...] SERVER [SERVER...]\n", ""},
    {"barman: wrong usage", "barman list-backups", 2, "",
     "usage: barman [OPTION...] list-backups [OPTION...] SERVER [SERVER...]\n"
     "barman list-backups: error: the following arguments are required: server_name\n"},
    {"barman: unknown option", "barman list-backups --fly pg", 2, "",
     "usage: barman [OPTION...] COMMAND ...\n"
     "barman: error: unrecognized arguments: --fly\n"},
    {"barman: barkeep's own command", "barman estimate-size pg", 2, "",
     "*usage: barman [OPTION...] COMMAND ...\nbarman: error: argument command: invalid choice: "
     "'estimate-size'"},
    {"barman: servers", "barman -c @/conf list-servers --minimal", 0, "bad\ngpg\noff\npg\n",
     NULL},
    {"a job number for what is no job", "barkeep --job 1 -c @/conf list-servers", 2, "", NULL},
};

static void same(const char *got, const char *pattern)
{
    char want[4096];

    if (!pattern) {
        return;
    }
    expand(str_of(pattern), want, sizeof want);
    if (want[0] == '*') {
        if (strncmp(got, want + 1, strlen(want + 1)) != 0) {
            assert_string_equal(got, want + 1);
        }
    } else {
        assert_string_equal(got, want);
    }
}

static void invocation(void **state)
{
    const struct {
        const char *label, *line;
        int status;
        const char *out, *err;
    } *row = *state;
    struct arena a;
    void *none = NULL;
    int status;

    assert_int_equal(set_up(&none), 0);
    arena_init(&a, 0);
    status = run(row->line);
    same(said(&a, "out"), row->out);
    same(said(&a, "err"), row->err);
    assert_int_equal(status, row->status);
    if (status && !strstr(row->line, " json ") && !strstr(row->line, "=json ")) {
        assert_true(strlen(said(&a, "err")) > 0);
    }
    arena_release(&a);
    home_remove();
}

/* In the layout that was asked for, and its directory is made. */
static void log_has_its_layout(void **state)
{
    struct arena a;

    assert_int_equal(set_up(state), 0);
    arena_init(&a, 0);
    assert_int_equal(run("barkeep -c @/layout list-backups none"), 1);
    assert_string_equal(said(&a, "new/sub/log"), "ERROR  |Unknown server 'none'\n");
    assert_string_equal(said(&a, "err"), "ERROR: Unknown server 'none'\n");
    arena_release(&a);
    home_remove();
}

static void log_that_cannot_be_goes_to_stderr(void **state)
{
    struct arena a;
    const char *text;

    assert_int_equal(set_up(state), 0);
    arena_init(&a, 0);
    assert_int_equal(run("barkeep -c @/nolog list-backups none"), 1);
    text = said(&a, "err");
    assert_non_null(strstr(text,
                           "WARNING: Failed opening the requested log file. Using standard "
                           "error instead. ("));
    assert_non_null(strstr(text, "/proc/none"));
    assert_non_null(strstr(text, "\nL=ERROR M=Unknown server 'none'\n"));
    assert_non_null(strstr(text, "\nERROR: Unknown server 'none'\n"));
    arena_release(&a);
    home_remove();
}

static void layout_that_is_none_is_told(void **state)
{
    struct arena a;

    assert_int_equal(set_up(state), 0);
    arena_init(&a, 0);
    assert_int_equal(run("barkeep -c @/mislaid list-backups none"), 1);
    assert_non_null(strstr(said(&a, "err"), "WARNING: 'hello': not the layout of a log line"));
    assert_non_null(strstr(said(&a, "log"), " barkeep ERROR: Unknown server 'none'\n"));
    arena_release(&a);
    home_remove();
}

/* Errors and warnings are in the log too, and what was redacted there as well. */
static void log_has_the_errors(void **state)
{
    struct arena a;

    assert_int_equal(set_up(state), 0);
    arena_init(&a, 0);
    assert_int_equal(run("barkeep -c @/conf list-backups none"), 1);
    assert_non_null(strstr(said(&a, "log"), "ERROR: Unknown server 'none'"));
    arena_release(&a);
    home_remove();
}

static void put_backup(const char *id)
{
    char path[512];
    struct err err;

    str_fmt(path, sizeof path, "%s/main/base/%s/data", home, id);
    assert_true(dir_make(path, &err));
    str_fmt(path, sizeof path, "%s/main/meta", home);
    assert_true(dir_make(path, &err));
    str_fmt(path, sizeof path, "main/meta/%s-backup.info", id);
    put(path, "status=DONE\nmode=postgres\ntimeline=1\nbegin_wal=000000010000000000000002\n"
              "end_wal=000000010000000000000002\n"
              "end_time=2026-01-01 00:00:00.000000+00:00\n");
}

/* Under cron, which says nothing of it: what a script writes, and that it failed. No dump of what
 * was started either. */
static void log_has_a_script_that_fails(void **state)
{
    struct rlimit limit;
    struct arena a;

    (void)state;
    home_make();
    put("conf",
        BARMAN "log_file = @/log\n"
               "[main]\nconninfo = host=none\nbackup_method = postgres\narchiver = on\n"
               "retention_policy = REDUNDANCY 1\npre_delete_script = echo here; exit 3\n"
               "post_delete_script = echo core `ulimit -c`\n");
    put_backup("20260101T000000");
    put_backup("20260102T000000");
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_CORE, &limit), 0);
    arena_init(&a, 0);
    assert_int_equal(run("barkeep -q -c @/conf cron"), 0);
    assert_non_null(strstr(said(&a, "log"), " INFO: pre_delete_script: here\n"));
    assert_non_null(strstr(said(&a, "log"), " INFO: pre_delete_script failed: "));
    assert_non_null(strstr(said(&a, "log"), " INFO: post_delete_script: core 0\n"));
    assert_string_equal(said(&a, "err"), "");
    arena_release(&a);
    home_remove();
}

/* The log is written by whoever types a command next: its mode is not the umask's to take. */
static void odd_umask_makes_usable_files(void **state)
{
    struct stat st;
    char path[512];
    mode_t was;

    assert_int_equal(set_up(state), 0);
    was = umask(0777);
    assert_int_equal(run("barkeep -c @/conf list-servers"), 0);
    umask(was);
    str_fmt(path, sizeof path, "%s/log", home);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    home_remove();
}

/* Closed by whoever started us: the log, the first file opened, must not become stdout. */
static void closed_stdout_is_no_file(void **state)
{
    struct arena a;
    int status;
    pid_t pid;

    assert_int_equal(set_up(state), 0);
    arena_init(&a, 0);
    pid = fork();
    if (pid == 0) {
        char conf[512];
        char name[] = "barkeep", c[] = "-c", verb[] = "list-servers";
        char *argv[] = {name, c, conf, verb, NULL};

        str_fmt(conf, sizeof conf, "%s/conf", home);
        redirect();
        _exit(close(0) == 0 && close(1) == 0 ? batch_main(4, argv) : 99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(said(&a, "err"), "ERROR: cannot write to stdout"));
    assert_null(strstr(said(&a, "log"), "pg"));
    arena_release(&a);
    home_remove();
}

/* Started by somebody who has no interest in children: ours are waited for all the same. */
static void children_are_waited_for(void **state)
{
    int status;
    pid_t pid;

    assert_int_equal(set_up(state), 0);
    pid = fork();
    if (pid == 0) {
        char conf[512];
        char name[] = "barkeep", c[] = "-c", verb[] = "backup", off[] = "off", none[] = "none";
        char *argv[] = {name, c, conf, verb, off, none, NULL};

        str_fmt(conf, sizeof conf, "%s/conf", home);
        redirect();
        alarm(30);
        signal(SIGCHLD, SIG_IGN);
        _exit(batch_main(6, argv));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    home_remove();
}

/* A job under the number it was given, with its command line on record. */
static void job_has_its_number(void **state)
{
    struct arena a;

    assert_int_equal(set_up(state), 0);
    arena_init(&a, 0);
    assert_int_equal(run("barkeep --job 7 -c @/conf backup --bwlimit 9 pg"), 1);
    assert_string_equal(said(&a, ".barkeep/jobs/7/plan"), "backup --bwlimit 9 pg\n");
    assert_int_equal(run("barkeep --job 8 -c @/conf restore --tablespace a:/x --tablespace "
                         "b:/y --target-name=-n pg latest @/new"),
                     1);
    assert_non_null(
        strstr(said(&a, ".barkeep/jobs/8/plan"), " --tablespace a:/x --tablespace b:/y"));
    assert_non_null(strstr(said(&a, ".barkeep/jobs/8/plan"), " --target-name=-n "));
    arena_release(&a);
    home_remove();
}

TEST_MAIN(ROWS(rows, invocation), ONE(job_has_its_number), ONE(log_has_the_errors),
          ONE(log_has_its_layout), ONE(log_that_cannot_be_goes_to_stderr),
          ONE(layout_that_is_none_is_told), ONE(closed_stdout_is_no_file),
          ONE(children_are_waited_for), ONE(log_has_a_script_that_fails),
          ONE(odd_umask_makes_usable_files))
