/* SPDX-License-Identifier: PostgreSQL */
#include "console.h"

#include "barkeep/str.h"
#include "base/clock.h"
#include "base/doc.h"
#include "base/fmt.h"
#include "base/log.h"
#include "base/sys.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define LINE_CAP 8192
#define DRAW_NS  (100 * NS_PER_MS)

#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

void console_init(struct console *c, enum console_color color)
{
    bool both = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);

    *c = (struct console){.out = stdout, .err = stderr};
    c->color = color == COLOR_ALWAYS || (color == COLOR_AUTO && both);
    c->draws = isatty(STDERR_FILENO);
    c->asks = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static void log_it(enum say kind, const char *line)
{
    switch (kind) {
    case SAY_OUT:
        return;
    case SAY_WARN:
        log_line(LOG_WARNING, "%s", line);
        return;
    case SAY_ERROR:
        log_line(LOG_ERROR, "%s", line);
        return;
    case SAY_LOG:
        log_line(LOG_INFO, "%s", line);
        return;
    case SAY_DEBUG:
        log_line(LOG_DEBUG, "%s", line);
        return;
    }
}

static void print_prefixed(struct console *c, const char *color, const char *prefix,
                           const char *line)
{
    console_erase(c);
    fflush(c->out); /* what was said before comes before */
    if (c->color && *color) {
        fprintf(c->err, "%s%s: %s%s\n", color, prefix, line, PLAIN);
    } else {
        fprintf(c->err, "%s: %s\n", prefix, line);
    }
}

static void collect(struct console *c, enum say kind, const char *text)
{
    static const char *const key[] = {[SAY_OUT] = "_INFO",
                                      [SAY_WARN] = "_WARNING",
                                      [SAY_ERROR] = "_ERROR",
                                      [SAY_DEBUG] = "_DEBUG"};

    if (kind == SAY_LOG || (kind == SAY_DEBUG && !c->debug)) {
        return;
    }
    c->failed = c->failed || kind == SAY_ERROR;
    doc_add_text(doc_array(c->doc, key[kind]), text);
}

static void print(struct console *c, enum say kind, const char *line)
{
    char text[LINE_CAP];

    redact(line, text, sizeof text);
    if (c->doc) {
        console_erase(c);
        collect(c, kind, text);
        return;
    }
    str_tame(text);
    switch (kind) {
    case SAY_OUT:
        if (!c->quiet) {
            console_erase(c);
            fprintf(c->out, "%s\n", text);
        }
        break;
    case SAY_WARN:
        print_prefixed(c, YELLOW, "WARNING", text);
        break;
    case SAY_ERROR:
        c->failed = true;
        print_prefixed(c, RED, "ERROR", text);
        break;
    case SAY_DEBUG:
        if (c->debug) {
            print_prefixed(c, "", "DEBUG", text);
        }
        break;
    case SAY_LOG:
        break;
    }
}

/* A thousand lines of a list leave in a few writes, at the end or before an error. */
void console_sink(void *ctx, enum say kind, const char *line)
{
    char text[LINE_CAP];

    log_it(kind, redact(line, text, sizeof text));
    print(ctx, kind, line);
}

/* A job takes its time: each line is seen when it is said. */
void console_print(void *ctx, enum say kind, const char *line)
{
    struct console *c = ctx;

    print(c, kind, line);
    fflush(c->out);
}

void console_say(struct console *c, enum say kind, const char *fmt, ...)
{
    char text[LINE_CAP];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    console_sink(c, kind, text);
}

void console_say_all(struct console *c, enum say kind, const char *const *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        console_say(c, kind, "%s", text[i]);
    }
}

void console_err(struct console *c, const struct err *err)
{
    char text[LINE_CAP];

    console_sink(c, SAY_ERROR, err_text(err, text, sizeof text));
    if (!err->hint[0]) {
        return;
    }
    redact(err->hint, text, sizeof text);
    if (c->doc) {
        doc_add_text(doc_array(c->doc, "_HINT"), text);
    } else {
        str_tame(text);
        fprintf(c->err, "HINT: %s\n", text);
    }
}

static void collect_result(struct console *c, const char *server, const char *label,
                           const char *word, const char *hint)
{
    char key[256], safe[LINE_CAP] = "";
    struct doc *row;
    struct sbuf b;

    sbuf_init(&b, key, sizeof key);
    for (const char *p = label; *p; p++) {
        if (*p == ' ' || *p == '-') {
            sbuf_char(&b, '_');
        } else if (*p != '.') {
            sbuf_char(&b, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
        }
    }
    row = doc_object(doc_object(c->doc, server), key);
    doc_text(row, "status", word);
    doc_text(row, "hint", redact(hint ? hint : "", safe, sizeof safe));
}

void console_result(struct console *c, const char *server, const char *label,
                    enum console_status status, const char *hint)
{
    const char *word = status == RESULT_OK ? "OK" : "FAILED";
    const char *color = status == RESULT_OK ? GREEN : RED;
    char text[LINE_CAP], safe[LINE_CAP] = "";

    if (c->doc) {
        collect_result(c, server, label, word, hint);
        return;
    }
    if (c->quiet) {
        return;
    }
    if (hint) {
        str_fmt(text, sizeof text, " (%s)", hint);
        redact(text, safe, sizeof safe);
        str_tame(safe);
    }
    console_erase(c);
    fprintf(c->out, "\t%s: %s%s%s%s\n", label, c->color ? color : "", word,
            c->color ? PLAIN : "", safe);
}

bool console_close(struct console *c)
{
    bool kept = !c->doc || !doc_failed(c->doc);

    if (c->doc && kept && !c->quiet && (!c->raw || c->failed)) {
        doc_print(c->doc, 0, c->out);
    }
    c->doc = NULL;
    if (!kept) {
        fprintf(c->err, "ERROR: out of memory\n");
    }
    if (fflush(c->out) != 0 || ferror(c->out)) {
        fprintf(c->err, "ERROR: cannot write to stdout\n");
        return false;
    }
    return kept;
}

void console_erase(struct console *c)
{
    if (c->drawn) {
        fprintf(c->err, "\r\033[K");
        fflush(c->err);
        c->drawn = false;
    }
}

/* Adds a piece unless it would pass the width. */
static void piece(struct sbuf *b, int width, const char *text)
{
    if (b->len + strlen(text) < (size_t)width) {
        sbuf_add(b, text);
    }
}

/* Bytes, but in the phase "replay" microseconds of database time. */
static const char *amount(bool is_time, uint64_t n, char out[FMT_CAP])
{
    return is_time ? fmt_span(n < INT64_MAX / 1000 ? (int64_t)n * 1000 : INT64_MAX, out)
                   : fmt_bytes(n, out);
}

void progress_text(const struct progress *p, int width, char *out, size_t cap)
{
    char done[FMT_CAP], total[FMT_CAP], part[3 * FMT_CAP];
    bool is_time = strcmp(p->phase, "replay") == 0;
    struct sbuf b;

    sbuf_init(&b, out, cap);
    str_fmt(part, sizeof part, "%s", p->phase);
    piece(&b, width, part);
    amount(is_time, p->done, done);
    if (p->total) {
        uint64_t shown = p->done < p->total ? p->done : p->total;
        str_fmt(part, sizeof part, "  %s of %s  %u %%", done, amount(is_time, p->total, total),
                (unsigned)((double)shown * 100 / (double)p->total));
    } else {
        str_fmt(part, sizeof part, "  %s", done);
    }
    if (p->done || p->total) {
        piece(&b, width, part);
    }
    if (p->per_sec) {
        str_fmt(part, sizeof part, "  %s/s", amount(is_time, p->per_sec, done));
        piece(&b, width, part);
    }
    if (p->per_sec && p->total > p->done) {
        double left = (double)(p->total - p->done) / (double)p->per_sec;
        if (left < 1e9) {
            str_fmt(part, sizeof part, "  %s left", fmt_span((int64_t)(left * 1e9), total));
            piece(&b, width, part);
        }
    }
    if (p->what[0]) {
        str_fmt(part, sizeof part, "  %s", p->what);
        piece(&b, width, part);
    }
    str_tame(out);
}

void console_progress(void *ctx, const struct progress *p)
{
    struct console *c = ctx;
    int64_t now = clock_mono_ns();
    int width = sys_terminal_width(STDERR_FILENO);
    char text[512];

    if (!c->draws || c->quiet || (c->drawn_ns && now - c->drawn_ns < DRAW_NS)) {
        return;
    }
    c->drawn_ns = now;
    progress_text(p, width > 0 ? width : 80, text, sizeof text);
    fprintf(c->err, "\r%s\033[K", text);
    fflush(c->err);
    c->drawn = true;
}

bool console_confirm(struct console *c, const char *question, const char *word)
{
    char line[256];
    struct str answer;

    console_erase(c);
    fflush(c->out);
    fprintf(c->err, "%s ", question);
    fflush(c->err);
    if (!fgets(line, sizeof line, stdin)) {
        fprintf(c->err, "\n");
        return false;
    }
    answer = str_trim(str_of(line));
    return str_eq(answer, word);
}
