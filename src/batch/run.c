/* SPDX-License-Identifier: PostgreSQL */
/* One invocation from argv to the exit status: parse, configure, become the right user, find
 * the servers, run the command for each. */
#include "session.h"
#include "usage.h"
#include "user.h"

#include "base/child.h"
#include "base/doc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sys.h"
#include "engine/repo_of.h"
#include "repo/catalogue.h"
#include "repo/mount.h"
#include "workers/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void session_fail(struct session *s, const struct err *err)
{
    int status = err_exit_status(err->code);

    console_err(&s->console, err);
    s->status = s->status > status ? s->status : status;
}

/* The first word of SSH_CONNECTION is the client's address. */
const char *session_ssh_host(struct session *s)
{
    struct str rest = str_trim(str_of(getenv("SSH_CONNECTION"))), ip;

    return str_split(&rest, ' ', &ip) && ip.n ? arena_strndup(&s->arena, ip.p, ip.n) : NULL;
}

struct task session_task(struct session *s, struct task_sink *store)
{
    return task_serial(console_sink, &s->console, store);
}

static void put_word(struct sbuf *b, const char *word)
{
    if (word) {
        sbuf_char(b, ' ');
        sbuf_shell_word(b, word);
    }
}

/* Joined where the value would be taken for an option. */
static void put_option(struct sbuf *b, const char *name, const char *value)
{
    sbuf_fmt(b, " --%s", name);
    if (value && value[0] == '-') {
        sbuf_char(b, '=');
        sbuf_shell_word(b, value);
    } else {
        put_word(b, value);
    }
}

/* The command line for the job's record, as a shell reads it back; "" where it is too long. */
static const char *plan_text(struct session *s, const struct server_cfg *srv)
{
    const struct args *args = &s->args;
    char mem[4096];
    struct sbuf b;

    sbuf_init(&b, mem, sizeof mem);
    sbuf_add(&b, args->command->name);
    for (size_t i = 0; i < args->command->options; i++) {
        const struct arg_value *v = &args->option[i];
        for (size_t k = 0; v->given && k < (v->list ? v->listed : 1); k++) {
            put_option(&b, args->command->option[i].name, v->list ? v->list[k] : v->text);
        }
    }
    put_word(&b, srv->name);
    for (size_t i = 1; i < args->command->operands && args->operand[i]; i++) {
        put_word(&b, args->operand[i]);
    }
    sbuf_char(&b, '\n');
    return arena_strdup(&s->arena, sbuf_ok(&b) ? mem : "");
}

/* A job begins with a directory in the home (*home: NULL, without); the others ask when they lock
 * or write. false: told. */
static bool find_home(struct session *s, const struct session_verb *verb, const char **home)
{
    char text[1600];
    struct repo repo;
    struct err err;

    *home = NULL;
    if (verb->kind != SESSION_WRITES && verb->kind != SESSION_ELSEWHERE) {
        return true;
    }
    if (!session_repo(s, verb->srv, &repo)) {
        return false;
    }
    if (repo_home_mounted(&repo, &err)) {
        *home = s->cfg->barman_home;
        return true;
    }
    if (verb->kind == SESSION_WRITES) {
        session_fail(s, &err);
        return false;
    }
    console_say(&s->console, SAY_WARN, "This is not recorded as a job: %s",
                err_text(&err, text, sizeof text));
    return true;
}

bool session_job(struct session *s, const struct session_verb *verb)
{
    const char *plan = plan_text(s, verb->srv);
    struct job_spec spec = {
        .number = (uint32_t)arg_number(&s->args, "job", 0),
        .kind = verb->kind == SESSION_LOOKS ? JOB_READS : JOB_WRITES,
        .verb = s->args.command->name,
        .server = verb->srv->name,
        .plan = plan ? plan : "",
        .run = verb->run,
        .arg = verb->arg,
        .watch = {&s->console, console_print, console_progress},
    };
    struct err err;
    bool ok;

    if (!find_home(s, verb, &spec.home)) {
        return false;
    }
    ok = job_run(&spec, &err);
    console_erase(&s->console);
    if (!ok) {
        session_fail(s, &err);
    }
    return ok;
}

bool session_repo(struct session *s, const struct server_cfg *srv, struct repo *out)
{
    struct err err;

    if (!repo_of(&s->arena, srv, s->cfg->barman_home, s->cfg->barman_lock_directory, out,
                 &err)) {
        session_fail(s, &err);
        return false;
    }
    return true;
}

const struct backup *session_backup(struct session *s, const struct server_cfg *srv,
                                    struct repo *out)
{
    const struct backup *b;
    struct catalogue catalogue;
    struct err err;

    if (!session_repo(s, srv, out)) {
        return NULL;
    }
    if (!catalogue_look(out, &s->arena, &catalogue, &err) ||
        !catalogue_resolve(&catalogue, srv->name, s->args.operand[1], &b, &err)) {
        session_fail(s, &err);
        return NULL;
    }
    return b;
}

const char *session_path(struct session *s, const char *path)
{
    char cwd[PATH_CAP];
    const char *whole = NULL;

    if (path && path[0] != '/' && path[0] != '\0' && getcwd(cwd, sizeof cwd)) {
        whole = arena_fmt(&s->arena, "%s/%s", cwd, path);
    }
    return whole ? whole : path;
}

unsigned session_retry_times(const struct session *s, const struct server_cfg *srv)
{
    if (arg_given(&s->args, "no-retry")) {
        return 0;
    }
    return (unsigned)arg_number(&s->args, "retry-times", (uint64_t)srv->basebackup_retry_times);
}

unsigned session_retry_sleep(const struct session *s, const struct server_cfg *srv)
{
    return (unsigned)arg_number(&s->args, "retry-sleep", (uint64_t)srv->basebackup_retry_sleep);
}

/* ---- which servers ---- */

static bool rule_lifted(const struct args *args)
{
    struct str rest = str_of(args->command->lifts), name;
    char word[40];

    while (str_split(&rest, ',', &name)) {
        str_fmt(word, sizeof word, "%.*s", (int)name.n, name.p);
        if (arg_given(args, word)) {
            return true;
        }
    }
    return false;
}

/* Inactive, then disabled, then passive; false: the command has nothing to do here. */
static bool may_run(struct session *s, const struct server_cfg *srv)
{
    const struct command *c = s->args.command;

    if (!srv->active && c->inactive == RULE_SKIP && !rule_lifted(&s->args)) {
        console_say(&s->console, SAY_OUT, "Skipping inactive server '%s'", srv->name);
        return false;
    }
    if (!srv->active && c->inactive == RULE_REFUSE) {
        console_say(&s->console, SAY_ERROR, "Inactive server: %s", srv->name);
        return false;
    }
    if (srv->disabled && c->disabled == RULE_SKIP) {
        console_say(&s->console, SAY_OUT, "Skipping temporarily disabled server '%s'",
                    srv->name);
        return false;
    }
    if (srv->disabled && c->disabled == RULE_REFUSE) {
        console_say_all(&s->console, SAY_ERROR, srv->message, srv->messages);
        return false;
    }
    if (server_cfg_passive(srv) && c->passive == RULE_SKIP) {
        console_say(&s->console, SAY_OUT, "Skipping passive server '%s'", srv->name);
        return false;
    }
    return true;
}

/* As Barman, of the servers that a command is about, and of no other. */
static void say_forced_archiver(struct session *s, const struct server_cfg *srv)
{
    if (srv->archiver_forced) {
        console_say(&s->console, SAY_WARN,
                    "No archiver enabled for server '%s'. Please turn on 'archiver', "
                    "'streaming_archiver' or both",
                    srv->name);
        console_say(&s->console, SAY_WARN, "Forcing 'archiver = on'");
    }
}

static bool is_about_servers(const struct command *c)
{
    return c && c->operands &&
           (c->operand[0].kind == OPERAND_SERVER || c->operand[0].kind == OPERAND_SERVERS);
}

void session_run_one(struct session *s, const char *name)
{
    const struct server_cfg *srv = config_server(s->cfg, name);

    if (!srv) {
        console_say(&s->console, SAY_ERROR, "Unknown server '%s'", name);
        return;
    }
    say_forced_archiver(s, srv);
    if (may_run(s, srv)) {
        s->args.command->run(s, srv);
    }
}

static int by_name(const void *x, const void *y)
{
    const char *const *a = x, *const *b = y;

    return strcmp(*a, *b);
}

/* The servers named, each once, sorted; or all there are. NULL: out of memory. */
static const char **server_names(struct session *s, bool all, size_t *n)
{
    struct args *args = &s->args;
    size_t most = all ? s->cfg->servers : args->servers;
    const char **name = ARENA_ARRAY(&s->arena, most + 1, const char *);

    *n = 0;
    if (!name) {
        return NULL;
    }
    qsort(args->server, args->servers, sizeof *args->server, by_name);
    for (size_t i = 0; i < most; i++) {
        const char *next = all ? s->cfg->server[i].name : args->server[i];

        if (*n == 0 || strcmp(name[*n - 1], next) != 0) {
            name[(*n)++] = next;
        }
    }
    return name;
}

static void run_servers(struct session *s)
{
    struct args *args = &s->args;
    const char *lacks = args->command->lacks ? args->command->lacks(args) : NULL;
    const char **name;
    bool all = false;
    struct err err;
    size_t n;

    if (lacks) {
        console_say(&s->console, SAY_ERROR, "%s", lacks);
        return;
    }
    for (size_t i = 0; i < args->servers; i++) {
        all = all || strcmp(args->server[i], "all") == 0;
    }
    if (all && args->command->operand[0].kind == OPERAND_SERVER) {
        console_say(&s->console, SAY_ERROR, "You cannot use 'all' in a single server context");
        return;
    }
    if (all && args->servers > 1) {
        console_say(&s->console, SAY_ERROR, "You cannot use 'all' with other server names");
    }
    name = server_names(s, all, &n);
    if (!name) {
        arena_err(&s->arena, &err);
        session_fail(s, &err);
        return;
    }
    if (n > 1 && args->command->abreast) {
        session_run_abreast(s, name, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        session_run_one(s, name[i]);
    }
}

/* ---- setting up ---- */

static enum console_color color_of(const struct args *args)
{
    const char *word = arg_text(args, "color");

    word = word ? word : arg_text(args, "colour");
    if (word && strcmp(word, "always") == 0) {
        return COLOR_ALWAYS;
    }
    return word && strcmp(word, "never") == 0 ? COLOR_NEVER : COLOR_AUTO;
}

static void set_console(struct session *s)
{
    bool batch = arg_given(&s->args, "batch"), alone = batch || s->args.as_barman;
    const char *format = arg_text(&s->args, "format");

    console_init(&s->console, batch ? COLOR_NEVER : color_of(&s->args));
    if (format && strcmp(format, "json") == 0) {
        s->console.doc = doc_new(&s->said);
        s->console.draws = false;
    }
    if (s->args.command && s->args.command->run == run_check && arg_given(&s->args, "nagios")) {
        s->nagios = ARENA_NEW(&s->arena, struct nagios);
        s->console.doc = doc_new(&s->said); /* where all other words end */
    }
    s->console.quiet = arg_given(&s->args, "quiet");
    s->console.debug = arg_given(&s->args, "debug");
    s->console.draws = s->console.draws && !alone && s->args.command && s->args.command->draws;
    s->console.asks = s->console.asks && !alone;
}

static void set_program(struct session *s, const char *argv0)
{
    char path[PATH_CAP];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);

    s->program =
        n > 0 && (size_t)n < sizeof path ? arena_strndup(&s->arena, path, (size_t)n) : argv0;
}

static int log_level(const struct session *s)
{
    struct config asked = {.log_level = arg_text(&s->args, "log-level")};

    return config_log_level(asked.log_level ? &asked : s->cfg);
}

/* With a log that cannot be used the lines go where somebody may see them, as Barman's do; but not
 * over the console's screen. */
static void open_log(struct session *s)
{
    enum log_level least = (enum log_level)log_level(s);
    char text[1600];
    struct err err;

    if (s->cfg->log_format && !log_layout(s->cfg->log_format, &err)) {
        console_say(&s->console, SAY_WARN, "%s", err_text(&err, text, sizeof text));
    }
    if (log_open(s->cfg->log_file, least, &err)) {
        return;
    }
    console_say(&s->console, SAY_WARN,
                "Failed opening the requested log file. Using standard error instead. (%s)",
                err_text(&err, text, sizeof text));
    if (!session_wants_console(s)) {
        log_to_stderr(least);
    }
}

bool session_configure(struct session *s)
{
    struct cfg_messages warnings = {0};
    struct err err;

    s->config_path = arg_text(&s->args, "config");
    if (!s->config_path) {
        const char *env = getenv("BARMAN_CONFIG_FILE");
        s->config_path = env && *env ? env : NULL;
    }
    s->cfg = config_load(&s->arena, s->config_path, &warnings, &err);
    if (!s->cfg || !user_switch(s->cfg->barman_user, &err)) {
        session_fail(s, &err);
        return false;
    }
    s->config_path = s->config_path ? s->cfg->path : NULL;
    open_log(s);
    console_say_all(&s->console, SAY_WARN, warnings.text, warnings.n);
    console_say_all(&s->console, SAY_ERROR, s->cfg->misfits.text, s->cfg->misfits.n);
    for (size_t i = 0; i < s->cfg->servers && !is_about_servers(s->args.command); i++) {
        say_forced_archiver(s, &s->cfg->server[i]);
    }
    /* With -q only to the log: cron says -q every minute, and would mail it every minute. */
    for (size_t i = 0; i < s->cfg->unheeded.n; i++) {
        if (s->console.quiet) {
            log_line(LOG_WARNING, "%s", s->cfg->unheeded.text[i]);
        } else {
            console_say(&s->console, SAY_WARN, "%s", s->cfg->unheeded.text[i]);
        }
    }
    if (s->args.command && s->args.command->in_conflict) {
        return true;
    }
    console_say_all(&s->console, SAY_ERROR, s->cfg->conflicts.text, s->cfg->conflicts.n);
    return s->cfg->conflicts.n == 0;
}

static void run_command(struct session *s)
{
    switch (s->args.command->needs) {
    case NEEDS_NOTHING:
        s->args.command->run(s, NULL);
        return;
    case NEEDS_CONFIG:
        if (session_configure(s)) {
            s->args.command->run(s, NULL);
        }
        return;
    case NEEDS_SERVER:
        if (session_configure(s)) {
            run_servers(s);
        }
        return;
    }
}

static enum usage_name usage_name(const struct args *args)
{
    return args->as_barman ? USAGE_BARMAN : USAGE_BARKEEP;
}

static int usage_error(const struct session *s, const struct err *err)
{
    const struct command *c = s->args.command;

    usage_line(stderr, usage_name(&s->args), c);
    fprintf(stderr, "%s%s%s: error: %s\n", s->args.as_barman ? "barman" : "barkeep",
            c ? " " : "", c ? c->name : "", err->why);
    return err_exit_status(ERR_USAGE);
}

static bool job_option_ok(struct session *s, struct err *err)
{
    const struct args *args = &s->args;

    if (!arg_given(args, "job") || !args->command) {
        return true;
    }
    if (args->command->is_job) {
        return (args->servers == 1 && strcmp(args->server[0], "all") != 0) || args->help ||
               err_set(err, ERR_USAGE, "", "", "argument --job: one job is for one server");
    }
    return err_set(err, ERR_USAGE, "", "", "argument --job: '%s' does not run as a job",
                   args->command->name);
}

bool session_open(struct session *s, int argc, char **argv, int *status)
{
    struct err err;

    *s = (struct session){0};
    if (!fd_hold_stdio(&err)) {
        *status = err_exit_status(err.code);
        return false;
    }
    file_rules();
    child_rules();
    sys_no_core();
    arena_init(&s->arena, 0);
    arena_init(&s->said, 0);
    if (!args_parse(&s->arena, argc, argv, &s->args, &err) || !job_option_ok(s, &err)) {
        *status = err.code == ERR_MEMORY ? 1 : usage_error(s, &err);
        arena_release(&s->arena);
        return false;
    }
    set_console(s);
    set_program(s, argv[0]);
    return true;
}

bool session_wants_console(const struct session *s)
{
    const char *term = getenv("TERM");

    return s->args.is_bare && !s->args.as_barman && !arg_given(&s->args, "batch") &&
           isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && term[0] &&
           strcmp(term, "dumb") != 0;
}

bool session_wants_status(const struct session *s)
{
    return s->args.is_bare && !s->args.as_barman && !arg_given(&s->args, "batch");
}

/* A pipe, a screen reader, TERM=dumb: linear, no drawing. */
void session_status(struct session *s)
{
    s->args.command = command_find(STR_LIT("status"));
    s->args.help = false;
    s->args.server = ARENA_ARRAY(&s->arena, 1, const char *);
    if (!s->args.server) {
        return;
    }
    s->args.server[s->args.servers++] = "all";
    if (!s->cfg && !session_configure(s)) {
        return;
    }
    if (s->cfg->servers == 0) {
        console_say(&s->console, SAY_OUT, "No server is configured in %s.", s->cfg->path);
    }
    run_servers(s);
}

void session_run(struct session *s)
{
    bool bare = s->args.is_bare && s->args.as_barman;

    if (s->args.version) {
        s->console.doc = NULL;
        usage_version(stdout, usage_name(&s->args));
    } else if (bare && !session_configure(s)) {
        return; /* Barman reads its configuration before it prints its help */
    } else if (s->args.help) {
        s->console.doc = NULL;
        usage_help(stdout, usage_name(&s->args), s->args.command);
    } else {
        run_command(s);
    }
}

int session_close(struct session *s)
{
    int status = s->console.failed && !s->status ? 1 : s->status;

    if (s->nagios && !s->args.help) {
        status = nagios_end(s->nagios, status != 0, s->console.out);
        s->console.doc = NULL;
    }
    if (!console_close(&s->console)) {
        status = status ? status : 1;
    }
    arena_release(&s->said);
    arena_release(&s->arena);
    return status;
}

int batch_main(int argc, char **argv)
{
    struct session s;
    int status;

    if (!session_open(&s, argc, argv, &status)) {
        return status;
    }
    session_run(&s);
    return session_close(&s);
}
