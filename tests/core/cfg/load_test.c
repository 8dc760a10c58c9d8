/* SPDX-License-Identifier: PostgreSQL */
/* Files that are wrong, servers that contradict themselves, and which file wins. */
#include "conf_home.h"

static const struct {
    const char *label;
    const char *file; /* whole */
    const char *included;
    const char *what, *why; /* parts of the error */
} broken[] = {
    {"no barman_home", "[barman]\nbarman_user = x\n", NULL, "main.conf", "no barman_home"},
    {"no [barman]", SRV, NULL, "main.conf", "no barman_home"},
    {"empty file", "", NULL, "main.conf", "no barman_home"},
    {"110 line that is nothing", HEAD "\n[pg]\nhello\n", NULL, "main.conf:5", "neither"},
    {"section without its end", HEAD "[pg\n", NULL, "main.conf:3", "neither"},
    {"section without a name", HEAD "[]\n", NULL, "main.conf:3", "neither"},
    {"option before a section", "# c\nx = 1\n" HEAD, NULL, "main.conf:2", "before the first"},
    {"value without a key", HEAD "= 1\n", NULL, "main.conf:3", "no option name"},
    {"broken line after a continuation", HEAD SRV "description = a\n  b\n  c\nbroken\n", NULL,
     "main.conf:10", "neither"},
    {"server called all", HEAD "[all]\nconninfo=host=a\n", NULL, "main.conf:3", "reserved"},
    {"110 server called ..", HEAD "[..]\nconninfo=host=a\n", NULL, "main.conf:3", "a dot"},
    {"server called .barkeep", HEAD "[.barkeep]\n", NULL, "main.conf:3", "a dot"},
    {"110 server with a slash", HEAD "[a]\n[a/b]\nconninfo=host=a\n", NULL, "main.conf:4",
     "a slash"},
    {"server with a control character", HEAD "[a\033[2J]\n", NULL, "main.conf:3",
     "control character"},
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
    {"rsync without ssh", "conninfo = host=a\narchiver = on\n",
     "Missing or invalid ssh_command in barman configuration for server pg"},
    {"local-rsync with ssh",
     "conninfo = host=a\narchiver = on\nbackup_method = local-rsync\nssh_command = ssh x\n",
     "Local copy requires ssh_command in barman configuration to be empty for server pg"},
    {"postgres with reuse_backup",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nreuse_backup = link\n",
     "reuse_backup option is not supported by postgres backup_method"},
    {"postgres with network_compression",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nnetwork_compression = 1\n",
     "network_compression option is not supported by postgres backup_method"},
    {"rsync with backup_compression",
     "conninfo = host=a\narchiver = on\nssh_command = ssh x\nbackup_compression = gzip\n",
     "backup_compression option is not supported by rsync backup_method"},
    {"rsync with backup_compression none",
     "conninfo = host=a\narchiver = on\nssh_command = ssh x\nbackup_compression = none\n",
     "backup_compression option is not supported by rsync backup_method"},
    {"postgres with tablespace_bandwidth_limit",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\n"
     "tablespace_bandwidth_limit = a:5\n",
     "tablespace_bandwidth_limit option is not supported by postgres backup_method"},
    {"snapshot with bandwidth_limit",
     "conninfo = host=a\narchiver = on\nssh_command = x\nbackup_method = snapshot\n"
     "bandwidth_limit = 5\n",
     "bandwidth_limit option is not supported by snapshot backup_method"},
    {"gzip of level 0",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = gzip\n"
     "backup_compression_level = 0\n",
     "expects a compression level between 1 and 9"},
    {"gzip of level 10",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = gzip\n"
     "backup_compression_level = 10\n",
     "backup_compression_level 10 unsupported"},
    {"lz4 of level 13",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = lz4\n"
     "backup_compression_level = 13\n",
     "lz4 expects a compression level between 1 and 12"},
    {"lz4 of level -1",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = lz4\n"
     "backup_compression_level = -1\n",
     "backup_compression_level -1 unsupported"},
    {"zstd of level 23",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = zstd\n"
     "backup_compression_level = 23\n",
     "between -131072 and 22"},
    {"none with a level",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = none\n"
     "backup_compression_level = 1\n",
     "only supports backup_compression_level 0"},
    {"workers of gzip",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = gzip\n"
     "backup_compression_workers = 2\n",
     "not compatible with compression gzip"},
    {"plain by nobody",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = zstd\n"
     "backup_compression_format = plain\n",
     "not compatible with backup_compression_location None"},
    {"plain by the client",
     "conninfo = host=a\narchiver = on\nbackup_method = postgres\nbackup_compression = zstd\n"
     "backup_compression_format = plain\nbackup_compression_location = client\n",
     "not compatible with backup_compression_location client"},
    {"snapshot without disks",
     "conninfo = host=a\narchiver = on\nssh_command = x\nbackup_method = snapshot\n",
     "snapshot_disks option is required by snapshot backup_method"},
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
    const struct config *cfg;
    struct arena a;
    struct err err;

    (void)state;
    fresh_home();
    arena_init(&a, 0);
    put("main.conf",
        HEAD SRV "passwrd = sekret\nactive = sekret\ncheck_timeout = sekret\n"
                 "create_slot = sekret\ndescription = %(x)s sekret\nssh_command = sekret\n"
                 "streaming_conninfo = sekret\n");
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    assert_true(w.n + cfg->unheeded.n >= 6);
    for (size_t i = 0; i < w.n; i++) {
        assert_null(strstr(w.text[i], "sekret"));
    }
    for (size_t i = 0; i < cfg->unheeded.n; i++) {
        assert_null(strstr(cfg->unheeded.text[i], "sekret"));
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

static void a_model_of_another_cluster(void **state)
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
    put("pg/.active-model.auto", "dr");
    put("main.conf", HEAD SRV "slot_name = s\n[dr]\nmodel = true\ncluster = payroll\n"
                              "conninfo = host=payroll\n");
    cfg = load(&a, &w, &err);
    assert_non_null(cfg);
    srv = &cfg->server[0];
    assert_null(srv->active_model);
    assert_false(srv->disabled);
    assert_string_equal(srv->cluster, "pg");
    assert_null(strstr(srv->conninfo, "payroll"));
    assert_int_equal(cfg->misfits.n, 1);
    assert_string_equal(cfg->misfits.text[0],
                        "Model 'dr' has 'cluster=payroll', which is not compatible with "
                        "'cluster=pg' from server 'pg'");
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

TEST_MAIN(ROWS(broken, one_error), ROWS(disabled, one_disabled), ONE(long_conninfo),
          ONE(warnings_hide_values), ONE(files_in_order), ONE(active_model_wins),
          ONE(a_model_of_another_cluster), ONE(servers_share_a_directory), ONE(no_such_file),
          ONE(environment_names_the_file), ONE(out_of_memory))
