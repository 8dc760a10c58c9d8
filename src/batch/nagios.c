/* SPDX-License-Identifier: PostgreSQL */
#include "nagios.h"

#include "base/log.h"

#include <inttypes.h>
#include <string.h>

#define NAGIOS_CRITICAL 2
#define HINT_CAP        2048

bool nagios_add(struct nagios *n, struct arena *a, const char *server,
                const struct check *check, struct err *err)
{
    struct nagios_server *s = ARENA_NEW(a, struct nagios_server);
    struct check *copy = ARENA_NEW(a, struct check);

    if (!s || !copy) {
        return arena_err(a, err);
    }
    *copy = *check;
    *s = (struct nagios_server){.name = server, .check = copy};
    if (n->last) {
        n->last->next = s;
    } else {
        n->first = s;
    }
    n->last = s;
    return true;
}

static bool has_issues(const struct nagios_server *s)
{
    return check_first_failed(s->check, CHECK_ALL) != NULL;
}

static size_t count(const struct nagios *n, bool with_issues)
{
    size_t sum = 0;

    for (const struct nagios_server *s = n->first; s; s = s->next) {
        sum += has_issues(s) == with_issues;
    }
    return sum;
}

/* Hints come from outside: one line, no secrets. */
static const char *safe_hint(const char *hint, char *out, size_t cap)
{
    redact(hint, out, cap);
    for (char *p = out; *p; p++) {
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
    }
    return out;
}

static void put_hint(FILE *out, const char *hint)
{
    char text[HINT_CAP];

    fprintf(out, " (%s)", safe_hint(hint, text, sizeof text));
}

static void put_ready(const struct nagios *n, FILE *out)
{
    size_t good = count(n, false);

    fprintf(out, "BARMAN OK - ");
    if (good == 0) {
        fprintf(out, "No server configured");
    } else if (good > 1) {
        fprintf(out, "Ready to serve the Espresso backup for %zu servers", good);
    }
    for (const struct nagios_server *s = n->first; s; s = s->next) {
        if (has_issues(s)) {
            continue;
        }
        fprintf(out, good == 1 ? "Ready to serve the Espresso backup for %s" : " * %s",
                s->name);
    }
    for (const struct nagios_server *s = n->first; s; s = s->next) {
        if (has_issues(s)) {
            fprintf(out, " * IGNORING: %s", s->name);
        }
    }
}

static void put_critical(const struct nagios *n, FILE *out)
{
    size_t issues = count(n, true), all = issues + count(n, false);

    if (all == 1) {
        fprintf(out, "BARMAN CRITICAL - server %s has issues", n->first->name);
    } else {
        fprintf(out, "BARMAN CRITICAL - %zu server out of %zu have issues", issues, all);
    }
    for (const struct nagios_server *s = n->first; s; s = s->next) {
        const char *before = " FAILED: ";

        if (!has_issues(s)) {
            continue;
        }
        fprintf(out, " * %s", s->name);
        for (size_t i = 0; i < s->check->n; i++) {
            if (!s->check->line[i].ok) {
                fprintf(out, "%s%s", before, s->check->line[i].label);
                before = ", ";
            }
        }
    }
}

static void put_details(const struct nagios *n, FILE *out)
{
    for (const struct nagios_server *s = n->first; s; s = s->next) {
        for (size_t i = 0; i < s->check->n; i++) {
            const struct check_line *l = &s->check->line[i];

            if (l->ok) {
                continue;
            }
            fprintf(out, "%s.%s: FAILED", s->name, l->label);
            if (l->hint && *l->hint) {
                put_hint(out, l->hint);
            }
            fputc('\n', out);
        }
    }
}

static void put_perfdata(const struct nagios *n, FILE *out)
{
    char before = '|';

    for (const struct nagios_server *s = n->first; s; s = s->next) {
        for (size_t i = 0; i < s->check->n; i++) {
            const struct check_line *l = &s->check->line[i];

            if (l->perfdata >= 0) {
                fprintf(out, "%c%s%s=%" PRId64 "B", before, s->name,
                        strcmp(l->label, "wal size") == 0 ? "_wals" : "", l->perfdata);
                before = ' ';
            }
        }
    }
    fputc('\n', out);
}

/* What ends a record and a label: control characters that a terminal would not get either. */
#define RECORD_END '\036'
#define LABEL_END  '\037'

/* As it is, passwords too: it stays between two processes of this program. */
static void send_hint(const char *hint, FILE *out)
{
    for (; hint && *hint; hint++) {
        fputc(*hint == RECORD_END || *hint == LABEL_END ? '?' : *hint, out);
    }
}

/* "server NAME", then for each line "line OK PERFDATA LABEL" and "HINT". */
void nagios_send(const struct nagios *n, FILE *out)
{
    for (const struct nagios_server *s = n->first; s; s = s->next) {
        fprintf(out, "server %s%c", s->name, RECORD_END);
        for (size_t i = 0; i < s->check->n; i++) {
            const struct check_line *l = &s->check->line[i];

            fprintf(out, "line %d %" PRId64 " %s%c", l->ok, l->perfdata + 1, l->label,
                    LABEL_END);
            send_hint(l->hint, out);
            fputc(RECORD_END, out);
        }
    }
}

static bool read_line(struct check *c, struct arena *a, struct str line)
{
    struct check_line *l = &c->line[c->n];
    struct str label;
    uint64_t ok, perfdata;

    if (c->n == CHECK_LINES_MAX || !str_take_u64(&line, 1, &ok) || !str_take_char(&line, ' ') ||
        !str_take_u64(&line, INT64_MAX, &perfdata) || !str_take_char(&line, ' ') ||
        !str_split(&line, LABEL_END, &label)) {
        return false;
    }
    *l = (struct check_line){.ok = ok, .perfdata = (int64_t)perfdata - 1};
    l->label = arena_strndup(a, label.p, label.n);
    l->hint = line.n ? arena_strndup(a, line.p, line.n) : NULL;
    c->n++;
    return true;
}

bool nagios_receive(struct nagios *n, struct arena *a, struct str text, struct err *err)
{
    const char *server = NULL;
    struct check check = {0};
    struct str line;

    while (text.n && str_split(&text, RECORD_END, &line)) {
        if (str_take_lit(&line, "server ")) {
            if (server && !nagios_add(n, a, server, &check, err)) {
                return false;
            }
            check.n = 0;
            server = arena_strndup(a, line.p, line.n);
        } else if (!server || !str_take_lit(&line, "line ") || !read_line(&check, a, line)) {
            return err_set(err, ERR_FORMAT, "", "", "not the expected report of a check");
        }
    }
    if (a->failed) {
        return arena_err(a, err);
    }
    return !server || nagios_add(n, a, server, &check, err);
}

int nagios_end(const struct nagios *n, bool in_error, FILE *out)
{
    bool issues = count(n, true) > 0;

    if (in_error && !issues) {
        fprintf(out, "BARMAN CRITICAL - Global configuration errors\n");
        return NAGIOS_CRITICAL;
    }
    if (in_error) {
        put_critical(n, out);
        put_perfdata(n, out);
        put_details(n, out);
        return NAGIOS_CRITICAL;
    }
    put_ready(n, out);
    if (count(n, false) > 0 || !n->first) {
        put_perfdata(n, out);
    } else {
        fputc('\n', out); /* Barman's has none when all are ignored */
    }
    return 0;
}
