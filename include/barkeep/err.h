/* SPDX-License-Identifier: PostgreSQL */
/* err.h - how a failure travels from where it happened to the person reading it.
 *
 * A function that can fail for a reason outside the program returns bool (true: done) or a
 * pointer (NULL: failed), takes `struct err *err` as its LAST parameter, and fills it once,
 * at the place that knows the reason. Callers may put context in front of it with
 * err_wrap(); nobody prints it and returns it - it is shown once, by main or the screen.
 *
 * Shape   No pointers: safe to copy and to fill when out of memory. On success *err is left
 *         exactly as it was.
 * Text    "cannot DOING: 'WHAT': WHY", one line, lower case, no full stop.
 * Hint    What to do next, a sentence that begins with a verb, or "".
 * Size    `what` keeps both ends of a long path, `why` is never cut away by the others.
 *
 * A broken promise between two pieces of our own code is not an err: use BUG_IF().
 */
#ifndef BARKEEP_ERR_H
#define BARKEEP_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* name, exit status of a command, meaning. The statuses are Barman's, since scripts depend on
 * them: 1 for every failure, 2 for wrong usage; get-wal answers 3 for an impossible name. The
 * name itself goes into the journal. Never rename. */
#define ERR_LIST(X)                                                                            \
    X(ERR_NONE, 0, "no error")                                                                 \
    X(ERR_USAGE, 2, "wrong command line or key")                                               \
    X(ERR_CONFIG, 1, "wrong configuration")                                                    \
    X(ERR_CONNECT, 1, "server or host not reachable")                                          \
    X(ERR_QUERY, 1, "server refused or failed a query")                                        \
    X(ERR_IO, 1, "file system or network I/O failed")                                          \
    X(ERR_FORMAT, 1, "a file or name is not what it should be")                                \
    X(ERR_MISSING, 1, "a backup or WAL segment is missing")                                    \
    X(ERR_UNSAFE, 1, "refused: would destroy data")                                            \
    X(ERR_BUSY, 1, "another process is at it")                                                 \
    X(ERR_HOOK, 1, "a hook script said stop")                                                  \
    X(ERR_CANCEL, 1, "cancelled")                                                              \
    X(ERR_TIMEOUT, 1, "deadline passed")                                                       \
    X(ERR_MEMORY, 1, "out of memory")

enum err_code {
#define X(name, status, what) name,
    ERR_LIST(X)
#undef X
        ERR_CODE_COUNT,
};

struct err {
    enum err_code code;
    int os;          /* errno at the time, or 0 */
    char doing[160]; /* what we were doing, outermost first: "restore of orders-db1" */
    char what[1024]; /* the thing, whole: a path, a name; longer ones are cut in the middle */
    char why[256];   /* what it said: never cut away by the others */
    char hint[160];
};

/* All return false, so that the failing line reads: return err_set(err, ...);
 * what and hint may be "". */
bool err_set(struct err *err, enum err_code code, const char *hint, const char *what,
             const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for a failed system call: os is its errno, `why` becomes its text, the code ERR_IO,
 * and the hint what one usually does about that errno (disk full, permission). doing is a
 * whole phrase after "cannot": "write". */
bool err_os(struct err *err, int os, const char *doing, const char *what);

/* Put our own verb in front of `doing`. */
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const char *err_name(enum err_code code); /* "ERR_IO" */
int err_exit_status(enum err_code code);

/* "cannot DOING: 'WHAT': WHY" into out[cap], always NUL-terminated, `why` kept whole. Without
 * `doing` the line begins with WHAT or WHY. Returns out. The hint is not part of it. */
const char *err_text(const struct err *err, char *out, size_t cap);

#endif
