/* SPDX-License-Identifier: PostgreSQL */
/* copy_refused.c - lines of a restored postgresql.auto.conf that the server here does not take.
 *
 * The command line wins over that file, but the server reads it all the same, and gives up for a
 * setting or a value that it does not know. */
#include "engine/copy_refused.h"

#include "engine/copy_in.h"
#include "engine/restore_conf.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define SMALL_MAX ((size_t)4 * 1024 * 1024)

bool copy_read_small(struct arena *a, const char *dir, const char *rel, struct str *out,
                     struct err *err)
{
    char path[PATH_CAP];
    struct err why = {0};

    *out = STR_LIT("");
    if (!path_join(path, dir, rel, err)) {
        return false;
    }
    if (file_read(a, path, SMALL_MAX, out, &why) || why.code == ERR_MISSING) {
        return true;
    }
    *err = why;
    return false;
}

/* What the server named: a setting, or a line. */
struct refused {
    struct str key;
    uint64_t line; /* 0: all of that key */
};

/* Words "... parameter "KEY" ..." or "... line N, ...". */
static bool read_refused(struct str wrong, struct refused *out)
{
    static const char line[] = "\" line ";

    *out = (struct refused){.key = STR_LIT("")};
    if (str_take_lit(&wrong, "unrecognized configuration parameter \"") ||
        str_take_lit(&wrong, "invalid value for parameter \"")) {
        return str_split(&wrong, '"', &out->key) && out->key.n > 0;
    }
    while (wrong.n && !str_take_lit(&wrong, line)) {
        wrong = str_skip(wrong, 1);
    }
    return str_take_u64(&wrong, UINT32_MAX, &out->line) && out->line > 0;
}

const char *copy_conf_refused(struct arena *a, const char *wrong)
{
    struct refused refused;

    if (!read_refused(str_of(wrong), &refused)) {
        return NULL;
    }
    return refused.line ? arena_fmt(a, "line %" PRIu64, refused.line)
                        : arena_fmt(a, "'%.*s'", (int)refused.key.n, refused.key.p);
}

static struct str key_of(struct str line)
{
    size_t n = 0;

    line = str_trim(line);
    while (n < line.n && line.p[n] != '=' && line.p[n] != ' ' && line.p[n] != '\t' &&
           line.p[n] != '#') {
        n++;
    }
    return str_n(line.p, n);
}

static bool same_nocase(struct str a, struct str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool is_of_recovery(struct str key)
{
    return str_starts(key, "recovery_") || str_eq_nocase(key, "restore_command");
}

bool copy_conf_without(struct arena *a, struct str text, const char *wrong, struct str *out,
                       const char **told)
{
    struct str rest = text, line;
    struct refused refused;
    uint64_t number = 0;
    size_t lines = 1, cap;
    struct sbuf b;
    char *mem;

    *told = NULL;
    if (!read_refused(str_of(wrong), &refused)) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        lines += text.p[i] == '\n';
    }
    cap = text.n + lines * (sizeof CONF_MARKER + 1) + 1;
    mem = arena_alloc(a, cap);
    if (!mem) {
        return false;
    }
    sbuf_init(&b, mem, cap);
    while (str_line(&rest, &line)) {
        struct str key = key_of(line);
        bool is_it =
            refused.line ? ++number == refused.line : key.n && same_nocase(key, refused.key);

        if (is_it && key.n && !is_of_recovery(key)) {
            sbuf_add(&b, CONF_MARKER);
            *told = *told ? *told : arena_strndup(a, line.p, line.n < 200 ? line.n : 200);
        }
        sbuf_add_n(&b, line.p, line.n);
        sbuf_char(&b, '\n');
    }
    *out = str_n(mem, b.len);
    return *told != NULL && sbuf_ok(&b);
}

bool copy_take_out(const struct task *t, struct arena *a, const char *dest, const char *wrong,
                   struct err *err)
{
    const char *told;
    char path[PATH_CAP];
    struct str text;

    if (!copy_read_small(a, dest, "postgresql.auto.conf", &text, err)) {
        return false;
    }
    if (!copy_conf_without(a, text, wrong, &text, &told)) {
        return err_set(err, ERR_MISSING, "", "postgresql.auto.conf", "does not have that line");
    }
    if (!path_join(path, dest, "postgresql.auto.conf", err) || !file_replace(path, text, err)) {
        return false;
    }
    task_say(t, SAY_WARN,
             "postgresql.auto.conf: '%s' is commented out in the copy, this server does not "
             "take it (%s); starting again",
             told, wrong);
    return true;
}
