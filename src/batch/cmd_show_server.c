/* SPDX-License-Identifier: PostgreSQL */
/* show-servers: everything that is known of servers. */
#include "session.h"

#include "base/doc.h"
#include "engine/server_facts.h"

#include <string.h>

struct showing {
    struct session *s;
    const struct server_cfg *srv;
    const struct repo *repo;
    struct server_facts *facts;
};

static bool read_all(const struct task *task, void *arg, struct err *err)
{
    struct showing *w = arg;
    struct arena *a = &w->s->arena;

    return facts_of_config(w->srv, a, w->facts, err) &&
           facts_of_server(task, w->srv, a, w->facts, err) &&
           facts_of_age(w->repo, w->srv, a, w->facts, err);
}

static void put_list(struct doc *in, const char *key, const struct server_fact *f)
{
    struct doc *list = doc_array(in, key);

    for (size_t i = 0; i < f->listed; i++) {
        doc_add_text(list, f->list[i]);
    }
}

/* As show-servers has it: what JSON has no kind for is text as on the console. */
static void show_value(struct doc *in, const struct server_fact *f)
{
    char text[FACT_CAP];

    switch (f->kind) {
    case FACT_NONE:
        doc_null(in, f->key);
        break;
    case FACT_NUMBER:
        doc_int(in, f->key, f->number);
        break;
    case FACT_TRUTH:
        doc_bool(in, f->key, f->number != 0);
        break;
    case FACT_LIST:
        put_list(in, f->key, f);
        break;
    default:
        doc_text(in, f->key, server_fact_str(f, text, sizeof text));
        break;
    }
}

static const char *suffix_of(const struct server_cfg *srv)
{
    if (!srv->active) {
        return " (inactive)";
    }
    return srv->disabled ? " (WARNING: disabled)" : "";
}

static void show(const struct showing *w)
{
    struct doc *doc = w->s->console.doc ? doc_object(w->s->console.doc, w->srv->name) : NULL;
    const char *suffix = suffix_of(w->srv);
    char text[FACT_CAP];

    if (!doc) {
        console_say(&w->s->console, SAY_OUT, "Server %s%s:", w->srv->name, suffix);
    }
    for (size_t i = 0; i < w->facts->n; i++) {
        const struct server_fact *f = &w->facts->fact[i];

        if (!doc) {
            console_say(&w->s->console, SAY_OUT, "\t%s: %s", f->key,
                        server_fact_str(f, text, sizeof text));
        } else if (f->kind != FACT_NONE || strcmp(f->key, "description") != 0 || !*suffix) {
            show_value(doc, f);
        } else {
            doc_text(doc, f->key, suffix + 1); /* Barman says it there */
        }
    }
}

static void add_truth(struct server_facts *f, const char *key, bool is)
{
    f->fact[f->n++] = (struct server_fact){.key = key, .kind = FACT_TRUTH, .number = is};
}

static void add_text(struct server_facts *f, const char *key, const char *text)
{
    f->fact[f->n++] =
        (struct server_fact){.key = key, .kind = text ? FACT_TEXT : FACT_NONE, .text = text};
}

void run_show_servers(struct session *s, const struct server_cfg *srv)
{
    struct arena_mark mark = arena_mark(&s->arena);
    struct server_facts *facts = ARENA_NEW(&s->arena, struct server_facts);
    struct repo repo;
    struct showing w = {s, srv, &repo, facts};
    struct session_verb verb = {SESSION_LOOKS, srv, read_all, &w};
    struct err err;

    if (!facts) {
        (void)arena_err(&s->arena, &err);
        session_fail(s, &err);
    } else if (session_repo(s, srv, &repo) && session_job(s, &verb)) {
        add_text(facts, "active_model", srv->active_model);
        add_truth(facts, "passive_node", server_cfg_passive(srv));
        server_fact_sort(facts);
        show(&w);
    }
    arena_reset(&s->arena, mark);
}
