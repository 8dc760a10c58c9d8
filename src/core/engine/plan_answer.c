/* SPDX-License-Identifier: PostgreSQL */
#include "engine/plan_answer.h"

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
    line = ARENA_ARRAY(a, result->checks + 2, struct plan_line);
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
    return (line && add_port(a, words, out, line) && !a->failed) || arena_err(a, err);
}
