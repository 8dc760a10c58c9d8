/* SPDX-License-Identifier: PostgreSQL */
/* Several servers side by side. A child prints as if it were alone; with a document or for
 * Nagios what it prints is not for people but for this process, which puts it together. */
#include "session.h"

#include "base/doc.h"
#include "workers/abreast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct servers {
    struct session *s;
    const char *const *name;
    char *text; /* what a child printed for us to put together, so far */
    size_t n;
    FILE *collects; /* into text; NULL: nothing came yet */
};

static int in_child(void *arg, size_t i)
{
    struct servers *servers = arg;
    struct session *s = servers->s;
    int status;

    s->console.draws = s->console.asks = s->console.failed = false;
    s->status = 0;
    if (s->console.doc) {
        s->console.doc = doc_new(&s->said);
    }
    session_run_one(s, servers->name[i]);
    status = s->console.failed && !s->status ? 1 : s->status;
    if (s->nagios) {
        nagios_send(s->nagios, s->console.out);
        s->console.doc = NULL;
    }
    return console_close(&s->console) || status ? status : 1;
}

static void on_output(void *arg, size_t i, enum abreast_stream stream, const char *p, size_t n)
{
    struct servers *servers = arg;
    struct console *c = &servers->s->console;

    (void)i;
    if (stream == ABREAST_ERR) {
        fflush(c->out);
        fwrite(p, 1, n, c->err);
        return;
    }
    if (!c->doc) {
        fwrite(p, 1, n, c->out);
        fflush(c->out);
        return;
    }
    if (!servers->collects) {
        servers->collects = open_memstream(&servers->text, &servers->n);
    }
    if (servers->collects) {
        fwrite(p, 1, n, servers->collects);
    }
}

/* Close what was collected; false: nothing, or not all of it. */
static bool collected(struct servers *servers)
{
    bool ok = servers->collects && fclose(servers->collects) == 0;

    servers->collects = NULL;
    return ok;
}

static void stream_free(char *text)
{
    free(text);
}

static void discard(struct servers *servers)
{
    collected(servers);
    stream_free(servers->text);
    servers->text = NULL;
}

static bool put_together(struct servers *servers, struct err *err)
{
    struct session *s = servers->s;
    struct str text;
    bool ok;

    if (!servers->collects) {
        return true; /* --quiet */
    }
    ok = collected(servers);
    text = str_n(servers->text, servers->n);
    if (!ok) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
    } else if (s->nagios) {
        ok = nagios_receive(s->nagios, &s->arena, text, err);
    } else {
        ok = doc_merge(s->console.doc, text, err);
    }
    return ok;
}

static void on_end(void *arg, size_t i, struct abreast_end end)
{
    struct servers *servers = arg;
    struct session *s = servers->s;
    struct err err;

    if (!end.signal && !put_together(servers, &err)) {
        err_wrap(&err, "report of %s", servers->name[i]);
        session_fail(s, &err);
    }
    if (end.signal) {
        console_say(&s->console, SAY_ERROR, "Process for server '%s' ended by signal %d",
                    servers->name[i], end.signal);
    }
    discard(servers);
    s->status = end.status > s->status ? end.status : s->status;
}

void session_run_abreast(struct session *s, const char *const *server, size_t n)
{
    struct servers servers = {.s = s, .name = server};
    struct abreast_spec spec = {.n = n,
                                .most = s->args.command->abreast,
                                .writes = s->args.command->abreast == AT_WORK,
                                .child = in_child,
                                .output = on_output,
                                .ended = on_end,
                                .arg = &servers};
    struct err err;

    if (!abreast_run(&spec, &err)) {
        session_fail(s, &err);
    }
    discard(&servers);
}
