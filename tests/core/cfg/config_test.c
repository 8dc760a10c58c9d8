/* SPDX-License-Identifier: PostgreSQL */
/* Small configuration files and what they mean. '@' in a text stands for a fresh directory that
 * is barman_home. Expected values come from the documentation of Barman's configuration and
 * from what its parser (Python's configparser) does with such files. */
#include "conf_home.h"

#define X10(s) s s s s s s s s s s

static void member_text(const struct server_cfg *srv, const char *name, char out[8192])
{
    const struct option *o = option_find(str_of(name));
    const void *member;
    const char *text;

    assert_non_null(o);
    member = (const char *)srv + o->offset;
    switch (o->type) {
    case OPTION_BOOL:
        str_copy(out, 8192, *(const bool *)member ? "true" : "false");
        return;
    case OPTION_INT:
    case OPTION_SPAN:
    case OPTION_SIZE:
        if (*(const int64_t *)member == CFG_UNSET) {
            str_copy(out, 8192, "unset");
        } else {
            str_fmt(out, 8192, "%lld", (long long)*(const int64_t *)member);
        }
        return;
    default:
        text = *(const char *const *)member;
        str_copy(out, 8192, text ? text : "unset");
    }
}

static const struct {
    const char *label;
    const char *file; /* after HEAD; SRV is before it when it does not begin with '[' */
    const char *option;
    const char *value;   /* of server pg */
    const char *warning; /* part of one, NULL: there are none */
} rows[] = {
    {"default of a text", "", "streaming_archiver_name", "barman_receive_wal", NULL},
    {"default of a number", "", "check_timeout", "30", NULL},
    {"default of a number without one", "", "bandwidth_limit", "unset", NULL},
    {"default of a directory", "", "wals_directory", "@/pg/wals", NULL},
    {"default of another directory", "", "streaming_wals_directory", "@/pg/streaming", NULL},
    {"directories follow backup_directory", "backup_directory = /x\n", "errors_directory",
     "/x/errors", NULL},
    {"xlogdb_directory follows wals_directory", "wals_directory = /w\n", "xlogdb_directory",
     "/w", NULL},
    {"cluster is the name", "", "cluster", "pg", NULL},
    {"colon as delimiter", "description: x = y\n", "description", "x = y", NULL},
    {"equals first", "description = x: y\n", "description", "x: y", NULL},
    {"key in any case", "DesCription = x\n", "description", "x", NULL},
    {"blanks around", "   description   =   x y   \n", "description", "x y",
     NULL}, /* in a file of its own, see one_value() */
    {"double quotes", "description = \"x y \"\n", "description", "x y ", NULL},
    {"single quotes", "description = 'x'\n", "description", "x", NULL},
    {"quotes that do not match", "description = 'x\"\n", "description", "'x\"", NULL},
    {"only one pair of quotes", "description = ''x''\n", "description", "'x'", NULL},
    {"a single quote is no pair", "description = '\n", "description", "'", NULL},
    {"no inline comment with ;", "description = a ; b\n", "description", "a ; b", NULL},
    {"no inline comment with #", "description = a # b\n", "description", "a # b", NULL},
    {"comment lines", "# x = 1\n  ; y = 2\ndescription = a\n", "description", "a", NULL},
    {"continuation", "conninfo = host=h\n  port=1\n\tuser=u\n", "conninfo",
     "host=h\nport=1\nuser=u", NULL},
    {"comment inside a continuation", "conninfo = host=h\n  # c\n  port=1\n", "conninfo",
     "host=h\nport=1", NULL},
    {"blank line inside a continuation", "description = a\n\n  b\n\ncheck_timeout = 3\n",
     "description", "a\n\nb", NULL},
    {"key after a continuation", "description = a\n  b\ncheck_timeout = 3\n", "check_timeout",
     "3", NULL},
    {"continuation that looks like a key", "description = a\n  check_timeout = 3\n",
     "check_timeout", "30", NULL},
    {"continuation that looks like a section", "description = a\n  [other]\n", "description",
     "a\n[other]", NULL},
    {"carriage returns", "description = a\r\ncheck_timeout = 7\r\n", "check_timeout", "7",
     NULL},
    {"no newline at the end", "description = a", "description", "a", NULL},
    {"later entry wins", "description = a\ndescription = b\n", "description", "b", NULL},
    {"110 section written twice",
     "description = a\n[z]\nconninfo=host=z\nbackup_method=postgres\n"
     "archiver=on\n[pg]\ncheck_timeout = 4\n",
     "check_timeout", "4", NULL},
    {"None is unset", "description = None\n", "description", "unset", NULL},
    {"none is a word", "description = none\n", "description", "none", NULL},
    {"empty is unset", "slot_name =\n", "slot_name", "unset", NULL},
    {"None stops the search", "[barman]\nslot_name = g\n[pg]\nslot_name = None\n", "slot_name",
     "unset", NULL},
    {"global value", "[barman]\nslot_name = g\n", "slot_name", "g", NULL},
    {"server before global", "[barman]\nslot_name = g\n[pg]\nslot_name = s\n", "slot_name", "s",
     NULL},
    {"DEFAULT before global", "[barman]\nslot_name = g\n[DEFAULT]\nslot_name = d\n",
     "slot_name", "d", NULL},
    {"not global", "[barman]\ndescription = g\n", "description", "unset",
     "Invalid configuration option \"description\" in [barman]"},
    {"only global", "barman_user = x\n", "description", "unset",
     "main.conf:7: Invalid configuration option \"barman_user\" in [pg]"},
    {"110 unknown option", "descriptoin = x\n", "description", "unset",
     "main.conf:7: Invalid configuration option \"descriptoin\" in [pg] section."},
    {"110 unknown option in [barman]", "[barman]\nhome = x\n", "description", "unset",
     "Invalid configuration option \"home\" in [barman] section."},
    {"option name longer than inih's", X10("xxxxxxxxxx") " = 1\n", "description", "unset",
     "Invalid configuration option \"xxxxxxxx"},
    {"option name with a semicolon", "a ;b = 1\ndescription = d\n", "description", "d",
     "Invalid configuration option \"a ;b\""},
    {"bool words", "worm_mode = T\n", "worm_mode", "true", NULL},
    {"bool off", "active = OFF\n", "active", "false", NULL},
    {"bad bool", "active = maybe\n", "active", "true", "main.conf:7: Ignoring invalid"},
    {"empty bool", "active =\n", "active", "true", "Ignoring invalid"},
    {"bad number", "check_timeout = 3s\n", "check_timeout", "30", "Ignoring invalid"},
    {"bad number falls back to global", "check_timeout = x\n[barman]\ncheck_timeout = 9\n",
     "check_timeout", "9", "Ignoring invalid"},
    {"number out of range", "parallel_jobs = 0\n", "parallel_jobs", "1", "Ignoring invalid"},
    {"number beyond 64 bits", "check_timeout = 99999999999999999999\n", "check_timeout", "30",
     "Ignoring invalid"},
    {"negative redundancy", "minimum_redundancy = -1\n", "minimum_redundancy", "0",
     "Ignoring invalid"},
    {"hexadecimal is no number", "check_timeout = 0x10\n", "check_timeout", "30",
     "Ignoring invalid"},
    {"enumeration", "create_slot = AUTO\n", "create_slot", "auto", NULL},
    {"bad enumeration", "create_slot = never\n", "create_slot", "manual", "Ignoring invalid"},
    {"empty enumeration", "create_slot =\n", "create_slot", "manual", "Ignoring invalid"},
    {"compression none is no word", "compression = none\n", "compression", "unset",
     "main.conf:7: Ignoring invalid"},
    {"compression none falls back to global",
     "[barman]\ncompression = gzip\n[pg]\ncompression = none\n", "compression", "gzip",
     "Ignoring invalid"},
    {"compression emptied", "[barman]\ncompression = gzip\n[pg]\ncompression =\n",
     "compression", "unset", NULL},
    {"server's combine_mode beats a global one",
     "[barman]\ncombine_mode = link\n[pg]\ncombine_mode = copy\n", "combine_mode", "copy",
     "main.conf:8: option 'combine_mode' is known but this version does not act on it."},
    {"slot_name is lower-cased", "slot_name = Barman_1\n", "slot_name", "barman_1", NULL},
    {"bad slot_name", "slot_name = a-b\n", "slot_name", "unset", "Ignoring invalid"},
    {"span", "last_backup_maximum_age = 2 WEEKS\n", "last_backup_maximum_age", "1209600", NULL},
    {"span, singular, lower case", "last_wal_maximum_age = 1 month\n", "last_wal_maximum_age",
     "2678400", NULL},
    {"span without its blank", "last_wal_maximum_age = 1DAY\n", "last_wal_maximum_age", "unset",
     "Ignoring invalid"},
    {"span without a unit", "last_wal_maximum_age = 1\n", "last_wal_maximum_age", "unset",
     "Ignoring invalid"},
    {"span in minutes", "last_wal_maximum_age = 5 MINUTES\n", "last_wal_maximum_age", "unset",
     "Ignoring invalid"},
    {"empty span falls back quietly",
     "last_wal_maximum_age =\n[barman]\nlast_wal_maximum_age = 3 HOURS\n",
     "last_wal_maximum_age", "10800", NULL},
    {"size in thousands", "last_backup_minimum_size = 2 k\n", "last_backup_minimum_size",
     "2000", NULL},
    {"size in 1024", "last_backup_minimum_size = 3Gi\n", "last_backup_minimum_size",
     "3221225472", NULL},
    {"size in the wrong case", "last_backup_minimum_size = 3g\n", "last_backup_minimum_size",
     "unset", "Ignoring invalid"},
    {"size that overflows", "last_backup_minimum_size = 99999999Ti\n",
     "last_backup_minimum_size", "unset", "Ignoring invalid"},
    {"csv", "recovery_options = get-wal , delta-restore,\n", "recovery_options",
     "get-wal,delta-restore", NULL},
    {"bad csv", "recovery_options = get-wal,fly\n", "recovery_options", "unset",
     "Ignoring invalid"},
    {"csv that contradicts itself", "backup_options = exclusive_backup, concurrent_backup\n",
     "backup_options", "concurrent_backup", "Ignoring invalid"},
    {"empty backup_options", "backup_options =\n", "backup_options", "concurrent_backup", NULL},
    {"%(key)s of the same section", "cluster = c\ndescription = <%(cluster)s>\n", "description",
     "<c>", NULL},
    {"%(key)s of DEFAULT", "description = %(site)s\n[DEFAULT]\nsite = north\n", "description",
     "north", NULL},
    {"%(key)s of [barman]", "backup_directory = %(barman_home)s/x/pg\n", "backup_directory",
     "@/x/pg", NULL},
    {"%(key)s of a quoted value", "cluster = 'c'\ndescription = %(cluster)sd\n", "description",
     "cd", NULL},
    {"%(key)s of %(key)s",
     "cluster = c\nslot_name = s_%(cluster)s\ndescription = %(slot_name)s\n", "description",
     "s_c", NULL},
    {"a variable of the section", "where = x\ndescription = %(where)s\n", "description", "x",
     NULL},
    {"%(key)s that is nowhere", "description = %(nowhere)s\n", "description", "unset",
     "main.conf:7: Ignoring option 'description' in [pg] section"},
    {"%(key)s in a circle", "cluster = %(description)s\ndescription = %(cluster)s\n",
     "description", "unset", "Ignoring option"},
    {"percent sign", "description = 50%%\n", "description", "50%", NULL},
    {"percent sign of old files", "description = 50%%%% a\n", "description", "50% a", NULL},
    {"two percent signs of old files", "description = %%%%%%%%\n", "description", "%%", NULL},
    {"lone percent sign", "description = 50% a\n", "description", "50% a",
     "main.conf:7: option 'description' in [pg] section has a lone percent sign"},
    {"escaped parenthesis", "description = %%(cluster)s\n", "description", "%(cluster)s", NULL},
    {"hook", "pre_backup_script = /bin/true\n", "pre_backup_script", "/bin/true", NULL},
    {"retention policy", "retention_policy = redundancy 2\n", "retention_policy",
     "redundancy 2", NULL},
    {"bad WAL retention policy", "wal_retention_policy = REDUNDANCY 2\n",
     "wal_retention_policy", "REDUNDANCY 2",
     "main.conf:7: invalid wal_retention_policy of server 'pg'"},
    {"WAL retention policy", "wal_retention_policy = recovery window of 2 days\n",
     "wal_retention_policy", "recovery window of 2 days", NULL},
    {"bad retention policy", "retention_policy = REDUNDANCY two\n", "retention_policy",
     "REDUNDANCY two",
     "main.conf:7: invalid retention_policy of server 'pg': not a retention policy: a number"},
    {"bad global retention policy", "[barman]\nretention_policy = WINDOW\n", "retention_policy",
     "WINDOW", "main.conf:8: invalid retention_policy of server 'pg'"},
    {"a default is not told", "reuse_backup = off\nnetwork_compression = no\n", "reuse_backup",
     "off", NULL},
    {"model in a server's section", "model = false\n", "model", "false", NULL},
    {"no archiver", "archiver = off\n", "archiver", "true", NULL},
};

static bool among(const struct cfg_messages *m, const char *text)
{
    for (size_t i = 0; i < m->n; i++) {
        if (strstr(m->text[i], text)) {
            return true;
        }
    }
    return false;
}

static void one_value(void **state)
{
    const struct {
        const char *label, *file, *option, *value, *warning;
    } *row = *state;
    char text[16384], got[8192], want[512];
    struct cfg_messages w = {0};
    const struct config *cfg;
    struct arena a;
    struct err err;

    fresh_home();
    arena_init(&a, 0);
    str_fmt(text, sizeof text, "%s%s", HEAD SRV, row->file);
    if (strcmp(row->label, "blanks around") == 0) {
        str_copy(text, sizeof text,
                 HEAD "[pg]\n   description   =   x y   \n"
                      "conninfo = host=a\nbackup_method = postgres\narchiver = on\n");
    }
    put("main.conf", text);
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_non_null(config_server(cfg, "pg"));
    member_text(config_server(cfg, "pg"), row->option, got);
    at_home(row->value, want);
    assert_string_equal(got, want);
    assert_int_equal(config_server(cfg, "pg")->archiver_forced,
                     strcmp(row->label, "no archiver") == 0);
    if (!row->warning) {
        assert_int_equal(w.n + cfg->unheeded.n, 0);
    } else {
        assert_true(among(&w, row->warning) || among(&cfg->unheeded, row->warning));
    }
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

TEST_MAIN(ROWS(rows, one_value))
