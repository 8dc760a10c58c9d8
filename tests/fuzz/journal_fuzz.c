/* SPDX-License-Identifier: PostgreSQL */
/* The record of a job, which anybody may have cut or edited: its lines, and the document of a
 * process that worked for another one. */
#include "base/bug.h"
#include "base/doc.h"
#include "workers/journal.h"

#include <string.h>

static void lines(struct str text)
{
    struct str line, value;

    while (str_line(&text, &line)) {
        BUG_IF(fact_kind(line).n > line.n);
        (void)fact_us(line);
        value = fact_get(line, "what");
        BUG_IF(value.n > line.n);
    }
}

/* Whatever is written as a value is one line, and hides no other. */
static void value(const char *text)
{
    static struct fact fact;
    struct str line;

    fact_init(&fact, "note");
    fact_add(&fact, "first", text);
    fact_add_u64(&fact, "last", 7);
    line = str_n(fact.b.p, fact.b.len);
    BUG_IF(!sbuf_ok(&fact.b) || memchr(line.p, '\n', line.n));
    BUG_IF(fact_get(line, "first").n > strlen(text));
}

static void document(struct str text)
{
    struct err err = {0};
    struct arena a;
    struct doc *once, *again;
    const char *first, *second;

    arena_init(&a, 1 << 26);
    once = doc_new(&a);
    again = doc_new(&a);
    if (doc_merge(once, text, &err) && (first = doc_string(once, 0, &a)) != NULL) {
        BUG_IF(!doc_merge(again, str_of(first), &err));
        second = doc_string(again, 0, &a);
        BUG_IF(second && strcmp(first, second) != 0);
    }
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char mem[1000];
    struct str text = str_n((const char *)data, size);

    lines(text);
    document(text);
    memcpy(mem, data, size < sizeof mem ? size : sizeof mem - 1);
    mem[size < sizeof mem ? size : sizeof mem - 1] = '\0';
    value(mem);
    return 0;
}
