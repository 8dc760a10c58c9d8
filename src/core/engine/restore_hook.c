/* SPDX-License-Identifier: PostgreSQL */
#include "base/json.h"
#include "engine/restore_run.h"

#include <stdlib.h>
#include <string.h>

#define JSON_CAP 16384

struct pair {
    const char *key, *text; /* text NULL: left out */
    enum { PAIR_TEXT, PAIR_BARE } kind;
};

/* {"key": "text", "key": true}, keys sorted, as Python prints it; "" when there is nothing. */
static const char *object(struct arena *a, const struct pair *pair, size_t n, struct err *err)
{
    char *mem = arena_alloc(a, JSON_CAP);
    struct sbuf b;
    bool any = false;

    if (!mem) {
        arena_err(a, err);
        return NULL;
    }
    sbuf_init(&b, mem, JSON_CAP);
    for (size_t i = 0; i < n; i++) {
        if (!pair[i].text || !*pair[i].text) {
            continue;
        }
        sbuf_add(&b, any ? ", " : "{");
        json_put(&b, str_of(pair[i].key));
        sbuf_add(&b, ": ");
        if (pair[i].kind == PAIR_TEXT) {
            json_put(&b, str_of(pair[i].text));
        } else {
            sbuf_add(&b, pair[i].text);
        }
        any = true;
    }
    sbuf_add(&b, any ? "}" : "");
    if (!sbuf_ok(&b)) {
        err_set(err, ERR_FORMAT, "", "", "too much for a variable of the recovery scripts");
        return NULL;
    }
    return mem;
}

static int by_key(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;

    return strcmp(a->key, b->key);
}

static const char *tablespaces(const struct restore_run *r, struct err *err)
{
    struct pair *pair = ARENA_ARRAY(r->a, r->req->relocations + 1, struct pair);

    if (!pair) {
        arena_err(r->a, err);
        return NULL;
    }
    for (size_t i = 0; i < r->req->relocations; i++) {
        pair[i] = (struct pair){r->req->relocation[i].name, r->req->relocation[i].location,
                                PAIR_TEXT};
    }
    qsort(pair, r->req->relocations, sizeof *pair, by_key);
    return object(r->a, pair, r->req->relocations, err);
}

static const char *options(const struct restore_run *r, struct err *err)
{
    const struct target_words *t = &r->req->target;
    uint64_t tli;
    const struct pair pair[] = {
        {"exclusive", t->side == TARGET_EXCLUSIVE ? "true" : NULL, PAIR_BARE},
        {"recovery_conf_filename", r->req->recovery_conf_filename, PAIR_TEXT},
        {"recovery_option_port", r->req->recovery_option_port, PAIR_TEXT},
        {"standby_mode", r->req->standby_mode ? "true" : NULL, PAIR_BARE},
        {"target_action", t->action, PAIR_TEXT},
        {"target_immediate", t->immediate ? "true" : NULL, PAIR_BARE},
        {"target_lsn", t->lsn, PAIR_TEXT},
        {"target_name", t->name, PAIR_TEXT},
        {"target_time", t->time, PAIR_TEXT},
        {"target_tli", t->timeline,
         str_u64(str_of(t->timeline), UINT32_MAX, &tli) ? PAIR_BARE : PAIR_TEXT},
        {"target_xid", t->xid, PAIR_TEXT},
    };

    return object(r->a, pair, sizeof pair / sizeof pair[0], err);
}

bool restore_hook_before(struct restore_run *r, struct err *err)
{
    const char *map, *more;

    if (!hook_any(r->req->server, HOOK_RECOVERY)) {
        return true;
    }
    hook_init(&r->hook, r->task, r->req->server, HOOK_RECOVERY);
    map = tablespaces(r, err);
    more = map ? options(r, err) : NULL;
    if (!more || !hook_env_backup(&r->hook, r->a, &r->repo, r->backup, err)) {
        return false;
    }
    hook_env_add(&r->hook, "BARMAN_DESTINATION_DIRECTORY", r->dest);
    hook_env_add(&r->hook, "BARMAN_TABLESPACES", map);
    hook_env_add(&r->hook, "BARMAN_REMOTE_COMMAND", "");
    hook_env_add(&r->hook, "BARMAN_RECOVER_OPTIONS", more);
    r->hooked = hook_before(&r->hook, err);
    return r->hooked;
}

void restore_hook_after(struct restore_run *r, bool ok, const struct err *err)
{
    if (r->hooked) {
        hook_after_err(&r->hook, ok, err);
    }
}
