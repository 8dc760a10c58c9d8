/* SPDX-License-Identifier: PostgreSQL */
#include "road_in.h"

#include "barkeep/str.h"

#include <stdlib.h>
#include <string.h>

static char *line_new(const char *line, size_t n)
{
    char *copy = malloc(n + 1);

    return copy ? memcpy(copy, line, n + 1) : NULL;
}

void news_set_line(struct news *news, const char *line)
{
    size_t cap = sizeof news->said.line;

    news->said.whole = NULL;
    if (str_copy(news->said.line, cap, line)) {
        return;
    }
    news->said.whole = line_new(line, strlen(line));
    if (!news->said.whole) {
        memcpy(news->said.line + cap - 4, "...", 4);
    }
}
