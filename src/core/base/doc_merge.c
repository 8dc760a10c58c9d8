/* SPDX-License-Identifier: PostgreSQL */
#include "doc.h"

#include "json.h"

#include <string.h>

#define KEY_CAP 1024

struct level {
    struct doc *at;
    bool is_array;
};

struct merge {
    struct json json;
    struct level level[JSON_DEPTH_MAX + 1];
    int depth; /* of the innermost that is open; -1: none is */
    char key[KEY_CAP];
    char text[JSON_TOKEN_MAX + 8];
};

static void open_level(struct merge *m, struct doc *top, bool is_array)
{
    const struct level *in = m->depth >= 0 ? &m->level[m->depth] : NULL;
    struct doc *d = top;

    if (in && in->is_array) {
        d = is_array ? doc_add_array(in->at) : doc_add_object(in->at);
    } else if (in) {
        d = is_array ? doc_array(in->at, m->key) : doc_object(in->at, m->key);
    }
    m->level[++m->depth] = (struct level){d, is_array};
}

static void put_text(struct merge *m, const char *text)
{
    const struct level *in = &m->level[m->depth];

    if (in->is_array) {
        doc_add_text(in->at, text);
    } else {
        doc_text(in->at, m->key, text);
    }
}

static void put_digits(struct merge *m, const char *text)
{
    const struct level *in = &m->level[m->depth];

    if (in->is_array) {
        doc_add_digits(in->at, text);
    } else {
        doc_digits(in->at, m->key, text);
    }
}

static void put_bool(struct merge *m, bool yes)
{
    const struct level *in = &m->level[m->depth];

    if (in->is_array) {
        doc_add_bool(in->at, yes);
    } else {
        doc_bool(in->at, m->key, yes);
    }
}

static bool wrong(const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "", "", "not the expected JSON object: %s", why);
}

/* One token; false: it cannot be taken. */
static bool take(struct merge *m, struct doc *top, enum json_token t, struct err *err)
{
    struct str token = json_text(&m->json);

    if (m->depth < 0 && t != JSON_OBJECT) {
        return wrong("it begins with something else", err);
    }
    str_fmt(m->text, sizeof m->text, "%.*s", (int)token.n, token.p);
    switch (t) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        open_level(m, top, t == JSON_ARRAY);
        return true;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        m->depth--;
        return true;
    case JSON_KEY:
        return str_copy(m->key, sizeof m->key, m->text) || wrong("a key is too long", err);
    case JSON_STRING:
        put_text(m, m->text);
        return true;
    case JSON_NUMBER:
        put_digits(m, m->text);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        put_bool(m, t == JSON_TRUE);
        return true;
    case JSON_NULL:
        put_text(m, NULL);
        return true;
    case JSON_MORE:
    case JSON_END:
    case JSON_BAD:
        break;
    }
    return wrong(t == JSON_BAD ? m->json.why : "it ends early", err);
}

bool doc_merge(struct doc *in, struct str text, struct err *err)
{
    struct merge m = {.depth = -1};
    enum json_token t;

    json_init(&m.json);
    json_feed(&m.json, text.p, text.n);
    json_finish(&m.json);
    while ((t = json_next(&m.json)) != JSON_END) {
        if (!take(&m, in, t, err)) {
            return false;
        }
    }
    return true;
}
