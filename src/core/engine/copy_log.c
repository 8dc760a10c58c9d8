/* SPDX-License-Identifier: PostgreSQL */
/* copy_log.c - what the log of a started copy tells, and its postmaster.pid. Pure.
 *
 * A line is "2026-11-22 13:43:59.813 UTC [4711] startup LOG:  text" by the log_line_prefix of
 * copy_conf.c. Before the server has read that, there is no type in it, or no prefix at all. */
#include "engine/copy_in.h"

#include <string.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 400 /* bytes of one message that are kept */

enum severity { SEV_NONE, SEV_LOG, SEV_WARNING, SEV_ERROR, SEV_FATAL, SEV_DETAIL, SEV_HINT };

static const struct {
    const char *word;
    enum severity severity;
} severities[] = {
    {"LOG:  ", SEV_LOG},      {"WARNING:  ", SEV_WARNING}, {"ERROR:  ", SEV_ERROR},
    {"FATAL:  ", SEV_FATAL},  {"PANIC:  ", SEV_FATAL},     {"DETAIL:  ", SEV_DETAIL},
    {"HINT:  ", SEV_HINT},    {"CONTEXT:  ", SEV_LOG},     {"STATEMENT:  ", SEV_LOG},
    {"LOCATION:  ", SEV_LOG},
};

/* Processes whose last word is not the server's. */
static const char *const guests[] = {"client backend",  "walsender",
                                     "parallel worker", "background worker",
                                     "not initialized", "dead-end client backend"};

struct line {
    enum severity severity;
    bool is_guest;
    struct str words;
};

static bool find_lit(struct str s, const char *lit, size_t *at)
{
    size_t n = strlen(lit);

    for (size_t i = 0; i + n <= s.n; i++) {
        if (memcmp(s.p + i, lit, n) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* "... [4711] TYPE" -> TYPE; the prefix is all before the severity. */
static bool is_guest(struct str prefix)
{
    size_t at;

    if (!find_lit(prefix, "] ", &at)) {
        return false;
    }
    prefix = str_trim(str_skip(prefix, at + 2));
    for (size_t i = 0; i < COUNT(guests); i++) {
        if (str_eq(prefix, guests[i])) {
            return true;
        }
    }
    return false;
}

static struct line take_apart(struct str text)
{
    struct line l = {SEV_NONE, false, str_trim(text)};
    size_t first = text.n;

    for (size_t i = 0; i < COUNT(severities); i++) {
        size_t at;

        if (find_lit(text, severities[i].word, &at) && at < first) {
            first = at;
            l.severity = severities[i].severity;
            l.words = str_trim(str_skip(text, at + strlen(severities[i].word)));
            l.is_guest = is_guest(str_n(text.p, at));
        }
    }
    return l;
}

static const char *keep(struct arena *a, struct str s)
{
    const char *text = arena_strndup(a, s.p, s.n < WORDS_MAX ? s.n : WORDS_MAX);

    return text ? text : "";
}

static void stage_of(struct arena *a, struct str words, struct copy_log *out)
{
    static const struct {
        const char *begins, *stage;
        bool with_lsn;
    } stages[] = {
        {"starting PostgreSQL", "starting", false},
        {"database system was interrupted", "starting recovery", false},
        {"starting backup recovery", "starting recovery", false},
        {"starting point-in-time recovery", "starting recovery", false},
        {"starting archive recovery", "starting recovery", false},
        {"redo starts at ", "replaying from ", true},
        {"redo in progress", "replaying", false},
        {"consistent recovery state reached at ", "consistent at ", true},
        {"recovery stopping", "at the target", false},
        {"pausing at the end of recovery", "at the target", false},
        {"redo done at ", "replayed to ", true},
        {"selected new timeline", "opening", false},
        {"database system is ready to accept read", "accepting connections", false},
        {"database system is ready to accept connections", "accepting connections", false},
        {"received fast shutdown", "stopping", false},
    };

    for (size_t i = 0; i < COUNT(stages); i++) {
        struct str rest = words;
        size_t n = 0;

        if (!str_take_lit(&rest, stages[i].begins)) {
            continue;
        }
        while (n < rest.n && n < 20 &&
               (rest.p[n] == '/' || (rest.p[n] >= '0' && rest.p[n] <= '9') ||
                (rest.p[n] >= 'A' && rest.p[n] <= 'F'))) {
            n++;
        }
        out->stage = stages[i].with_lsn
                         ? arena_fmt(a, "%s%.*s", stages[i].stage, (int)n, rest.p)
                         : stages[i].stage;
        out->stage = out->stage ? out->stage : "";
        return;
    }
}

static void said(struct arena *a, struct str words, struct copy_log *out)
{
    out->shut_at_target = out->shut_at_target || str_eq(words, "shutdown at recovery target");
    if (str_starts(words, "unrecognized configuration parameter") ||
        str_starts(words, "invalid value for parameter") ||
        str_starts(words, "syntax error in file")) {
        out->wrong = keep(a, words);
    }
    stage_of(a, words, out);
}

static void one_line(struct arena *a, struct line l, enum severity before, struct copy_log *out)
{
    bool is_short =
        str_starts(l.words, "hot standby is not possible because of insufficient") ||
        str_starts(l.words, "recovery aborted because of insufficient parameter") ||
        str_starts(l.words, "hot standby is not possible because max_") ||
        str_starts(l.words, "hot standby is not possible because wal_level");

    switch (l.severity) {
    case SEV_FATAL:
        out->fatal = keep(a, l.words);
        if (out->wrong && strstr(out->fatal, "contains errors")) {
            out->fatal = out->wrong; /* names the setting, and its line */
            out->is_conf = true;
        }
        out->hint = NULL;
        out->is_short = out->is_short || is_short;
        break;
    case SEV_WARNING:
        out->is_short = out->is_short || is_short;
        break;
    case SEV_DETAIL:
        if (before == SEV_FATAL && out->fatal) {
            out->fatal =
                arena_fmt(a, "%s: %.*s", out->fatal,
                          l.words.n < WORDS_MAX ? (int)l.words.n : WORDS_MAX, l.words.p);
        }
        break;
    case SEV_HINT:
        if (before == SEV_FATAL) {
            out->hint = keep(a, l.words);
        }
        break;
    case SEV_LOG:
        said(a, l.words, out);
        break;
    case SEV_ERROR:
    case SEV_NONE:
        break;
    }
}

void copy_log_parse(struct arena *a, struct str text, struct copy_log *out)
{
    enum severity before = SEV_NONE;
    struct str line;

    *out = (struct copy_log){.stage = "starting"};
    while (str_line(&text, &line)) {
        struct line l = take_apart(line);

        if (l.is_guest || !l.words.n) {
            before = SEV_NONE;
            continue;
        }
        out->last = keep(a, l.words);
        one_line(a, l, before, out);
        /* DETAIL and HINT belong to the message before them. */
        before = l.severity == SEV_DETAIL || l.severity == SEV_HINT ? before : l.severity;
    }
}

const char *copy_log_hint(const struct copy_log *log)
{
    static const struct {
        const char *in, *hint;
    } known[] = {
        {"could not create any TCP/IP sockets", "Choose another --port: that one is taken."},
        {"could not bind", "Choose another --port: that one is taken."},
        {"recovery ended before configured recovery target",
         "Restore again to an earlier moment: the WAL ends before this one."},
        {"could not map anonymous shared memory",
         "Free memory on this host, then start it again."},
        {"could not create shared memory", "Free memory on this host, then start it again."},
        {"No space left on device", "Make room on its file system, then start it again."},
        {"has invalid permissions", "Give the directory mode 0700 or 0750."},
        {"could not locate required checkpoint record",
         "Restore it again: its WAL is not there any more."},
        {"incompatible with server", "Start it with programs of its own version."},
        {"invalid value for parameter", "Take that line out of its postgresql.auto.conf."},
        {"unrecognized configuration parameter",
         "Take that line out of its postgresql.auto.conf."},
        {"syntax error in file", "Correct its postgresql.auto.conf."},
        {"contains errors", "Correct its postgresql.auto.conf."},
    };

    for (size_t i = 0; log->fatal && i < COUNT(known); i++) {
        if (strstr(log->fatal, known[i].in)) {
            return known[i].hint;
        }
    }
    return log->hint ? log->hint : "";
}

bool copy_pid_file_parse(struct str text, struct copy_pid_file *out)
{
    struct str line;
    uint64_t number;

    *out = (struct copy_pid_file){0};
    for (int i = 1; str_line(&text, &line); i++) {
        line = str_trim(line);
        if (i == 1) { /* negative: a server in single-user mode */
            if (!str_u64(line, INT32_MAX, &number) || number == 0) {
                return false;
            }
            out->pid = (int64_t)number;
        } else if (i == 2) {
            out->directory = line;
        } else if (i == 4 && str_u64(line, 65535, &number)) {
            out->port = (unsigned)number;
        } else if (i == 8) {
            out->is_ready = str_eq(line, "ready");
        }
    }
    return out->pid != 0;
}

bool copy_gave_up(const struct copy_home *home, const struct copy_log *log, struct err *err)
{
    char hint[160];
    const char *known = copy_log_hint(log);

    str_fmt(hint, sizeof hint, "Read its log: %s", home->log);
    return err_set(err, ERR_IO, known[0] ? known : hint, home->dest, "the server gave up: %s",
                   log->fatal  ? log->fatal
                   : log->last ? log->last
                               : "it said nothing");
}
