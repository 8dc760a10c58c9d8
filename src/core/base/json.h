/* SPDX-License-Identifier: PostgreSQL */
/* json.h - a strict pull reader over a stream of bytes, and a writer of strings.
 *
 * The reader is fed pieces as they arrive and keeps only the token at hand, so a manifest of a
 * million files takes the memory of its longest string. RFC 8259: no comments, no trailing
 * commas; depth at most 16, a string or number at most JSON_TOKEN_MAX bytes; anything else is
 * JSON_BAD with a reason. Strings are given decoded (UTF-8), and may hold NUL: use .n.
 *
 * Use     struct json j; json_init(&j);
 *         for each piece { json_feed(&j, p, n);  while ((t = json_next(&j)) != JSON_MORE) ... }
 *         json_finish(&j) at the end of the input, then json_next() until JSON_END.
 *         A token's text is valid until the next call of json_next().
 * Source  RFC 8259.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "barkeep/str.h"

#include <stdint.h>

#define JSON_TOKEN_MAX 16384
#define JSON_DEPTH_MAX 16

enum json_token {
    JSON_MORE, /* feed me */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER, /* as text */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_END, /* one whole value was read and nothing follows */
    JSON_BAD,
};

struct json {
    const char *p; /* the piece being read */
    size_t n;
    uint64_t offset; /* bytes consumed before p */
    bool finished;
    int depth;
    char open[JSON_DEPTH_MAX]; /* closing brackets waited for */
    int state;                 /* of the grammar, see json.c */
    int lex;                   /* of the token at hand */
    uint32_t unit;             /* \u escape in progress */
    int digits;                /* of it, so far */
    uint32_t high;             /* high surrogate waiting for its low one */
    char text[JSON_TOKEN_MAX + 8];
    size_t len;
    const char *why; /* after JSON_BAD */
};

void json_init(struct json *j);
void json_feed(struct json *j, const void *p, size_t n); /* only after JSON_MORE or init */
void json_finish(struct json *j);
enum json_token json_next(struct json *j);
struct str json_text(const struct json *j);

/* "text" with the quotes, control characters and broken UTF-8 escaped. */
void json_put(struct sbuf *b, struct str text);
/* Bytes of the UTF-8 character that it begins with; 0: it begins with none. */
size_t json_char_len(struct str text);
/* Is it UTF-8, so that nothing of it is lost that way? */
bool json_text_ok(struct str text);

#endif
