/* SPDX-License-Identifier: PostgreSQL */
#include "engine/config_queue.h"

#include "harness.h"

#include <stdio.h>

static const struct row {
    const char *label, *json;
    bool queue;       /* the queue's form, otherwise what config-update is given */
    const char *want; /* "section|key=value@file,..;" for each; NULL: refused */
} rows[] = {
    {"given", "[{\"scope\": \"server\", \"a\": \"b\"}]", false, "|scope=server,a=b;"},
    {"two", "[{\"a\": \"1\"}, {\"b\": \"2\"}]", false, "|a=1;|b=2;"},
    {"none", "[]", false, ""},
    {"empty object", "[{}]", false, "|;"},
    {"numbers and truth", "[{\"a\": 1.50, \"b\": true, \"c\": false}]", false,
     "|a=1.50,b=true,c=false;"},
    {"null", "[{\"a\": null}]", false, "|a=(null);"},
    {"the later of two counts", "[{\"a\": \"1\", \"a\": \"2\"}]", false, "|a=2;"},
    {"escapes", "[{\"a\": \"\\u0041\\n\"}]", false, "|a=A\n;"},
    {"object outside", "{\"a\": \"b\"}", false, NULL},
    {"text outside", "\"a\"", false, NULL},
    {"item that is a text", "[\"a\"]", false, NULL},
    {"value that is a list", "[{\"a\": []}]", false, NULL},
    {"value that is an object", "[{\"a\": {}}]", false, NULL},
    {"a NUL", "[{\"a\": \"b\\u0000c\"}]", false, NULL},
    {"cut", "[{\"a\": \"b\"}", false, NULL},
    {"more behind", "[] []", false, NULL},
    {"nothing", "", false, NULL},
    {"single quotes", "[{'a': 'b'}]", false, NULL},
    {"queued",
     "[{\"section\": \"m\", \"changes_set\": [{\"key\": \"k\", \"value\": \"v\", "
     "\"config_file\": "
     "\"/f\"}, {\"value\": \"w\", \"key\": \"l\", \"config_file\": \"/g\"}]}]",
     true, "m|k=v@/f,l=w@/g;"},
    {"queued, no changes", "[{\"section\": \"m\", \"changes_set\": []}]", true, "m|;"},
    {"queued, changes first", "[{\"changes_set\": [], \"section\": \"m\"}]", true, "m|;"},
    {"empty queue", "[]", true, ""},
    {"queued without a section", "[{\"changes_set\": []}]", true, NULL},
    {"queued without a file",
     "[{\"section\": \"m\", \"changes_set\": [{\"key\": \"k\", \"value\": \"v\"}]}]", true,
     NULL},
    {"queued without a value",
     "[{\"section\": \"m\", \"changes_set\": [{\"key\": \"k\", \"config_file\": \"/f\"}]}]",
     true, NULL},
    {"queued, changes no list", "[{\"section\": \"m\", \"changes_set\": {}}]", true, NULL},
    {"queued, a change no object", "[{\"section\": \"m\", \"changes_set\": [1]}]", true, NULL},
    {"queued, another member", "[{\"section\": \"m\", \"x\": \"y\"}]", true, NULL},
    {"queued, section a list", "[{\"section\": [], \"changes_set\": []}]", true, NULL},
};

static void parse(void **state)
{
    const struct row *row = *state;
    struct config_set *set = NULL;
    struct err err = {0};
    struct arena a;
    char text[512];
    struct sbuf b;
    bool ok;

    arena_init(&a, 0);
    ok = row->queue ? config_queue_parse(&a, str_of(row->json), &set, &err)
                    : config_update_parse(&a, str_of(row->json), &set, &err);
    assert_int_equal(ok, row->want != NULL);
    if (!ok) {
        assert_int_equal(err.code, ERR_FORMAT);
        arena_release(&a);
        return;
    }
    sbuf_init(&b, text, sizeof text);
    for (; set; set = set->next) {
        sbuf_fmt(&b, "%s|", set->section ? set->section : "");
        for (const struct config_item *i = set->item; i; i = i->next) {
            sbuf_fmt(&b, "%s%s=%s%s%s", i == set->item ? "" : ",", i->key,
                     i->value ? i->value : "(null)", i->file ? "@" : "",
                     i->file ? i->file : "");
        }
        sbuf_add(&b, ";");
    }
    assert_string_equal(text, row->want);
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, parse))
