/* SPDX-License-Identifier: PostgreSQL */
#include "engine/config_queue.h"

#include "base/file.h"
#include "base/json.h"

#include <string.h>

struct reader {
    struct json j;
    struct arena *a;
    struct str text;
};

static enum json_token next(struct reader *r)
{
    enum json_token t = json_next(&r->j);

    if (t == JSON_MORE) {
        json_finish(&r->j);
        t = json_next(&r->j);
    }
    return t;
}

static bool malformed(const struct reader *r, const char *what, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Give a list of objects with texts.", "",
                   "not a list of changes: %s", r->j.why && r->j.why[0] ? r->j.why : what);
}

static const char *text_of(struct reader *r)
{
    struct str t = json_text(&r->j);

    return memchr(t.p, 0, t.n) ? NULL : arena_strndup(r->a, t.p, t.n);
}

static bool begin(struct reader *r, struct arena *a, struct str json, struct err *err)
{
    r->a = a;
    json_init(&r->j);
    json_feed(&r->j, json.p, json.n);
    return next(r) == JSON_ARRAY || malformed(r, "it does not begin with '['", err);
}

static bool finish(struct reader *r, struct err *err)
{
    return next(r) == JSON_END || malformed(r, "something follows", err);
}

static struct config_item *item_new(struct arena *a, struct config_set *set)
{
    struct config_item *i = ARENA_NEW(a, struct config_item), **at = &set->item;

    while (*at) {
        at = &(*at)->next;
    }
    *at = i;
    return i;
}

bool config_set_add(struct arena *a, struct config_set *set, const char *key, const char *value,
                    struct err *err)
{
    struct config_item *i;

    for (i = set->item; i; i = i->next) {
        if (strcmp(i->key, key) == 0) {
            i->value = value; /* of two, the later counts */
            return true;
        }
    }
    i = item_new(a, set);
    if (!i) {
        return arena_err(a, err);
    }
    i->key = key;
    i->value = value;
    return true;
}

/* A value without a structure; false: it has one, or is none. */
static bool scalar(struct reader *r, const char **out)
{
    switch (next(r)) {
    case JSON_STRING:
    case JSON_NUMBER:
        *out = text_of(r);
        return *out != NULL;
    case JSON_TRUE:
        *out = "true";
        return true;
    case JSON_FALSE:
        *out = "false";
        return true;
    case JSON_NULL:
        *out = NULL;
        return true;
    default:
        return false;
    }
}

/* A list of objects, each read by `read` into a set of its own. */
static bool read_list(struct arena *a, struct str json, struct config_set **out,
                      bool (*read)(struct reader *r, struct config_set *set, struct err *err),
                      struct err *err)
{
    struct config_set **end = out;
    struct reader r;
    enum json_token t;

    *out = NULL;
    if (!begin(&r, a, json, err)) {
        return false;
    }
    while ((t = next(&r)) == JSON_OBJECT) {
        struct config_set *set = ARENA_NEW(a, struct config_set);

        if (!set) {
            return arena_err(a, err);
        }
        *end = set;
        end = &set->next;
        if (!read(&r, set, err)) {
            return false;
        }
    }
    return t == JSON_ARRAY_END ? finish(&r, err)
                               : malformed(&r, "an item that is no object", err);
}

static bool read_wish(struct reader *r, struct config_set *set, struct err *err)
{
    enum json_token t;

    while ((t = next(r)) == JSON_KEY) {
        const char *key = text_of(r), *value;

        if (!key || !scalar(r, &value)) {
            return malformed(r, "a value that is no text", err);
        }
        if (!config_set_add(r->a, set, key, value, err)) {
            return false;
        }
    }
    return t == JSON_OBJECT_END || malformed(r, "an object without its end", err);
}

bool config_update_parse(struct arena *a, struct str json, struct config_set **out,
                         struct err *err)
{
    return read_list(a, json, out, read_wish, err);
}

/* ---- the queue ---- */

static bool read_change(struct reader *r, struct config_set *set, struct err *err)
{
    struct config_item *i = item_new(r->a, set);
    enum json_token t;

    if (!i) {
        return arena_err(r->a, err);
    }
    while ((t = next(r)) == JSON_KEY) {
        const char *key = text_of(r), *value;

        if (!key || !scalar(r, &value) || !value) {
            return malformed(r, "a value that is no text", err);
        }
        if (strcmp(key, "key") == 0) {
            i->key = value;
        } else if (strcmp(key, "value") == 0) {
            i->value = value;
        } else if (strcmp(key, "config_file") == 0) {
            i->file = value;
        }
    }
    return (t == JSON_OBJECT_END && i->key && i->value && i->file) ||
           malformed(r, "a change without key, value or config_file", err);
}

static bool read_changes(struct reader *r, struct config_set *set, struct err *err)
{
    enum json_token t;

    if (next(r) != JSON_ARRAY) {
        return malformed(r, "changes_set is no list", err);
    }
    while ((t = next(r)) == JSON_OBJECT) {
        if (!read_change(r, set, err)) {
            return false;
        }
    }
    return t == JSON_ARRAY_END || malformed(r, "a change that is no object", err);
}

static bool read_set(struct reader *r, struct config_set *set, struct err *err)
{
    enum json_token t;

    while ((t = next(r)) == JSON_KEY) {
        const char *key = text_of(r);
        bool ok = key != NULL;

        if (ok && strcmp(key, "changes_set") == 0) {
            if (!read_changes(r, set, err)) {
                return false;
            }
        } else {
            ok = ok && strcmp(key, "section") == 0 && scalar(r, &set->section);
        }
        if (!ok) {
            return malformed(r, "neither section nor changes_set", err);
        }
    }
    return (t == JSON_OBJECT_END && set->section) || malformed(r, "no section", err);
}

bool config_queue_parse(struct arena *a, struct str json, struct config_set **out,
                        struct err *err)
{
    return read_list(a, json, out, read_set, err);
}

bool config_queue_load(const struct task *t, const char *path, struct arena *a,
                       struct config_set **out, struct err *err)
{
    char aside[PATH_CAP];
    struct err why = {0};
    struct str text;

    *out = NULL;
    if (!file_read(a, path, CONFIG_QUEUE_MAX, &text, &why)) {
        if (why.code == ERR_MISSING) {
            return true;
        }
        *err = why;
        return false;
    }
    if (str_trim(text).n == 0 || config_queue_parse(a, text, out, &why)) {
        return true;
    }
    *out = NULL;
    task_say(t, SAY_WARN, "Malformed or empty configuration change queue: %s (%s)", path,
             why.why);
    return (str_fmt(aside, sizeof aside, "%s.malformed", path) ||
            err_set(err, ERR_FORMAT, "", path, "path is too long")) &&
           file_rename(path, aside, err);
}

static void put_member(struct sbuf *b, const char *key, const char *value, const char *end)
{
    sbuf_fmt(b, "        \"%s\": ", key);
    json_put(b, str_of(value));
    sbuf_add(b, end);
}

static void put_set(struct sbuf *b, const struct config_set *s)
{
    sbuf_add(b, "  {\n    \"section\": ");
    json_put(b, str_of(s->section));
    sbuf_add(b, s->item ? ",\n    \"changes_set\": [\n" : ",\n    \"changes_set\": [");
    for (const struct config_item *i = s->item; i; i = i->next) {
        sbuf_add(b, "      {\n");
        put_member(b, "key", i->key, ",\n");
        put_member(b, "value", i->value, ",\n");
        put_member(b, "config_file", i->file, "\n      }");
        sbuf_add(b, i->next ? ",\n" : "\n    ");
    }
    sbuf_add(b, s->next ? "]\n  },\n" : "]\n  }\n");
}

/* As Python's json.dump(indent=2) writes it. */
static void put_queue(struct sbuf *b, const void *what)
{
    const struct config_set *first = what;

    sbuf_add(b, first ? "[\n" : "[");
    for (const struct config_set *s = first; s; s = s->next) {
        put_set(b, s);
    }
    sbuf_char(b, ']');
}

bool config_queue_save(const char *path, const struct config_set *first, struct err *err)
{
    return file_print(path, CONFIG_QUEUE_MAX, put_queue, first, err);
}
