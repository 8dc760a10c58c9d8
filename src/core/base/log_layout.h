/* SPDX-License-Identifier: PostgreSQL */
/* log_layout.h - one line of the log, in the layout that log_format asks for.
 *
 *     %(asctime)s [%(process)s] %(name)s %(levelname)s: %(message)s
 *
 * Grammar  '%(NAME)' flags width .places s, d or f; '%%' is one percent sign. Of the flags '-'
 *          and '0' have an effect. Names of what only Python knows give what is nearest.
 * Source   Python's logging: attributes of a record, printf-style formatting.
 */
#ifndef BASE_LOG_LAYOUT_H
#define BASE_LOG_LAYOUT_H

#include "barkeep/err.h"
#include "barkeep/str.h"
#include "clock.h"

#define LOG_TEXT_CAP       2048
#define LOG_LAYOUT_DEFAULT "%(asctime)s [%(process)s] %(name)s %(levelname)s: %(message)s"

struct log_event {
    struct stamp now;
    int level;
    const char *level_name;
    long pid;
    const char *text; /* without secrets */
};

/* ERR_CONFIG when it cannot be a layout. */
MUST_CHECK bool log_layout_ok(const char *layout, struct err *err);
/* layout must be ok. */
void log_layout_put(struct sbuf *out, const char *layout, const struct log_event *event);

#endif
