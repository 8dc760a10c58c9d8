/* SPDX-License-Identifier: PostgreSQL */
/* What the server and the shell would read is worked out by two little readers of their own,
 * written after the server's guc-file.l and POSIX sh, not after the writer. */
#include "engine/restore_conf.h"

#include "harness.h"

#include <stdio.h>

/* key = 'value' of the last such line, unescaped as GUC_scanstr() does; false: no such key. */
static bool read_setting(const char *conf, const char *key, char *out)
{
    bool found = false;
    const char *line = conf;

    while (*line) {
        const char *end = strchr(line, '\n');
        size_t n = strlen(key);

        if (strncmp(line, key, n) == 0 && strncmp(line + n, " = ", 3) == 0) {
            const char *p = line + n + 3;
            char *o = out;

            found = true;
            if (*p != '\'') {
                while (*p != '\n') {
                    *o++ = *p++;
                }
            } else {
                for (p++; !(p[0] == '\'' && p[1] != '\''); p++) {
                    assert_true(*p != '\n' && *p != '\0');
                    if (*p == '\'' || *p == '\\') {
                        p++;
                    }
                    *o++ = *p;
                }
                assert_true(p[1] == '\n');
            }
            *o = '\0';
        }
        line = end ? end + 1 : line + strlen(line);
    }
    return found;
}

/* What BuildRestoreCommand() makes of %f, %p, %%. */
static void expand(const char *in, char *out)
{
    for (; *in; in++) {
        if (*in == '%' && in[1]) {
            in++;
            const char *word = *in == 'f' ? "SEGMENT" : *in == 'p' ? "pg_wal/X" : "%";

            memcpy(out, word, strlen(word));
            out += strlen(word);
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

/* The words of a shell command, each followed by \1; only what the writer may use. */
static void words_of(const char *in, char *out)
{
    bool quoted = false;

    for (; *in; in++) {
        if (quoted) {
            quoted = *in != '\'';
            if (quoted) {
                *out++ = *in;
            }
        } else if (*in == '\'') {
            quoted = true;
        } else if (*in == '\\') {
            *out++ = *++in;
        } else if (*in == ' ') {
            *out++ = 1;
        } else {
            assert_null(strchr("$`\"*?[;&|(#~", *in));
            *out++ = *in;
        }
    }
    assert_false(quoted);
    *out = '\0';
}

static const struct path {
    const char *label;
    const char *path;
} paths[] = {
    {"row 95: plain", "/usr/bin/barkeep"},
    {"row 95: spaces", "/opt/bar keep/bin/barkeep"},
    {"row 95: quotes", "/opt/o'brien/'b'"},
    {"row 95: backslashes", "/opt/a\\b\\'c\\\\"},
    {"row 95: percent signs", "/opt/100%/%f/%p%%"},
    {"row 95: dollar and backtick", "/opt/$HOME/`id`/$(id)"},
    {"row 95: hash and semicolon", "/opt/#1;rm -rf"},
    {"row 95: bytes that are no UTF-8", "/opt/\xff\xfe"},
    {"row 95: tab", "/opt/a\tb"},
};

static void commands_survive(void **state)
{
    const char *path = ((const struct path *)*state)->path;
    struct target target = {.kind = TARGET_NAME, .name = path + 1, .action = "promote"};
    struct conf_recovery r = {.target = &target,
                              .mode = WAL_MODE_GET_WAL,
                              .line = 3,
                              .program = path,
                              .config_path = path,
                              .server = "main",
                              .user = "barman",
                              .staging = path};
    char value[4096], ready[4096], words[4096], want[4096];
    struct err err = {0};
    struct arena a;
    struct str conf;

    arena_init(&a, 0);
    assert_true(conf_recovery_text(&a, &r, &conf, &err));
    assert_true(read_setting(conf.p, "restore_command", value));
    expand(value, ready);
    words_of(ready, words);
    snprintf(want, sizeof want, "%s\1-c\1%s\1--batch\1get-wal\1-P\1main\1SEGMENT\1>\1pg_wal/X",
             path, path);
    assert_string_equal(words, want);
    assert_true(read_setting(conf.p, "recovery_target_name", value));
    assert_string_equal(value, path + 1);
    assert_true(read_setting(conf.p, "recovery_target_timeline", value));
    assert_string_equal(value, "3");
    assert_true(read_setting(conf.p, "recovery_target_action", value));
    assert_string_equal(value, "promote");
    r.mode = WAL_MODE_STAGED;
    assert_true(conf_recovery_text(&a, &r, &conf, &err));
    assert_true(read_setting(conf.p, "restore_command", value));
    expand(value, ready);
    words_of(ready, words);
    snprintf(want, sizeof want, "cp\1%s/SEGMENT\1pg_wal/X", path);
    assert_string_equal(words, want);
    assert_true(read_setting(conf.p, "recovery_end_command", value));
    expand(value, ready);
    words_of(ready, words);
    snprintf(want, sizeof want, "rm\1-fr\1%s", path);
    assert_string_equal(words, want);
    arena_release(&a);
}

static const struct lines {
    const char *label;
    struct target target;
    enum wal_mode mode;
    bool standby;
    const char *text;
} lines[] = {
    {"time",
     {.kind = TARGET_TIME, .stamp = {INT64_C(1795343340000001), 3600}},
     WAL_MODE_STAGED,
     false,
     "restore_command = 'cp ''/d''/%f %p'\nrecovery_end_command = 'rm -fr ''/d'''\n"
     "recovery_target_time = '2026-11-22 11:29:00.000001+01:00'\n"
     "recovery_target_timeline = 7\n"},
    {"xid, exclusive, latest",
     {.kind = TARGET_XID, .xid = 731, .side = TARGET_EXCLUSIVE, .line = LINE_LATEST},
     WAL_MODE_GET_WAL,
     false,
     "# The 'barkeep get-wal' command must run as 'barman' user\n"
     "restore_command = '''/b'' --batch get-wal -P ''main'' %f > %p'\n"
     "recovery_target_xid = '731'\nrecovery_target_inclusive = 'False'\n"
     "recovery_target_timeline = latest\n"},
    {"lsn, current",
     {.kind = TARGET_LSN, .lsn = 0x4C9A0000F8, .line = LINE_CURRENT, .action = "shutdown"},
     WAL_MODE_STAGED,
     true,
     "restore_command = 'cp ''/d''/%f %p'\nrecovery_target_lsn = '4C/9A0000F8'\n"
     "recovery_target_timeline = current\nrecovery_target_action = 'shutdown'\n"},
    {"immediate, by number",
     {.kind = TARGET_IMMEDIATE, .line = LINE_NUMBER, .tli = 26},
     WAL_MODE_STAGED,
     false,
     "restore_command = 'cp ''/d''/%f %p'\nrecovery_end_command = 'rm -fr ''/d'''\n"
     "recovery_target = 'immediate'\nrecovery_target_timeline = 26\n"},
    {"standby fetching: no unfinished segments, follows",
     {.kind = TARGET_END},
     WAL_MODE_GET_WAL,
     true,
     "# The 'barkeep get-wal' command must run as 'barman' user\n"
     "restore_command = '''/b'' --batch get-wal ''main'' %f > %p'\n"},
};

static void lines_are(void **state)
{
    const struct lines *l = *state;
    struct conf_recovery r = {.target = &l->target,
                              .mode = l->mode,
                              .line = 7,
                              .standby_mode = l->standby,
                              .program = "/b",
                              .server = "main",
                              .user = "barman",
                              .staging = "/d"};
    struct err err = {0};
    struct arena a;
    struct str conf;

    arena_init(&a, 0);
    assert_true(conf_recovery_text(&a, &r, &conf, &err));
    assert_string_equal(conf.p, l->text);
    arena_release(&a);
}

static void newline_is_refused(void **state)
{
    struct target target = {.kind = TARGET_END};
    struct conf_recovery r = {.target = &target, .mode = WAL_MODE_STAGED, .staging = "/a\nb"};
    struct err err = {0};
    struct arena a;
    struct str conf;

    (void)state;
    arena_init(&a, 0);
    assert_false(conf_recovery_text(&a, &r, &conf, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    arena_release(&a);
}

static const struct mangle {
    const char *label;
    enum conf_origin origin;
    const char *in, *out;
    size_t changes, warnings;
    unsigned line; /* of the first finding */
} mangles[] = {
    {"nothing to do", CONF_OF_PGDATA, "a = 1\n# archive_command = 'x'\n\nb=2\n",
     "a = 1\n# archive_command = 'x'\n\nb=2\n", 0, 0, 0},
    {"archive_command", CONF_OF_PGDATA, "a = 1\narchive_command = 'cp %p /x'\n",
     "a = 1\n#BARMAN#archive_command = 'cp %p /x'\narchive_command = false\n", 1, 0, 2},
    {"any case, no equals sign, blanks", CONF_OF_PGDATA, "  Archive_Command 'x'\n",
     "#BARMAN#  Archive_Command 'x'\narchive_command = false\n", 1, 0, 1},
    {"no blank before the value", CONF_OF_PGDATA, "archive_command='x'\n",
     "#BARMAN#archive_command='x'\narchive_command = false\n", 1, 0, 1},
    {"old targets", CONF_OF_PGDATA,
     "recovery_target_time = 'x'\nrecovery_target_timeline = 2\nrecovery_target_action=pause\n",
     "#BARMAN#recovery_target_time = 'x'\n#BARMAN#recovery_target_timeline = 2\n"
     "#BARMAN#recovery_target_action=pause\n",
     3, 0, 1},
    {"what a recovery runs", CONF_OF_PGDATA,
     "recovery_end_command = 'take_over'\narchive_cleanup_command = 'rm'\nrestore_command = "
     "'c'\n",
     "#BARMAN#recovery_end_command = 'take_over'\n#BARMAN#archive_cleanup_command = 'rm'\n"
     "restore_command = 'c'\n",
     2, 0, 1},
    {"a longer key is another", CONF_OF_PGDATA,
     "archive_command_x = 1\nmy.archive_command = 1\n",
     "archive_command_x = 1\nmy.archive_command = 1\n", 0, 0, 0},
    {"no newline at the end", CONF_OF_PGDATA, "x = 1\narchive_command = 'y'",
     "x = 1\n#BARMAN#archive_command = 'y'\narchive_command = false\n", 1, 0, 2},
    {"reported", CONF_OF_PGDATA, "\n\ndata_directory = '/x'\ninclude 'y'\n",
     "\n\ndata_directory = '/x'\ninclude 'y'\n", 0, 2, 3},
    {"places of a saved copy", CONF_SAVED, "data_directory = '/x'\nssl_key_file = '/k'\n",
     "#BARMAN#data_directory = '/x'\nssl_key_file = '/k'\n", 1, 1, 1},
    {"empty", CONF_OF_PGDATA, "", "", 0, 0, 0},
};

static void mangled(void **state)
{
    const struct mangle *m = *state;
    struct conf_report report = {0};
    struct err err = {0};
    struct arena a;
    struct str out;

    arena_init(&a, 0);
    assert_true(
        conf_mangle(&a, "postgresql.conf", m->origin, str_of(m->in), &report, &out, &err));
    assert_string_equal(out.n ? out.p : "", m->out);
    assert_int_equal(report.changes, m->changes);
    assert_int_equal(report.warnings, m->warnings);
    if (m->changes) {
        assert_int_equal(report.change[0].line, m->line);
    } else if (m->warnings) {
        assert_int_equal(report.warning[0].line, m->line);
    }
    arena_release(&a);
}

static const struct overruling {
    const char *label;
    const char *main, *in, *out; /* postgresql.conf; postgresql.auto.conf before and after */
    size_t changes;
} overrulings[] = {
    {"nothing is included", "a = 1\n", "b = 2\n", "b = 2\n", 0},
    {"a directory", "include_dir = 'conf.d'\n", "b = 2\n", "b = 2\narchive_command = false\n",
     1},
    {"a file, and nothing to add it to", "include 'x'\n", "", "archive_command = false\n", 1},
    {"it is set there, too", "include_if_exists = 'x'\n", "archive_command = 'y'\n",
     "#BARMAN#archive_command = 'y'\narchive_command = false\n", 1},
    {"the main file's own is not the last word", "archive_command = 'y'\ninclude 'x'\n",
     "b = 2\n", "b = 2\narchive_command = false\n", 2},
    {"another warning is no include", "ssl_key_file = 'x'\n", "b = 2\n", "b = 2\n", 0},
};

static void overruled(void **state)
{
    const struct overruling *o = *state;
    struct conf_report report = {0};
    struct err err = {0};
    struct arena a;
    struct str out;

    arena_init(&a, 0);
    assert_true(conf_mangle(&a, "postgresql.conf", CONF_OF_PGDATA, str_of(o->main), &report,
                            &out, &err));
    assert_true(conf_mangle(&a, "postgresql.auto.conf", CONF_OF_PGDATA, str_of(o->in), &report,
                            &out, &err));
    assert_true(conf_overrule(&a, "postgresql.auto.conf", out, &report, &out, &err));
    assert_string_equal(out.n ? out.p : "", o->out);
    assert_int_equal(report.changes, o->changes);
    arena_release(&a);
}

TEST_MAIN(ROWS(paths, commands_survive); ROWS(lines, lines_are); ONE(newline_is_refused);
          ROWS(mangles, mangled); ROWS(overrulings, overruled))
