/* SPDX-License-Identifier: PostgreSQL */
/* Documents as Python's json.dumps(..., sort_keys=True) writes them; the expectations of the
 * texts and numbers were taken from it, but for what is no UTF-8. */
#include "base/doc.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *label;
    const char *text, *want;
} texts[] = {
    {"empty", "", "\"\""},
    {"plain", "a b~", "\"a b~\""},
    {"quote and backslash", "\"\\", "\"\\\"\\\\\""},
    {"a slash stays", "/a", "\"/a\""},
    {"named control characters", "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
    {"other control characters", "\001\037\177", "\"\\u0001\\u001f\\u007f\""},
    {"escape sequence", "\033[2J", "\"\\u001b[2J\""},
    {"umlaut", "\xc3\xbc", "\"\\u00fc\""},
    {"euro sign", "x\xe2\x82\xacy", "\"x\\u20acy\""},
    {"beyond the first plane", "\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\""},
    {"last code point", "\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\""},
    {"past the last code point", "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"a surrogate", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"too long a form of a slash", "\xc0\xaf", "\"\\ufffd\\ufffd\""},
    {"too long a form of three", "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},
    {"begun and cut by the end", "a\xe2\x82", "\"a\\ufffd\\ufffd\""},
    {"begun and cut by a letter", "\xe2\x82z", "\"\\ufffd\\ufffdz\""},
    {"continues nothing", "\x80", "\"\\ufffd\""},
    {"no byte of UTF-8", "\xff\xfe", "\"\\ufffd\\ufffd\""},
    {"null", NULL, "null"},
    {"password", "host=a PassWord=x b", "\"host=a PassWord=*REDACTED* b\""},
    {"password of a URI", "x://u:p@h", "\"x://u:*REDACTED*@h\""},
    {"passwords side by side", "://u:p@://u:p@", "\"://u:*REDACTED*@://u:*REDACTED*@\""},
};

static const char *printed(const struct doc *d, unsigned indent, struct arena *a)
{
    const char *text = doc_string(d, indent, a);

    assert_non_null(text);
    return text;
}

static void escapes(void **state)
{
    const struct {
        const char *label, *text, *want;
    } *row = *state;
    struct arena a;
    struct doc *d;

    arena_init(&a, 0);
    d = doc_new(&a);
    doc_text(d, "k", row->text);
    doc_add_text(doc_array(d, "l"), row->text);
    assert_string_equal(printed(d, 0, &a),
                        arena_fmt(&a, "{\"k\": %s, \"l\": [%s]}", row->want, row->want));
    if (row->text && !strstr(row->want, "RED")) {
        d = doc_new(&a);
        doc_int(d, row->text, 1);
        assert_string_equal(printed(d, 0, &a), arena_fmt(&a, "{%s: 1}", row->want));
    }
    arena_release(&a);
}

static const struct {
    const char *label;
    double x;
    const char *want;
} reals[] = {
    {"zero", 0, "0.0"},
    {"minus zero", -0.0, "-0.0"},
    {"one third", 1.0 / 3, "0.3333333333333333"},
    {"a tenth", 0.1, "0.1"},
    {"big", 1e16, "1e+16"},
    {"below the exponent", 123456789012345.0, "123456789012345.0"},
    {"least there is", 4.9406564584124654e-324, "5e-324"},
    {"not a number", NAN, "null"},
    {"endless", -INFINITY, "null"},
};

static void real_numbers(void **state)
{
    const struct {
        const char *label;
        double x;
        const char *want;
    } *row = *state;
    struct arena a;
    struct doc *d;

    arena_init(&a, 0);
    d = doc_new(&a);
    doc_real(d, "x", row->x);
    assert_string_equal(printed(d, 0, &a), arena_fmt(&a, "{\"x\": %s}", row->want));
    arena_release(&a);
}

static void other_values(void **state)
{
    struct arena a;
    struct doc *d, *list;

    (void)state;
    arena_init(&a, 0);
    d = doc_new(&a);
    assert_string_equal(printed(d, 0, &a), "{}");
    assert_string_equal(printed(d, 4, &a), "{}");
    doc_add_real(doc_array(d, "kinds"), 0.5);
    doc_add_bool(doc_array(d, "kinds"), false);
    assert_string_equal(printed(d, 0, &a), "{\"kinds\": [0.5, false]}");
    d = doc_new(&a);
    doc_int(d, "least", INT64_MIN);
    doc_int(d, "most", INT64_MAX);
    doc_bool(d, "yes", true);
    doc_bool(d, "no", false);
    doc_null(d, "null");
    doc_fmt(d, "fmt", "%s/%d\n%c", "a", 5, '"');
    doc_fmt(d, "pw", "%s=%s", "password", "sekret");
    list = doc_array(d, "list");
    doc_add_int(list, -1);
    doc_array(doc_add_object(list), "empty");
    doc_add_array(list);
    assert_string_equal(printed(d, 0, &a),
                        "{\"fmt\": \"a/5\\n\\\"\", \"least\": -9223372036854775808, "
                        "\"list\": [-1, {\"empty\": []}, []], "
                        "\"most\": 9223372036854775807, \"no\": false, \"null\": null, "
                        "\"pw\": \"password=*REDACTED*\", \"yes\": true}");
    arena_release(&a);
}

static void sorted_by_bytes(void **state)
{
    static const char *const keys[] = {"b", "a",        "_INFO", "B",         "aa", "",
                                       "c", "\xc3\xbc", "z",     "a\xc3\xa4", "0"};
    struct arena a;
    struct doc *d;

    (void)state;
    arena_init(&a, 0);
    d = doc_new(&a);
    for (int i = 0; i < 11; i++) {
        doc_int(d, keys[i], i);
    }
    assert_string_equal(printed(d, 0, &a),
                        "{\"\": 5, \"0\": 10, \"B\": 3, \"_INFO\": 2, \"a\": 1, \"aa\": 4, "
                        "\"a\\u00e4\": 9, \"b\": 0, \"c\": 6, \"z\": 8, \"\\u00fc\": 7}");
    arena_release(&a);
}

static void set_again(void **state)
{
    struct arena a;
    struct doc *d;

    (void)state;
    arena_init(&a, 0);
    d = doc_new(&a);
    doc_int(d, "x", 1);
    doc_text(d, "y", "t");
    doc_text(d, "x", "two");
    doc_int(doc_object(d, "y"), "in", 1);
    doc_int(doc_object(d, "y"), "also", 2);
    doc_add_int(doc_array(d, "z"), 1);
    doc_add_int(doc_array(d, "z"), 2);
    assert_string_equal(printed(d, 0, &a),
                        "{\"x\": \"two\", \"y\": {\"also\": 2, \"in\": 1}, \"z\": [1, 2]}");
    doc_null(d, "z");
    doc_array(d, "y");
    assert_string_equal(printed(d, 0, &a), "{\"x\": \"two\", \"y\": [], \"z\": null}");
    arena_release(&a);
}

static void indented(void **state)
{
    struct arena a;
    struct doc *d;

    (void)state;
    arena_init(&a, 0);
    d = doc_new(&a);
    doc_add_int(doc_array(d, "b"), 1);
    doc_add_int(doc_array(d, "b"), 2);
    doc_object(d, "c");
    doc_text(doc_object(d, "a"), "x", "y");
    assert_string_equal(printed(d, 4, &a),
                        "{\n    \"a\": {\n        \"x\": \"y\"\n    },\n    \"b\": [\n"
                        "        1,\n        2\n    ],\n    \"c\": {}\n}");
    arena_release(&a);
}

static void a_thousand_levels(void **state)
{
    char want[4096], *at = want;
    struct arena a;
    struct doc *d, *in;

    (void)state;
    arena_init(&a, 0);
    in = doc_array(d = doc_new(&a), "x");
    for (int i = 0; i < 999; i++) {
        in = doc_add_array(in);
    }
    memcpy(at, "{\"x\": ", 6);
    memset(at + 6, '[', 1000);
    memset(at + 1006, ']', 1000);
    memcpy(at + 2006, "}", 2);
    assert_string_equal(printed(d, 0, &a), want);
    arena_release(&a);
}

static void fill(struct doc *d)
{
    struct doc *in = doc_object(d, "object");

    doc_text(in, "text", "some text");
    doc_fmt(in, "fmt", "%d", 5);
    doc_int(in, "n", 1);
    doc_real(in, "x", 1);
    doc_bool(in, "b", true);
    doc_null(in, "null");
    in = doc_array(doc_object(d, "other"), "list");
    doc_add_text(in, "a");
    doc_add_int(in, 1);
    doc_int(doc_add_object(doc_add_array(in)), "deep", 1);
}

/* However early memory ends, building goes on and the end tells. */
static void refused_memory(void **state)
{
    bool whole = false;

    (void)state;
    for (size_t max = 0; max < 8192 && !whole; max += 16) {
        struct arena a, b;
        struct doc *d;

        arena_init(&a, max + 1);
        arena_init(&b, 0);
        d = doc_new(&a);
        fill(d);
        whole = !doc_failed(d);
        if (whole) {
            assert_non_null(doc_string(d, 0, &b));
        } else {
            assert_null(doc_string(d, 0, &b));
        }
        arena_release(&a);
        arena_release(&b);
    }
    assert_true(whole);
}

/* One document's failure is not another's. */
static void failures_do_not_spread(void **state)
{
    struct arena small, a;
    struct doc *d;

    (void)state;
    arena_init(&small, 1);
    arena_init(&a, 0);
    assert_true(doc_failed(doc_new(&small)));
    d = doc_new(&a);
    fill(d);
    assert_false(doc_failed(d));
    assert_true(doc_failed(doc_new(&small)));
    arena_release(&small);
    arena_release(&a);
}

static const struct merge_row {
    const char *label;
    const char *before, *text; /* laid over it */
    const char *want;          /* NULL: refused */
} merges[] = {
    {"nothing over nothing", "{}", "{}", "{}"},
    {"into nothing", "{}", "{\"b\": 1, \"a\": \"x\"}", "{\"a\": \"x\", \"b\": 1}"},
    {"other members", "{\"a\": 1}", "{\"b\": 2}", "{\"a\": 1, \"b\": 2}"},
    {"the same member", "{\"a\": 1}", "{\"a\": \"y\"}", "{\"a\": \"y\"}"},
    {"objects come together", "{\"a\": {\"x\": 1, \"z\": 0}}", "{\"a\": {\"y\": 2, \"z\": 3}}",
     "{\"a\": {\"x\": 1, \"y\": 2, \"z\": 3}}"},
    {"arrays one behind the other", "{\"_INFO\": [\"a\"]}", "{\"_INFO\": [\"b\", \"c\"]}",
     "{\"_INFO\": [\"a\", \"b\", \"c\"]}"},
    {"an object in the place of a number", "{\"a\": 1}", "{\"a\": {}}", "{\"a\": {}}"},
    {"numbers as they are", "{}", "{\"a\": -0.10, \"b\": 1e+22, \"c\": 123456789012345678901}",
     "{\"a\": -0.10, \"b\": 1e+22, \"c\": 123456789012345678901}"},
    {"words", "{}", "{\"a\": true, \"b\": false, \"c\": null}",
     "{\"a\": true, \"b\": false, \"c\": null}"},
    {"everything in an array", "{}", "{\"a\": [1, \"x\", true, null, [2], {\"k\": []}]}",
     "{\"a\": [1, \"x\", true, null, [2], {\"k\": []}]}"},
    {"escapes", "{}", "{\"\\u00fc\": \"\\ud83d\\ude00\\n\"}",
     "{\"\\u00fc\": \"\\ud83d\\ude00\\n\"}"},
    {"nothing at all", "{}", "", NULL},
    {"cut", "{}", "{\"a\": [1", NULL},
    {"an array", "{}", "[1]", NULL},
    {"a text", "{}", "\"a\"", NULL},
    {"two objects", "{}", "{}{}", NULL},
    {"no JSON", "{}", "{a: 1}", NULL},
};

static void merging(void **state)
{
    const struct merge_row *row = *state;
    struct err err = {0};
    struct arena a;
    struct doc *d;

    arena_init(&a, 0);
    d = doc_new(&a);
    assert_true(doc_merge(d, str_of(row->before), &err));
    assert_int_equal(doc_merge(d, str_of(row->text), &err), row->want != NULL);
    if (row->want) {
        assert_string_equal(printed(d, 0, &a), row->want);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
    }
    arena_release(&a);
}

TEST_MAIN(ROWS(merges, merging), ROWS(texts, escapes), ROWS(reals, real_numbers),
          ONE(other_values), ONE(sorted_by_bytes), ONE(set_again), ONE(indented),
          ONE(a_thousand_levels), ONE(refused_memory), ONE(failures_do_not_spread))
