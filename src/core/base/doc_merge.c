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

/* Of an item: none. */
static const char *key_of(const struct merge *m)
{
    return m->level[m->depth].is_array ? NULL : m->key;
}

static void open_level(struct merge *m, struct doc *top, bool is_array)
{
    struct doc *d = top;

    if (m->depth >= 0) {
        struct doc *in = m->level[m->depth].at;

        d = is_array ? doc_array(in, key_of(m)) : doc_object(in, key_of(m));
    }
    m->level[++m->depth] = (struct level){d, is_array};
}

static bool wrong(const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "", "", "not the expected JSON object: %s", why);
}

/* One token; false: it cannot be taken. */
static bool take(struct merge *m, struct doc *top, enum json_token t, struct err *err)
{
    struct doc *in = m->depth < 0 ? NULL : m->level[m->depth].at;
    struct str token = json_text(&m->json);

    if (!in && t != JSON_OBJECT) {
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
        doc_text(in, key_of(m), m->text);
        return true;
    case JSON_NUMBER:
        doc_digits(in, key_of(m), m->text);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        doc_bool(in, key_of(m), t == JSON_TRUE);
        return true;
    case JSON_NULL:
        doc_null(in, key_of(m));
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
