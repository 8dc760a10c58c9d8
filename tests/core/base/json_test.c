/* SPDX-License-Identifier: PostgreSQL */
/* Each row is a document and the tokens it must give, one letter each; bad ones end in '!'.
 *     { } [ ]  brackets   k key   s string   n number   t f 0  true false null   . the end
 * Every row is read whole, and once more for every place it can be cut in two, and byte by
 * byte: the tokens and their texts must not depend on it. */
#include "base/json.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

static const struct row {
    const char *label;
    const char *text;
    const char *tokens;
    const char *texts; /* of k, s, n, each ended by '|' */
} rows[] = {
    {"empty object", "{}", "{}.", ""},
    {"empty array", " [ ] ", "[].", ""},
    {"bare number", "0", "n.", "0|"},
    {"bare number, blank after", "-12.5e+3 ", "n.", "-12.5e+3|"},
    {"bare word", "null", "0.", ""},
    {"all words", "[true,false,null]", "[tf0].", ""},
    {"keys and values", "{\"a\":1,\"b\":[\"x\",{}]}", "{knk[s{}]}.", "a|1|b|x|"},
    {"escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s.", "\"\\/\b\f\n\r\t|"},
    {"unit of two bytes", "\"\\u00e9\"", "s.", "\xC3\xA9|"},
    {"unit of three bytes", "\"\\u20AC\"", "s.", "\xE2\x82\xAC|"},
    {"pair of surrogates", "\"\\ud83d\\uDE00\"", "s.", "\xF0\x9F\x98\x80|"},
    {"raw UTF-8 of four bytes", "\"\xF0\x9F\x98\x80\"", "s.", "\xF0\x9F\x98\x80|"},
    {"NUL by escape", "\"a\\u0000b\"", "s.", "a|"}, /* compared up to the NUL */
    {"depth 16", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]].", ""},
    {"tabs and line ends", "\t{\r\n\"a\" : 1 }\n", "{kn}.", "a|1|"},

    {"nothing", "", "!", ""},
    {"blanks only", "  \n", "!", ""},
    {"depth 17", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[!", ""},
    {"comma before the end", "[1,]", "[n!", "1|"},
    {"comma before the brace", "{\"a\":1,}", "{kn!", "a|1|"},
    {"comma at the beginning", "[,1]", "[!", ""},
    {"two commas", "[1,,2]", "[n!", "1|"},
    {"no colon", "{\"a\" 1}", "{k!", "a|"},
    {"key without quotes", "{a:1}", "{!", ""},
    {"number as a key", "{1:1}", "{!", ""},
    {"brackets crossed", "[{]}", "[{!", ""},
    {"closed twice", "[]]", "[]!", ""},
    {"not closed", "[1", "[n!", "1|"},
    {"value after the value", "1 2", "n!", "1|"},
    {"leading zero", "01", "!", ""},
    {"plus", "+1", "!", ""},
    {"point without digits", "1.", "!", ""},
    {"point first", ".5", "!", ""},
    {"exponent without digits", "1e", "!", ""},
    {"minus alone", "-", "!", ""},
    {"hex", "0x10", "n!", "0|"},
    {"NaN", "NaN", "!", ""},
    {"wrong word", "[nul]", "[!", ""},
    {"word too long", "trueish", "!", ""},
    {"word cut", "tru", "!", ""},
    {"word runs into a word", "[true false]", "[t!", ""},
    {"comment", "/* x */ 1", "!", ""},
    {"single quotes", "'a'", "!", ""},
    {"string cut", "\"abc", "!", ""},
    {"escape cut", "\"abc\\", "!", ""},
    {"unit cut", "\"\\u12", "!", ""},
    {"unit that is not hex", "\"\\u12g4\"", "!", ""},
    {"unknown escape", "\"\\x41\"", "!", ""},
    {"newline inside", "\"a\nb\"", "!", ""},
    {"low surrogate alone", "\"\\uDE00\"", "!", ""},
    {"high surrogate alone", "\"\\uD83D\"", "!", ""},
    {"high surrogate, then a letter", "\"\\uD83Dx\"", "!", ""},
    {"high surrogate, then an escape", "\"\\uD83D\\n\"", "!", ""},
    {"two high surrogates", "\"\\uD83D\\uD83D\"", "!", ""},
    {"stray continuation byte", "\"\x80\"", "!", ""},
    {"overlong slash", "\"\xC0\xAF\"", "!", ""},
    {"overlong of three", "\"\xE0\x80\x80\"", "!", ""},
    {"surrogate in UTF-8", "\"\xED\xA0\x80\"", "!", ""},
    {"beyond Unicode", "\"\xF4\x90\x80\x80\"", "!", ""},
    {"UTF-8 cut by the quote", "\"\xE2\x82\"", "!", ""},
    {"byte order mark", "\xEF\xBB\xBF{}", "!", ""},
};

struct seen {
    char tokens[256];
    char texts[256];
    size_t n, t;
    bool over;
};

static void take(struct json *j, struct seen *s)
{
    static const char letter[] = "?{}[]ksntf0.!";
    enum json_token token;

    while (!s->over && (token = json_next(j)) != JSON_MORE) {
        s->tokens[s->n++] = letter[token];
        if (token == JSON_KEY || token == JSON_STRING || token == JSON_NUMBER) {
            struct str text = json_text(j);
            s->t += (size_t)snprintf(s->texts + s->t, sizeof s->texts - s->t, "%.*s|",
                                     (int)text.n, text.p);
        }
        s->over = token == JSON_END || token == JSON_BAD;
    }
}

static void feed(struct json *j, struct seen *s, const char *p, size_t n)
{
    if (n && !s->over) {
        json_feed(j, p, n);
        take(j, s);
    }
}

static void finish(struct json *j, struct seen *s)
{
    if (!s->over) {
        json_finish(j);
        take(j, s);
    }
    assert_true(s->over);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    size_t n = strlen(r->text);
    static struct json j;

    for (size_t cut = 0; cut <= n + 1; cut++) {
        struct seen s = {0};
        json_init(&j);
        if (cut == n + 1) {
            for (size_t i = 0; i < n; i++) {
                feed(&j, &s, r->text + i, 1);
            }
        } else {
            feed(&j, &s, r->text, cut);
            feed(&j, &s, r->text + cut, n - cut);
        }
        finish(&j, &s);
        assert_string_equal(s.tokens, r->tokens);
        assert_string_equal(s.texts, r->texts);
    }
}

/* A token of exactly the maximum passes, one byte more does not. */
static void longest_string(void **state)
{
    static char text[JSON_TOKEN_MAX + 3];
    static struct json j;

    (void)state;
    memset(text, 'x', sizeof text);
    text[0] = '"';
    text[JSON_TOKEN_MAX + 1] = '"';
    json_init(&j);
    json_feed(&j, text, JSON_TOKEN_MAX + 2);
    assert_int_equal(json_next(&j), JSON_STRING);
    assert_int_equal(json_text(&j).n, JSON_TOKEN_MAX);

    text[JSON_TOKEN_MAX + 1] = 'x';
    text[JSON_TOKEN_MAX + 2] = '"';
    json_init(&j);
    json_feed(&j, text, sizeof text);
    assert_int_equal(json_next(&j), JSON_BAD);
    assert_string_equal(j.why, "a string is too long");
    assert_int_equal(json_next(&j), JSON_BAD); /* and stays so */
}

static const struct put_row {
    const char *label;
    const char *text;
    size_t n;
    const char *json;
} put_rows[] = {
    {"plain", "abc", 3, "\"abc\""},
    {"quotes", "a\"b\\c", 5, "\"a\\\"b\\\\c\""},
    {"control characters", "\n\t\x1B", 3, "\"\\n\\t\\u001b\""},
    {"NUL", "a\0b", 3, "\"a\\u0000b\""},
    {"delete", "\x7F", 1, "\"\\u007f\""},
    {"UTF-8 as it is", "\xE2\x82\xAC", 3, "\"\xE2\x82\xAC\""},
    {"broken UTF-8", "a\xFFz", 3, "\"a\\ufffdz\""},
    {"UTF-8 cut at the end", "\xE2\x82", 2, "\"\\ufffd\\ufffd\""},
    {"empty", "", 0, "\"\""},
};

static void check_put(void **state)
{
    const struct put_row *r = *state;
    char mem[128];
    struct sbuf b;

    sbuf_init(&b, mem, sizeof mem);
    json_put(&b, str_n(r->text, r->n));
    assert_string_equal(mem, r->json);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(put_rows, check_put), ONE(longest_string))
