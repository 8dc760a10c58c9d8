/* SPDX-License-Identifier: PostgreSQL */
/* Small configuration files and what they mean. '@' in a text stands for a fresh directory that
 * is barman_home. Expected values come from the documentation of Barman's configuration and
 * from what its parser (Python's configparser) does with such files. */
#include "cfg/config.h"

#include "base/file.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD   "[barman]\nbarman_home = @\n"
#define SRV    "[pg]\nconninfo = host=a\nbackup_method = postgres\narchiver = on\n"
#define X10(s) s s s s s s s s s s

static char home[256];

static void put(const char *name, const char *text)
{
    char path[512], all[65536];
    struct sbuf b;
    struct err err;

    sbuf_init(&b, all, sizeof all);
    for (; *text; text++) {
        if (*text == '@') {
            sbuf_add(&b, home);
        } else {
            sbuf_char(&b, *text);
        }
    }
    assert_true(sbuf_ok(&b));
    str_fmt(path, sizeof path, "%s/%s", home, name);
    assert_true(file_replace(path, str_n(b.p, b.len), &err));
}

static void at_home(const char *text, char out[512])
{
    struct sbuf b;

    sbuf_init(&b, out, 512);
    for (; *text; text++) {
        if (*text == '@') {
            sbuf_add(&b, home);
        } else {
            sbuf_char(&b, *text);
        }
    }
}

static void fresh_home(void)
{
    char conf_d[300];

    str_copy(home, sizeof home, "/tmp/barkeep-cfg-XXXXXX");
    assert_non_null(mkdtemp(home));
    str_fmt(conf_d, sizeof conf_d, "%s/conf.d", home);
    assert_int_equal(mkdir(conf_d, 0700), 0);
}

static const struct config *load(struct arena *a, struct cfg_messages *w, struct err *err)
{
    char path[512];

    str_fmt(path, sizeof path, "%s/main.conf", home);
    return config_load(a, path, w, err);
}

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
    {"section written twice",
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
    {"unknown option", "descriptoin = x\n", "description", "unset",
     "main.conf:7: Invalid configuration option \"descriptoin\" in [pg] section."},
    {"unknown option in [barman]", "[barman]\nhome = x\n", "description", "unset",
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
    {"compression none", "compression = none\n", "compression", "none", NULL},
    {"compression emptied", "[barman]\ncompression = gzip\n[pg]\ncompression =\n",
     "compression", "unset", NULL},
    {"server's encryption none beats a global gpg",
     "[barman]\nencryption = gpg\n[pg]\nencryption = none\n", "encryption", "none",
     "main.conf:8: option 'encryption' is known but this version does not act on it."},
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
    {"hook is told", "pre_backup_script = /bin/true\n", "pre_backup_script", "/bin/true",
     "main.conf:7: option 'pre_backup_script' is known but this version does not act on it."},
    {"a default is not told", "reuse_backup = off\nnetwork_compression = no\n", "reuse_backup",
     "off", NULL},
    {"model in a server's section", "model = false\n", "model", "false", NULL},
    {"no archiver", "archiver = off\n", "archiver", "true",
     "No archiver enabled for server 'pg'"},
};

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
    if (!row->warning) {
        assert_int_equal(w.n, 0);
    } else {
        bool found = false;
        for (size_t i = 0; i < w.n; i++) {
            found = found || strstr(w.text[i], row->warning);
        }
        assert_true(found);
    }
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

static const struct {
    const char *label;
    const char *file; /* whole */
    const char *included;
    const char *what, *why; /* parts of the error */
} broken[] = {
    {"no barman_home", "[barman]\nbarman_user = x\n", NULL, "main.conf", "no barman_home"},
    {"no [barman]", SRV, NULL, "main.conf", "no barman_home"},
    {"empty file", "", NULL, "main.conf", "no barman_home"},
    {"line that is nothing", HEAD "\n[pg]\nhello\n", NULL, "main.conf:5", "neither"},
    {"section without its end", HEAD "[pg\n", NULL, "main.conf:3", "neither"},
    {"section without a name", HEAD "[]\n", NULL, "main.conf:3", "neither"},
    {"option before a section", "# c\nx = 1\n" HEAD, NULL, "main.conf:2", "before the first"},
    {"value without a key", HEAD "= 1\n", NULL, "main.conf:3", "no option name"},
    {"broken line after a continuation", HEAD SRV "description = a\n  b\n  c\nbroken\n", NULL,
     "main.conf:10", "neither"},
    {"server called all", HEAD "[all]\nconninfo=host=a\n", NULL, "main.conf:3", "reserved"},
    {"model without a cluster", HEAD "[m]\nmodel = true\n", NULL, "main.conf:3",
     "no 'cluster'"},
    {"included file sets [barman]", HEAD "configuration_files_directory = @/conf.d\n",
     "[barman]\nbarman_user = eve\n", "conf.d/x.conf:2", "only the main file"},
    {"included file is broken", HEAD "configuration_files_directory = @/conf.d\n", "[a]\nb\n",
     "conf.d/x.conf:2", "neither"},
};

static void one_error(void **state)
{
    const struct {
        const char *label, *file, *included, *what, *why;
    } *row = *state;
    struct cfg_messages w = {0};
    struct arena a;
    struct err err = {0};

    fresh_home();
    arena_init(&a, 0);
    put("main.conf", row->file);
    if (row->included) {
        put("conf.d/x.conf", row->included);
    }
    assert_null(load(&a, &w, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.what, row->what));
    assert_non_null(strstr(err.why, row->why));
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

/* A message that disables server pg. */
static const struct {
    const char *label;
    const char *server; /* its whole section */
    const char *message;
} disabled[] = {
    {"no conninfo", "backup_method = postgres\narchiver = on\n", "Missing 'conninfo'"},
    {"conninfo without =", "conninfo = hello\nbackup_method = postgres\narchiver = on\n",
     "Invalid 'conninfo'"},
    {"conninfo with an open quote",
     "conninfo = host=a password='x\nbackup_method = postgres\narchiver = on\n",
     "Invalid 'conninfo'"},
    {"streaming only, no slot",
     "conninfo = host=a\nbackup_method = postgres\nstreaming_archiver = on\n",
     "Streaming-only archiver"},
    {"rsync without ssh", "conninfo = host=a\narchiver = on\n", "Missing ssh_command"},
    {"local-rsync with ssh",
     "conninfo = host=a\narchiver = on\nbackup_method = local-rsync\nssh_command = ssh x\n",
     "does not support ssh_command"},
    {"postgres with reuse_backup",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nreuse_backup = link\n",
     "'reuse_backup'"},
    {"postgres with network_compression",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nnetwork_compression = 1\n",
     "'network_compression'"},
    {"rsync with backup_compression",
     "conninfo = host=a\narchiver = on\nssh_command = ssh x\nbackup_compression = gzip\n",
     "'backup_compression'"},
    {"snapshot without disks",
     "conninfo = host=a\narchiver = on\nssh_command = x\nbackup_method = snapshot\n",
     "requires snapshot_instance"},
    {"two directories are one",
     "conninfo = host=a\nbackup_method = postgres\narchiver = on\nwals_directory = @/pg/base\n",
     "Conflicting path: wals_directory=@/pg/base conflicts with 'basebackups_directory' for "
     "server 'pg'"},
    {"two directories are one by a link",
     "conninfo = host=a\nbackup_method = postgres\narchiver = on\nwals_directory = @/link\n",
     "Conflicting path: wals_directory=@/pg/base conflicts with 'basebackups_directory'"},
    {"active model is unknown",
     "conninfo = host=a\nbackup_method = postgres\narchiver = on\n"
     "backup_directory = @/modelled\n",
     "the model does not exist"},
};

static void one_disabled(void **state)
{
    const struct {
        const char *label, *server, *message;
    } *row = *state;
    char text[4096], want[512], link_name[512], target[512];
    struct cfg_messages w = {0};
    const struct server_cfg *srv;
    const struct config *cfg;
    struct arena a;
    struct err err;

    fresh_home();
    arena_init(&a, 0);
    str_fmt(link_name, sizeof link_name, "%s/link", home);
    str_fmt(target, sizeof target, "%s/pg/base", home);
    assert_true(dir_make(target, &err));
    assert_int_equal(symlink(target, link_name), 0);
    str_fmt(target, sizeof target, "%s/modelled", home);
    assert_true(dir_make(target, &err));
    put("modelled/.active-model.auto", "ghost");
    str_fmt(text, sizeof text, "%s[pg]\n%s", HEAD, row->server);
    put("main.conf", text);
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    srv = config_server(cfg, "pg");
    assert_true(srv->disabled);
    at_home(row->message, want);
    assert_true(srv->messages >= 1);
    assert_non_null(strstr(srv->message[0], want));
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

/* The tail of a long line must not become an option, and no message may hold what it says. */
static void long_conninfo(void **state)
{
    char text[8192], filler[3001];
    struct cfg_messages w = {0};
    const struct config *cfg;
    const char *got;
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    memset(filler, 'f', sizeof filler - 1);
    filler[3000] = '\0';
    str_fmt(
        text, sizeof text,
        "%s[pg]\nbackup_method=postgres\narchiver=on\nconninfo = host=a application_name=%s "
        "password=sekret=1 ; x\n",
        HEAD, filler);
    put("main.conf", text);
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_int_equal(w.n, 0);
    got = config_server(cfg, "pg")->conninfo;
    assert_int_equal(strlen(got), strlen("host=a application_name=") + 3000 +
                                      strlen(" password=sekret=1 ; x"));
    assert_string_equal(got + strlen(got) - 22, " password=sekret=1 ; x");
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

static void warnings_hide_values(void **state)
{
    struct cfg_messages w = {0};
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    put("main.conf",
        HEAD SRV "passwrd = sekret\nactive = sekret\ncheck_timeout = sekret\n"
                 "create_slot = sekret\ndescription = %(x)s sekret\nssh_command = sekret\n"
                 "streaming_conninfo = sekret\n");
    assert_non_null(load(&a, &w, &err));
    assert_true(w.n >= 6);
    for (size_t i = 0; i < w.n; i++) {
        assert_null(strstr(w.text[i], "sekret"));
    }
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

static void files_in_order(void **state)
{
    struct cfg_messages w = {0};
    const struct server_cfg *srv;
    const struct config *cfg;
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    put("main.conf", HEAD "configuration_files_directory = @/conf.d\n" SRV "description = 1\n"
                          "cluster = main\n");
    put("conf.d/a.conf", "[pg]\ndescription = 2\nslot_name = a\n");
    put("conf.d/b.conf", "[pg]\ndescription = 3\nslot_name = b\n[bb]\nconninfo=host=x\n"
                         "backup_method=postgres\narchiver=on\n");
    put("conf.d/c.conf.off", "[pg]\ndescription = 4\n");
    put("conf.d/.d.conf", "[pg]\ndescription = 5\n");
    put(".barman.auto.conf", "[pg]\nslot_name = auto\n");
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_int_equal(w.n, 0);
    assert_int_equal(cfg->servers, 2);
    assert_string_equal(cfg->server[0].name, "bb");
    srv = &cfg->server[1];
    assert_string_equal(srv->description, "3");
    assert_string_equal(srv->slot_name, "auto");
    assert_string_equal(srv->cluster, "main");
    assert_non_null(strstr(srv->source[OPTION_description], "conf.d/b.conf:2"));
    assert_string_equal(srv->source[OPTION_check_timeout], "default");
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

static void active_model_wins(void **state)
{
    char dir[512];
    struct cfg_messages w = {0};
    const struct server_cfg *srv;
    const struct config *cfg;
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    str_fmt(dir, sizeof dir, "%s/pg", home);
    assert_true(dir_make(dir, &err));
    put("pg/.active-model.auto", "dr\n");
    put("main.conf", HEAD SRV "slot_name = s\n[dr]\nmodel = true\ncluster = pg\n"
                              "conninfo = host=dr\nwals_directory = /nowhere\n");
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_int_equal(cfg->servers, 1);
    assert_int_equal(cfg->models, 1);
    srv = &cfg->server[0];
    assert_string_equal(srv->active_model, "dr");
    assert_string_equal(srv->conninfo, "host=dr");
    assert_string_equal(srv->slot_name, "s");
    assert_null(strstr(srv->wals_directory, "nowhere"));
    assert_int_equal(w.n, 1); /* a model has no directories */
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

static void servers_share_a_directory(void **state)
{
    struct cfg_messages w = {0};
    const struct config *cfg;
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    put("main.conf", HEAD SRV "[q]\nconninfo=host=a\nbackup_method=postgres\narchiver=on\n"
                              "incoming_wals_directory = @/pg/./wals/\n");
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_false(cfg->server[0].disabled);
    assert_int_equal(cfg->conflicts.n, 0); /* nothing exists: the texts differ */
    arena_release(&a);
    arena_init(&a, 0);
    put("main.conf", HEAD SRV "[q]\nconninfo=host=a\nbackup_method=postgres\narchiver=on\n"
                              "incoming_wals_directory = @/pg/wals\n");
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_int_equal(cfg->conflicts.n, 1);
    assert_non_null(strstr(cfg->conflicts.text[0], "of server 'q'"));
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

static void no_such_file(void **state)
{
    struct cfg_messages w = {0};
    struct arena a;
    struct err err = {0};

    (void)state;
    arena_init(&a, 0);
    assert_null(config_load(&a, "/nonexistent/barman.conf", &w, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.what, "/nonexistent/barman.conf");
    arena_release(&a);
}

static void environment_names_the_file(void **state)
{
    char path[512];
    struct cfg_messages w = {0};
    const struct config *cfg;
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    put("env.conf", HEAD SRV);
    str_fmt(path, sizeof path, "%s/env.conf", home);
    setenv("BARMAN_CONFIG_FILE", path, 1);
    cfg = config_load(&a, NULL, &w, &err);
    assert_non_null(cfg);
    assert_string_equal(cfg->path, path);
    setenv("HOME", home, 1);
    unsetenv("BARMAN_CONFIG_FILE");
    put(".barman.conf", HEAD "log_level = debug\nlog_file = ~/x.log\n");
    cfg = config_load(&a, NULL, &w, &err);
    assert_non_null(cfg);
    assert_int_equal(cfg->servers, 0);
    assert_int_equal(config_log_level(cfg), 10);
    str_fmt(path, sizeof path, "%s/x.log", home);
    assert_string_equal(cfg->log_file, path);
    assert_string_equal(cfg->barman_lock_directory, home);
    arena_release(&a);
    assert_true(tree_remove(home, &err));
}

/* A growth that fails anywhere is an error, never a crash or half a configuration. */
static void out_of_memory(void **state)
{
    const struct config *cfg = NULL;
    struct err err;
    long n;

    (void)state;
    fresh_home();
    put("main.conf", HEAD SRV "description = %(cluster)s\nunknown = 1\n"
                              "pre_backup_script = x\n[m]\nmodel=1\ncluster=c\n");
    for (n = 1; !cfg && n < 1000; n++) {
        struct cfg_messages w = {0};
        struct arena a;

        arena_init(&a, 0);
        arena_fail_after(n);
        cfg = load(&a, &w, &err);
        arena_fail_after(0);
        if (!cfg) {
            assert_int_equal(err.code, ERR_MEMORY);
        }
        arena_release(&a);
    }
    assert_true(n > 3 && n < 1000);
    assert_true(tree_remove(home, &err));
}

TEST_MAIN(ROWS(rows, one_value), ROWS(broken, one_error), ROWS(disabled, one_disabled),
          ONE(long_conninfo), ONE(warnings_hide_values), ONE(files_in_order),
          ONE(active_model_wins), ONE(servers_share_a_directory), ONE(no_such_file),
          ONE(environment_names_the_file), ONE(out_of_memory))
