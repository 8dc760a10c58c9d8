/* SPDX-License-Identifier: PostgreSQL */
/* Expected texts are what Python 3 prints for ast.literal_eval() and repr(). */
#include "harness.h"

#include "base/doc.h"
#include "repo/pylit.h"

static const struct text_row {
    const char *label;
    const char *literal;
    const char *text; /* NULL: refused */
    const char *back; /* repr(); NULL: the literal itself */
} text_rows[] = {
    {"plain", "'abc'", "abc", NULL},
    {"empty", "''", "", NULL},
    {"newline", "'a\\nb'", "a\nb", NULL},
    {"tab and backslash", "'a\\tb\\\\'", "a\tb\\", NULL},
    {"double quotes", "\"it's\"", "it's", NULL},
    {"both quotes", "'it\\'s \"so\"'", "it's \"so\"", NULL},
    {"only a double quote", "'say \"hi\"'", "say \"hi\"", NULL},
    {"hex", "'\\x41'", "A", "'A'"},
    {"control character", "'\\x01'", "\x01", NULL},
    {"four digits", "'\\u20ac'", "\xe2\x82\xac", "'\xe2\x82\xac'"},
    {"eight digits", "'\\U0001f600'", "\xf0\x9f\x98\x80", "'\xf0\x9f\x98\x80'"},
    {"UTF-8 as it is", "'\xc3\xbc'", "\xc3\xbc", NULL},

    {"no quotes", "abc", NULL, NULL},
    {"no end", "'abc", NULL, NULL},
    {"other end", "'abc\"", NULL, NULL},
    {"something after", "'abc'x", NULL, NULL},
    {"ends in a backslash", "'abc\\", NULL, NULL},
    {"unknown escape", "'\\q'", NULL, NULL},
    {"cut hex", "'\\x4'", NULL, NULL},
    {"not hex", "'\\xzz'", NULL, NULL},
    {"NUL", "'\\x00'", NULL, NULL},
    {"half of a pair", "'\\ud800'", NULL, NULL},
    {"beyond Unicode", "'\\U00110000'", NULL, NULL},
    {"nothing", "", NULL, NULL},
    {"one quote", "'", NULL, NULL},
};

static void check_text(void **state)
{
    const struct text_row *row = *state;
    const char *text = NULL;
    struct arena a;
    struct sbuf b;
    char mem[256];

    arena_init(&a, 0);
    assert_int_equal(pylit_text(&a, str_of(row->literal), &text), row->text != NULL);
    if (row->text) {
        assert_string_equal(text, row->text);
        sbuf_init(&b, mem, sizeof mem);
        pylit_put_text(&b, text);
        assert_string_equal(mem, row->back ? row->back : row->literal);
    }
    arena_release(&a);
}

static const struct spaces_row {
    const char *label;
    const char *literal;
    bool ok;
    size_t n;
    uint32_t oid;     /* of the last */
    const char *name; /* of the last */
    const char *location;
} spaces_rows[] = {
    {"none", "[]", true, 0, 0, NULL, NULL},
    {"one", "[('tbs1', 16384, '/srv/tbs1')]", true, 1, 16384, "tbs1", "/srv/tbs1"},
    {"two", "[('a', 1, '/a'), ('b c', 4294967295, '/it\\'s')]", true, 2, 4294967295u, "b c",
     "/it's"},
    {"comma at the end", "[('a', 1, '/a'),]", true, 1, 1, "a", "/a"},
    {"lists inside", "[['a', 1, '/a']]", true, 1, 1, "a", "/a"},
    {"no brackets", "('a', 1, '/a')", false, 0, 0, NULL, NULL},
    {"oid too large", "[('a', 4294967296, '/a')]", false, 0, 0, NULL, NULL},
    {"oid as text", "[('a', '1', '/a')]", false, 0, 0, NULL, NULL},
    {"two members", "[('a', 1)]", false, 0, 0, NULL, NULL},
    {"four members", "[('a', 1, '/a', 2)]", false, 0, 0, NULL, NULL},
    {"not closed", "[('a', 1, '/a')", false, 0, 0, NULL, NULL},
    {"tuple not closed", "[('a', 1, '/a']", false, 0, 0, NULL, NULL},
    {"something after", "[('a', 1, '/a')] x", false, 0, 0, NULL, NULL},
};

static void check_spaces(void **state)
{
    const struct spaces_row *row = *state;
    const struct tablespace *t = NULL;
    struct arena a;
    size_t n = 0;

    arena_init(&a, 0);
    assert_int_equal(pylit_tablespaces(&a, str_of(row->literal), &t, &n), row->ok);
    if (row->ok) {
        assert_int_equal(n, row->n);
    }
    if (row->ok && n) {
        assert_string_equal(t[n - 1].name, row->name);
        assert_string_equal(t[n - 1].location, row->location);
        assert_int_equal(t[n - 1].oid, row->oid);
    }
    arena_release(&a);
}

#define STATS                                                                                  \
    "{'total_time': 0.532482, 'number_of_workers': 2, 'analysis_time_per_item': {'tbs1': "     \
    "0.091814, 'copy_time': 9}, 'copy_time': 1.5e-05}"

static const struct number_row {
    const char *label;
    const char *dict;
    const char *key;
    double value; /* < 0: not found */
} number_rows[] = {
    {"fraction", STATS, "total_time", 0.532482},
    {"whole", STATS, "number_of_workers", 2},
    {"outer, not inner", STATS, "copy_time", 1.5e-05},
    {"only inside", STATS, "tbs1", -1},
    {"not a number", STATS, "analysis_time_per_item", -1},
    {"not there", STATS, "other", -1},
    {"not a dictionary", "[1]", "a", -1},
    {"empty dictionary", "{}", "a", -1},
    {"no colon", "{'a' 1}", "a", -1},
    {"never closed", "{'b': 1", "a", -1},
};

static void check_number(void **state)
{
    const struct number_row *row = *state;
    double v = -1;

    assert_int_equal(pylit_number(str_of(row->dict), row->key, &v), row->value >= 0);
    if (row->value >= 0) {
        assert_true(v > row->value * 0.999999 && v < row->value * 1.000001);
    }
}

static const struct ok_row {
    const char *label;
    const char *literal;
    bool ok;
} ok_rows[] = {
    {"stats", STATS, true},
    {"list of texts", "['a', \"b\"]", true},
    {"constants", "[None, True, False, -1, 2.5]", true},
    {"sixteen deep", "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]", true},
    {"too deep", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", false},
    {"call", "__import__('os')", false},
    {"empty", "", false},
    {"dictionary without values", "{'a'}", false},
    {"two values", "1 2", false},
};

static void check_ok(void **state)
{
    const struct ok_row *row = *state;

    assert_int_equal(pylit_ok(str_of(row->literal)), row->ok);
}

static void lists_there_and_back(void **state)
{
    static const char literal[] = "['/etc/postgresql/a.conf', \"/it's\", '']";
    struct names list = {0};
    struct arena a;
    struct sbuf b;
    char mem[256];

    (void)state;
    arena_init(&a, 0);
    assert_true(pylit_list(&a, str_of(literal), &list));
    assert_int_equal(list.n, 3);
    assert_string_equal(list.name[1], "/it's");
    sbuf_init(&b, mem, sizeof mem);
    pylit_put_list(&b, &list);
    assert_string_equal(mem, literal);
    assert_false(pylit_list(&a, str_of("['a' 'b']"), &list));
    assert_false(pylit_list(&a, str_of("['a', 1]"), &list));
    assert_false(pylit_list(&a, str_of("['a'"), &list));
    arena_release(&a);
}

/* What json.dumps(ast.literal_eval(...), sort_keys=True) prints. */
static const struct doc_row {
    const char *label;
    const char *literal;
    const char *json; /* of the object it became the member "x" of; NULL: refused */
} doc_rows[] = {
    {"text", "'a'", "{\"x\": \"a\"}"},
    {"whole number", " 20 ", "{\"x\": 20}"},
    {"below zero", "-5", "{\"x\": -5}"},
    {"number with a point", "20.0", "{\"x\": 20.0}"},
    {"all its digits", "0.532482", "{\"x\": 0.532482}"},
    {"exponent", "5e-06", "{\"x\": 5e-06}"},
    {"words", "[None, True, False]", "{\"x\": [null, true, false]}"},
    {"none", "None", "{\"x\": null}"},
    {"false", "False", "{\"x\": false}"},
    {"tuple", "('a', 1,)", "{\"x\": [\"a\", 1]}"},
    {"nothing in it", "[{}, [], ()]", "{\"x\": [{}, [], []]}"},
    {"dictionary", "{'total_time': 12.5, 'item': {'pgdata': 1, 'a': [1.5, 'b']}}",
     "{\"x\": {\"item\": {\"a\": [1.5, \"b\"], \"pgdata\": 1}, \"total_time\": 12.5}}"},
    {"a number for a key", "{1: 2}", NULL},
    {"no end", "{'a': 1", NULL},
    {"something after", "1 2", NULL},
    {"nothing", "", NULL},
    {"too deep", "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", NULL},
};

static void becomes_document(void **state)
{
    const struct doc_row *row = *state;
    struct arena a;
    struct doc *d;

    arena_init(&a, 0);
    d = doc_new(&a);
    assert_int_equal(pylit_doc(&a, str_of(row->literal), d, "x"), row->json != NULL);
    if (row->json) {
        assert_string_equal(doc_string(d, 0, &a), row->json);
    }
    arena_release(&a);
}

TEST_MAIN(ROWS(text_rows, check_text), ROWS(spaces_rows, check_spaces),
          ROWS(number_rows, check_number), ROWS(ok_rows, check_ok), ONE(lists_there_and_back),
          ROWS(doc_rows, becomes_document))
