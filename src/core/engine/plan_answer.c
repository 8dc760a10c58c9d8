/* SPDX-License-Identifier: PostgreSQL */
#include "engine/plan_answer.h"

#include "base/file.h"
#include "engine/copy_in.h"
#include "engine/copy_refused.h"
#include "engine/restore_conf.h"
#include "engine/restore_words.h"
#include "plan/restore.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static enum plan_verdict verdict_of(enum verdict v)
{
    switch (v) {
    case VERDICT_OK:
        return PLAN_OK;
    case VERDICT_WARN:
        return PLAN_WARN;
    case VERDICT_REFUSED:
        break;
    }
    return PLAN_REFUSED;
}

/* By what a server does with it. What cannot be told is left to the start. */
static bool is_taken(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    bool taken;

    if (fd < 0) {
        return false;
    }
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    taken = bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 && errno == EADDRINUSE;
    taken = taken || (listen(fd, 1) != 0 && errno == EADDRINUSE);
    close(fd);
    return taken;
}

/* Of the copy that is started when the restore has ended. */
static bool add_port(struct arena *a, const struct restore_words *words,
                     struct answer_plan *out, struct plan_line *line)
{
    bool taken;

    if (words->where != WHERE_COPY || !words->port) {
        return true;
    }
    taken = is_taken(words->port);
    out->holds = out->holds && !taken;
    line[out->lines++] = (struct plan_line){
        "port", taken ? PLAN_REFUSED : PLAN_OK,
        arena_fmt(a, "port %u on 127.0.0.1 is %s", words->port, taken ? "taken" : "free"),
        taken ? "Choose another port in step 2, or none: its socket is enough." : ""};
    return line[out->lines - 1].sentence != NULL;
}

/* A file that cannot be read is no reason to refuse: the start tells. */
static struct str read_conf(struct arena *a, const char *path)
{
    struct err ignored = {0};
    struct str text = STR_LIT("");

    return path && file_read(a, path, CONF_FILE_MAX, &text, &ignored) ? text : STR_LIT("");
}

/* As initdb makes it, it is a comment. */
static bool says_something(struct str conf)
{
    struct str line;

    while (str_line(&conf, &line)) {
        line = str_trim(line);
        if (line.n && line.p[0] != '#') {
            return true;
        }
    }
    return false;
}

/* postgresql.auto.conf goes along into the copy, and a server gives up for a line in it that it
 * does not know. The start takes such lines out; here it is said before. */
static bool add_refused(const struct task *t, struct arena *a, const struct restore_result *r,
                        struct str conf, struct answer_plan *out, struct plan_line *line)
{
    int major = r->version / 10000;
    const char *binaries = says_something(conf) ? copy_binaries(a, major) : NULL;
    const char *names = NULL;
    bool asked = false;
    size_t n = 0;

    if (binaries) {
        names = copy_foresee(t, a, binaries, conf, &n, &asked);
    }
    if (!asked) {
        return true;
    }
    line[out->lines++] =
        names ? (struct plan_line){"settings", PLAN_WARN,
                                   arena_fmt(a,
                                             "the PostgreSQL %d here does not take %zu "
                                             "setting%s of postgresql.auto.conf: %s",
                                             major, n, n == 1 ? "" : "s", names),
                                   n == 1 ? "That line is commented out in the copy when it is "
                                            "started."
                                          : "Those lines are commented out in the copy when it "
                                            "is started."}
              : (struct plan_line){"settings", PLAN_OK,
                                   arena_fmt(a,
                                             "postgresql.auto.conf is taken by the "
                                             "PostgreSQL %d here",
                                             major),
                                   ""};
    return line[out->lines - 1].sentence != NULL;
}

static bool add_libraries(struct arena *a, struct str conf, struct str auto_conf,
                          struct answer_plan *out, struct plan_line *line)
{
    static const char key[] = "shared_preload_libraries";
    const char *value = copy_conf_value(a, auto_conf, key);

    value = value ? value : copy_conf_value(a, conf, key);
    if (!value || !value[0]) {
        return true;
    }
    line[out->lines++] = (struct plan_line){
        "settings", PLAN_WARN,
        arena_fmt(a, "%s names %s: the copy is started without", key, value),
        "What they provide is not there while you look at the copy; its files keep the "
        "setting."};
    return line[out->lines - 1].sentence != NULL;
}

static bool add_settings(const struct task *t, struct arena *a,
                         const struct restore_words *words, const struct restore_result *r,
                         struct answer_plan *out, struct plan_line *line)
{
    struct str auto_conf;

    if (words->where != WHERE_COPY || !r->holds) {
        return true;
    }
    auto_conf = read_conf(a, r->auto_conf);
    return add_refused(t, a, r, auto_conf, out, line) &&
           add_libraries(a, read_conf(a, r->conf), auto_conf, out, line);
}

bool engine_plan(const struct task *t, const struct restore_words *words,
                 const struct restore_request *who, struct arena *a, struct answer_plan *out,
                 struct err *err)
{
    struct restore_request *request = ARENA_NEW(a, struct restore_request);
    struct restore_result *result = ARENA_NEW(a, struct restore_result);
    struct plan_line *line;

    if (!request || !result) {
        return arena_err(a, err);
    }
    if (!restore_words_read(a, words, who, request, err)) {
        return false;
    }
    request->dry_run = true;
    request->is_silent = true;
    if (!engine_restore(t, a, request, result, err)) {
        return false;
    }
    line = ARENA_ARRAY(a, result->checks + 4, struct plan_line);
    for (size_t i = 0; line && i < result->checks; i++) {
        const struct restore_check *c = &result->check[i];
        line[i] = (struct plan_line){c->id, verdict_of(c->verdict), c->sentence, c->hint};
    }
    *out = (struct answer_plan){
        .holds = result->holds,
        .line = line,
        .lines = result->checks,
        .backup_id = result->backup_id,
        .tli = result->tli,
        .bytes = result->bytes,
        .segments = result->segments,
        .replay_from_us = result->replay_from_us,
        .replay_to_us = result->replay_to_us,
    };
    return (line && add_port(a, words, out, line) &&
            add_settings(t, a, words, result, out, line) && !a->failed) ||
           arena_err(a, err);
}
