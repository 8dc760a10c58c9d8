/* SPDX-License-Identifier: PostgreSQL */
#include "engine/restore_conf.h"

#include "base/fmt.h"

#include <inttypes.h>
#include <string.h>

/* PATH_CAP twice, quoted in the worst case, and the words around. */
#define COMMAND_CAP (8 * 4096)
#define TEXT_CAP    (3 * COMMAND_CAP)

/* --- quoting ------------------------------------------------------------------------------ */

bool conf_quote(struct sbuf *b, struct str value)
{
    sbuf_char(b, '\'');
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];

        if (c == '\n' || c == '\r' || c == '\0') {
            return false;
        }
        if (c == '\'' || c == '\\') {
            sbuf_char(b, c);
        }
        sbuf_char(b, c);
    }
    sbuf_char(b, '\'');
    return sbuf_ok(b);
}

bool shell_quote(struct sbuf *b, struct str word)
{
    sbuf_char(b, '\'');
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];

        if (c == '\n' || c == '\r' || c == '\0') {
            return false;
        }
        if (c == '\'') {
            sbuf_add(b, "'\\''");
        } else if (c == '%') {
            sbuf_add(b, "%%");
        } else {
            sbuf_char(b, c);
        }
    }
    sbuf_char(b, '\'');
    return sbuf_ok(b);
}

/* --- recovery --- */

static bool cannot_write(const char *key, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Use paths without line breaks.", key,
                   "the value cannot be written to a configuration file");
}

static bool add_line(struct sbuf *b, const char *key, const char *value, struct err *err)
{
    sbuf_fmt(b, "%s = ", key);
    if (!conf_quote(b, str_of(value))) {
        return cannot_write(key, err);
    }
    sbuf_char(b, '\n');
    return true;
}

static bool get_wal_line(struct sbuf *b, const struct conf_recovery *r, char *command,
                         struct err *err)
{
    struct sbuf c;
    bool ok;

    sbuf_init(&c, command, COMMAND_CAP);
    ok = shell_quote(&c, str_of(r->program));
    if (r->config_path) {
        sbuf_add(&c, " -c ");
        ok = ok && shell_quote(&c, str_of(r->config_path));
    }
    sbuf_add(&c, " --batch get-wal ");
    /* A standby streams what is unfinished; offered as a whole segment it would end there. */
    sbuf_add(&c, r->standby_mode ? "" : "-P ");
    ok = ok && shell_quote(&c, str_of(r->server));
    sbuf_add(&c, " %f > %p");
    if (!ok || !sbuf_ok(&c)) {
        return cannot_write("restore_command", err);
    }
    sbuf_fmt(b, "# The 'barkeep get-wal' command must run as '%s' user\n", r->user);
    return add_line(b, "restore_command", command, err);
}

static bool staged_lines(struct sbuf *b, const struct conf_recovery *r, char *command,
                         struct err *err)
{
    struct sbuf c;
    bool ok;

    sbuf_init(&c, command, COMMAND_CAP);
    sbuf_add(&c, "cp ");
    ok = shell_quote(&c, str_of(r->staging));
    sbuf_add(&c, "/%f %p");
    if (!ok || !sbuf_ok(&c)) {
        return cannot_write("restore_command", err);
    }
    if (!add_line(b, "restore_command", command, err)) {
        return false;
    }
    if (r->standby_mode) {
        return true; /* recovery goes on for ever: the directory stays */
    }
    sbuf_init(&c, command, COMMAND_CAP);
    sbuf_add(&c, "rm -fr ");
    if (!shell_quote(&c, str_of(r->staging))) {
        return cannot_write("recovery_end_command", err);
    }
    return add_line(b, "recovery_end_command", command, err);
}

static bool target_lines(struct sbuf *b, const struct target *t, struct err *err)
{
    char text[FMT_CAP];

    switch (t->kind) {
    case TARGET_TIME:
        sbuf_fmt(b, "recovery_target_time = '%s'\n", stamp_iso(t->stamp, text));
        break;
    case TARGET_XID:
        sbuf_fmt(b, "recovery_target_xid = '%" PRIu32 "'\n", t->xid);
        break;
    case TARGET_LSN:
        sbuf_fmt(b, "recovery_target_lsn = '%s'\n", fmt_lsn(t->lsn, text));
        break;
    case TARGET_NAME:
        if (!add_line(b, "recovery_target_name", t->name, err)) {
            return false;
        }
        break;
    case TARGET_IMMEDIATE:
        sbuf_add(b, "recovery_target = 'immediate'\n");
        break;
    case TARGET_END:
        break;
    }
    if (t->side == TARGET_EXCLUSIVE &&
        (t->kind == TARGET_TIME || t->kind == TARGET_XID || t->kind == TARGET_LSN)) {
        sbuf_add(b, "recovery_target_inclusive = 'False'\n");
    }
    return true;
}

/* Without a word from the person the server would follow the newest history it finds at that
 * moment: the timeline of the plan is written instead, so that what was checked is what
 * happens. A standby is meant to follow. */
static void line_line(struct sbuf *b, const struct conf_recovery *r)
{
    const struct target *t = r->target;

    switch (t->line) {
    case LINE_CURRENT:
        sbuf_add(b, "recovery_target_timeline = current\n");
        break;
    case LINE_LATEST:
        sbuf_add(b, "recovery_target_timeline = latest\n");
        break;
    case LINE_NUMBER:
        sbuf_fmt(b, "recovery_target_timeline = %" PRIu32 "\n", t->tli);
        break;
    case LINE_DEFAULT:
        if (!r->standby_mode) {
            sbuf_fmt(b, "recovery_target_timeline = %" PRIu32 "\n", r->line);
        }
        break;
    }
}

bool conf_recovery_text(struct arena *a, const struct conf_recovery *r, struct str *out,
                        struct err *err)
{
    char *text = arena_alloc(a, TEXT_CAP);
    char *command = arena_alloc(a, COMMAND_CAP);
    struct sbuf b;
    bool ok = true;

    if (!text || !command) {
        return arena_err(a, err);
    }
    sbuf_init(&b, text, TEXT_CAP);
    if (r->mode == WAL_MODE_GET_WAL) {
        ok = get_wal_line(&b, r, command, err);
    } else if (r->mode == WAL_MODE_STAGED) {
        ok = staged_lines(&b, r, command, err);
    }
    if (!ok || !target_lines(&b, r->target, err)) {
        return false;
    }
    if (r->mode != WAL_MODE_INTO_PGDATA) {
        line_line(&b, r);
    }
    if (r->target->action) {
        sbuf_fmt(&b, "recovery_target_action = '%s'\n", r->target->action);
    }
    if (!sbuf_ok(&b)) {
        return cannot_write("restore_command", err);
    }
    *out = str_n(text, b.len);
    return true;
}

/* --- what the backup brought along --- */

enum deed { LET_BE, REPLACE, COMMENT_OUT, COMMENT_IF_SAVED, REPORT };

static const struct rule {
    const char *key;
    enum deed deed;
    const char *instead;
} rules[] = {
    {"archive_command", REPLACE, "false"},
    {"recovery_target", COMMENT_OUT, NULL},
    {"recovery_target_name", COMMENT_OUT, NULL},
    {"recovery_target_time", COMMENT_OUT, NULL},
    {"recovery_target_xid", COMMENT_OUT, NULL},
    {"recovery_target_lsn", COMMENT_OUT, NULL},
    {"recovery_target_inclusive", COMMENT_OUT, NULL},
    {"recovery_target_timeline", COMMENT_OUT, NULL},
    {"recovery_target_action", COMMENT_OUT, NULL},
    {"recovery_end_command", COMMENT_OUT, NULL},
    {"archive_cleanup_command", COMMENT_OUT, NULL},
    {"data_directory", COMMENT_IF_SAVED, NULL},
    {"config_file", COMMENT_IF_SAVED, NULL},
    {"hba_file", COMMENT_IF_SAVED, NULL},
    {"ident_file", COMMENT_IF_SAVED, NULL},
    {"external_pid_file", COMMENT_IF_SAVED, NULL},
    {"include", COMMENT_IF_SAVED, NULL},
    {"include_dir", COMMENT_IF_SAVED, NULL},
    {"include_if_exists", COMMENT_IF_SAVED, NULL},
    {"archive_library", REPORT, NULL},
    {"ssl_cert_file", REPORT, NULL},
    {"ssl_key_file", REPORT, NULL},
    {"ssl_ca_file", REPORT, NULL},
    {"ssl_crl_file", REPORT, NULL},
    {"unix_socket_directory", REPORT, NULL},
    {"unix_socket_directories", REPORT, NULL},
};

/* key [=] rest; false for blank lines and comments. */
static bool split_setting(struct str line, struct str *key, struct str *value)
{
    size_t n = 0;

    line = str_trim(line);
    while (n < line.n && line.p[n] != '=' && line.p[n] != ' ' && line.p[n] != '\t' &&
           line.p[n] != '\'' && line.p[n] != '#') {
        n++;
    }
    if (n == 0) {
        return false;
    }
    *key = str_n(line.p, n);
    *value = str_trim(str_skip(line, n));
    if (str_take_char(value, '=')) {
        *value = str_trim(*value);
    }
    return true;
}

static const struct rule *rule_of(struct str key)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (str_eq_nocase(key, rules[i].key)) {
            return &rules[i];
        }
    }
    return NULL;
}

static bool note(struct arena *a, struct conf_finding **list, size_t *n, size_t *cap,
                 struct conf_finding finding)
{
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 16;
        struct conf_finding *grown = ARENA_ARRAY(a, more, struct conf_finding);

        if (!grown) {
            return false;
        }
        if (*n) {
            memcpy(grown, *list, *n * sizeof *grown);
        }
        *list = grown;
        *cap = more;
    }
    (*list)[(*n)++] = finding;
    return true;
}

static enum deed deed_of(const struct rule *rule, enum conf_origin origin)
{
    if (!rule) {
        return LET_BE;
    }
    if (rule->deed == COMMENT_IF_SAVED) {
        return origin == CONF_SAVED ? COMMENT_OUT : REPORT;
    }
    return rule->deed;
}

struct mangle {
    struct arena *a;
    const char *file;
    enum conf_origin origin;
    struct conf_report *report;
    struct sbuf *out;
};

static bool mangle_line(const struct mangle *m, struct str line, unsigned number)
{
    struct conf_report *report = m->report;
    struct conf_finding found = {.file = m->file, .line = number};
    const struct rule *rule = NULL;
    struct str key, value;
    enum deed deed;

    if (split_setting(line, &key, &value)) {
        rule = rule_of(key);
    }
    deed = deed_of(rule, m->origin);
    if (deed == REPLACE || deed == COMMENT_OUT) {
        sbuf_add(m->out, CONF_MARKER);
    }
    sbuf_add_n(m->out, line.p, line.n);
    sbuf_char(m->out, '\n');
    if (deed == LET_BE) {
        return true;
    }
    found.key = rule->key;
    if (deed == REPORT) {
        found.value = arena_strndup(m->a, value.p, value.n);
        return found.value &&
               note(m->a, &report->warning, &report->warnings, &report->warning_cap, found);
    }
    found.value = deed == REPLACE ? rule->instead : "None";
    if (deed == REPLACE) {
        sbuf_fmt(m->out, "%s = %s\n", rule->key, rule->instead);
    }
    return note(m->a, &report->change, &report->changes, &report->change_cap, found);
}

bool conf_mangle(struct arena *a, const char *file, enum conf_origin origin, struct str text,
                 struct conf_report *report, struct str *out, struct err *err)
{
    struct str rest = text, line;
    unsigned number = 0;
    size_t lines = 1, cap;
    struct sbuf b;
    char *mem;
    struct mangle m = {a, file, origin, report, &b};

    for (size_t i = 0; i < text.n; i++) {
        lines += text.p[i] == '\n';
    }
    /* Each line may gain the marker, its newline and one replacement. */
    cap = text.n + lines * (sizeof CONF_MARKER + 32) + 1;
    mem = arena_alloc(a, cap);
    if (!mem) {
        return arena_err(a, err);
    }
    sbuf_init(&b, mem, cap);
    while (str_line(&rest, &line)) {
        if (!mangle_line(&m, line, ++number)) {
            return arena_err(a, err);
        }
    }
    *out = str_n(mem, b.len);
    return true;
}

static bool tells(const struct conf_finding *list, size_t n, const char *file, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if ((!file || strcmp(list[i].file, file) == 0) &&
            str_starts(str_of(list[i].key), key)) {
            return true;
        }
    }
    return false;
}

bool conf_overrule(struct arena *a, const char *file, struct str text,
                   struct conf_report *report, struct str *out, struct err *err)
{
    struct conf_finding made = {file, 1, "archive_command", "false"};
    const char *both;

    *out = text;
    if (!tells(report->warning, report->warnings, NULL, "include") ||
        tells(report->change, report->changes, file, made.key)) {
        return true;
    }
    for (size_t i = 0; i < text.n; i++) {
        made.line += text.p[i] == '\n';
    }
    both = arena_fmt(a, "%.*s%s = %s\n", (int)text.n, text.p, made.key, made.value);
    if (!both || !note(a, &report->change, &report->changes, &report->change_cap, made)) {
        return arena_err(a, err);
    }
    *out = str_of(both);
    return true;
}
