/* SPDX-License-Identifier: PostgreSQL */
/* The same bytes whole and in pieces give the same tokens. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct trace {
    uint32_t sum;
    bool over;
};

static void take(struct json *j, struct trace *t)
{
    enum json_token token;

    while (!t->over && (token = json_next(j)) != JSON_MORE) {
        struct str text = json_text(j);
        t->sum = t->sum * 31 + (uint32_t)token;
        if (token == JSON_KEY || token == JSON_STRING || token == JSON_NUMBER) {
            for (size_t i = 0; i < text.n; i++) {
                t->sum = t->sum * 31 + (unsigned char)text.p[i];
            }
        }
        t->over = token == JSON_END || token == JSON_BAD;
    }
}

static uint32_t read_in(const uint8_t *p, size_t n, size_t step)
{
    static struct json j;
    struct trace t = {0};

    json_init(&j);
    for (size_t i = 0; i < n && !t.over; i += step) {
        json_feed(&j, p + i, step < n - i ? step : n - i);
        take(&j, &t);
    }
    json_finish(&j);
    take(&j, &t);
    return t.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    uint32_t whole = read_in(p, n, n ? n : 1);

    if (read_in(p, n, 1) != whole || read_in(p, n, 7) != whole) {
        abort();
    }
    return 0;
}
