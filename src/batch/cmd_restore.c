/* SPDX-License-Identifier: PostgreSQL */
/* restore (recover), help. */
#include "restore_options.h"
#include "session.h"
#include "usage.h"

#include "base/clock.h"
#include "base/doc.h"
#include "base/file.h"
#include "base/fmt.h"
#include "engine/restore.h"
#include "plan/restore.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct restore_job {
    struct arena arena; /* of the job */
    struct restore_request request;
    struct restore_result result;
    unsigned retry_times, retry_sleep_s;
};

/* An interrupted restore goes on where it stopped, so trying again is doing the same again. */
static bool do_restore(const struct task *task, void *arg, struct err *err)
{
    struct restore_job *job = arg;

    for (unsigned tried = 0;; tried++) {
        char text[1600];

        if (engine_restore(task, &job->arena, &job->request, &job->result, err)) {
            return true;
        }
        if (err->code != ERR_IO || err->os == ENOSPC || tried == job->retry_times) {
            return false;
        }
        task_say(task, SAY_WARN, "%s", err_text(err, text, sizeof text));
        task_say(task, SAY_WARN, "Retrying in %u seconds (%u of %u)", job->retry_sleep_s,
                 tried + 1, job->retry_times);
        if (!task_rest(task, INT64_C(1000) * job->retry_sleep_s, err)) {
            return false;
        }
    }
}

static bool relocations(struct session *s, struct restore_request *r)
{
    const struct arg_value *v = arg_value(&s->args, "tablespace");
    struct relocation *out = ARENA_ARRAY(&s->arena, v->listed + 1, struct relocation);

    for (size_t i = 0; i < v->listed && out; i++) {
        struct str rest = str_of(v->list[i]), name;

        if (!str_split(&rest, ':', &name) || !name.n || !rest.n) {
            console_say(&s->console, SAY_ERROR,
                        "--tablespace needs NAME:LOCATION, '%s' is not that", v->list[i]);
            return false;
        }
        out[i].name = arena_strndup(&s->arena, name.p, name.n);
        out[i].location = rest.p;
    }
    r->relocation = out;
    r->relocations = v->listed;
    return out != NULL;
}

static enum choice choice_of(const struct args *args, const char *yes, const char *no)
{
    if (arg_given(args, yes)) {
        return CHOICE_YES;
    }
    return arg_given(args, no) ? CHOICE_NO : CHOICE_CONFIG;
}

static struct target_words target_of(const struct args *args)
{
    return (struct target_words){
        .time = arg_text(args, "target-time"),
        .xid = arg_text(args, "target-xid"),
        .lsn = arg_text(args, "target-lsn"),
        .name = arg_text(args, "target-name"),
        .immediate = arg_given(args, "target-immediate") ? "immediate" : NULL,
        .timeline = arg_text(args, "target-tli"),
        .action = arg_text(args, "target-action"),
        .side = arg_given(args, "exclusive") ? TARGET_EXCLUSIVE : TARGET_INCLUSIVE,
    };
}

static bool fill_request(struct session *s, const struct server_cfg *srv,
                         struct restore_request *r)
{
    const struct args *args = &s->args;

    *r = (struct restore_request){
        .config = s->cfg,
        .server = srv,
        .program = s->program,
        .config_path = s->config_path,
        .backup_id = args->operand[1],
        .destination = session_path(s, args->operand[2]),
        .target = target_of(args),
        .get_wal = choice_of(args, "get-wal", "no-get-wal"),
        .standby_mode = arg_given(args, "standby-mode"),
        .staging_wal_directory = session_path(s, arg_text(args, "staging-wal-directory")),
        .recovery_conf_filename = arg_text(args, "recovery-conf-filename"),
        .recovery_option_port = arg_text(args, "recovery-option-port"),
        .jobs = (unsigned)arg_number(args, "jobs", 0),
        .bwlimit_kib = (uint32_t)arg_number(args, "bwlimit", 0),
        .accept_corruption = arg_given(args, "accept-corruption"),
        .dry_run = arg_given(args, "dry-run"),
        .in_place = arg_given(args, "in-place"),
        .report_apart = s->console.doc != NULL,
    };
    return relocations(s, r);
}

/* In place is the one restore that touches what a server may still need. */
static bool confirmed(struct session *s, const struct server_cfg *srv,
                      const struct restore_request *r)
{
    char question[PATH_CAP + 256];

    if (!r->in_place || r->dry_run || !s->console.asks) {
        return true;
    }
    str_fmt(question, sizeof question,
            "This puts a restored cluster in the place of %s; what is there is renamed aside.\n"
            "Type the server's name to go on:",
            r->destination);
    if (console_confirm(&s->console, question, srv->name)) {
        return true;
    }
    console_say(&s->console, SAY_ERROR, "that is not its name: nothing was changed");
    return false;
}

static void put_findings(struct doc *out, const char *key, const struct conf_finding *list,
                         size_t n)
{
    struct doc *rows = doc_array(out, key);
    char count[32];

    for (size_t i = 0; i < n; i++) {
        struct doc *row = doc_add_array(rows);

        doc_add_text(row, list[i].file);
        doc_add_int(row, list[i].line);
        doc_add_text(row, list[i].key);
        doc_add_text(row, list[i].value);
    }
    str_fmt(count, sizeof count, "%s_count", key);
    doc_int(out, count, (int64_t)n);
}

/* Barman's keys, and its words for a reader of the arrays of messages. */
static void put_report(struct console *c, const struct restore_result *r)
{
    char text[STAMP_CAP], took[FMT_CAP];
    struct doc *missing = doc_array(c->doc, "missing_files");

    put_findings(c->doc, "changes", r->change, r->changes);
    put_findings(c->doc, "warnings", r->warning, r->warnings);
    for (size_t i = 0; i < r->missing_files; i++) {
        doc_add_text(missing, r->missing_file[i]);
    }
    if (r->changes) {
        console_say(c, SAY_WARN,
                    "IMPORTANT! Some settings have been modified to prevent data losses. See "
                    "'changes' key.");
    }
    if (r->warnings) {
        console_say(c, SAY_WARN,
                    "WARNING! You are required to review the options as potentially "
                    "dangerous. See 'warnings' key.");
    }
    if (r->missing_files) {
        console_say(c, SAY_WARN,
                    "WARNING! Some configuration files have not been saved during backup, "
                    "hence they have not been restored. See 'missing_files' key.");
    }
    if (r->get_wal) {
        console_say(c, SAY_WARN,
                    "WARNING: 'get-wal' is in the specified 'recovery_options'. Before you "
                    "start up the PostgreSQL server, please review the recovery configuration "
                    "inside the target directory. Make sure that 'restore_command' can be "
                    "executed by the PostgreSQL user.");
    }
    doc_text(c->doc, "recovery_start_time", stamp_iso(r->begin, text));
    doc_fmt(c->doc, "recovery_start_time_timestamp", "%" PRId64, r->begin.us / US_PER_S);
    doc_text(c->doc, "recovery_elapsed_time", fmt_duration(r->took_ns, took));
    doc_real(c->doc, "recovery_elapsed_time_seconds", (double)r->took_ns / (double)NS_PER_S);
}

/* What a dry run found, as the lines of its plan. */
static void put_plan(struct console *c, const struct restore_result *r)
{
    static const char *const word[] = {
        [VERDICT_OK] = "OK", [VERDICT_WARN] = "WARNING", [VERDICT_REFUSED] = "REFUSED"};
    struct doc *plan = doc_object(c->doc, "plan"), *rows = doc_array(plan, "checks");

    doc_text(plan, "backup_id", r->backup_id);
    doc_bool(plan, "would_work", r->holds);
    doc_int(plan, "bytes", (int64_t)r->bytes);
    doc_int(plan, "wal_segments", (int64_t)r->segments);
    doc_int(plan, "timeline", r->tli);
    for (size_t i = 0; i < r->checks; i++) {
        struct doc *row = doc_add_object(rows);

        doc_text(row, "check", r->check[i].id);
        doc_text(row, "status", word[r->check[i].verdict]);
        doc_text(row, "text", r->check[i].sentence);
        doc_text(row, "hint", r->check[i].hint);
    }
}

void run_restore(struct session *s, const struct server_cfg *srv)
{
    struct restore_job job = {.retry_times = session_retry_times(s, srv),
                              .retry_sleep_s = session_retry_sleep(s, srv)};
    struct session_verb verb = {SESSION_WRITES, srv, do_restore, &job};
    struct err err;

    if (!server_cfg_refusal(srv, CFG_USE_RESTORE, &err)) {
        session_fail(s, &err);
        return;
    }
    if (!restore_options_ok(s, srv)) {
        return;
    }
    if (!fill_request(s, srv, &job.request)) {
        s->status = 1;
        return;
    }
    if (!confirmed(s, srv, &job.request)) {
        return;
    }
    if (job.request.dry_run) {
        verb.kind = SESSION_LOOKS;
    }
    arena_init(&job.arena, 0);
    if (session_job(s, &verb)) {
        s->status = job.result.holds ? s->status : 1;
        if (s->console.doc && job.request.dry_run) {
            put_plan(&s->console, &job.result);
        } else if (s->console.doc) {
            put_report(&s->console, &job.result);
        }
    }
    arena_release(&job.arena);
}

void run_help(struct session *s, const struct server_cfg *srv)
{
    const char *word = s->args.operand[0];
    const struct command *c = word ? command_find(str_of(word)) : NULL;

    (void)srv;
    if (word && !c) {
        const char *near = command_near(str_of(word));
        fprintf(stderr, "barkeep help: error: '%s' is no command%s%s%s\n", word,
                near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
        s->status = 2;
        return;
    }
    if (s->args.as_barman && !session_configure(s)) {
        return;
    }
    s->console.doc = NULL;
    usage_help(stdout, s->args.as_barman ? USAGE_BARMAN : USAGE_BARKEEP, c);
}
