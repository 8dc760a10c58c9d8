/* SPDX-License-Identifier: PostgreSQL */
/* lib.h - a library that is loaded when it is needed first.
 *
 * A program that only lists backups should not pay for a compressor, nor get-wal for the
 * screen: each library costs some ten system calls and page faults at the start. So the larger
 * ones are not linked; lib_load() opens the file and fills a table of pointers, whose types come
 * from the library's own header.
 *
 *     #define X_LIST(X) X(open, x_open) X(close, x_close)
 *     struct x_api { X_LIST(LIB_MEMBER) };
 *     static const char *const x_symbols[] = {X_LIST(LIB_SYMBOL)};
 *     static const struct lib x_lib = {"libx.so.1", "Install x.", ERR_CONFIG, x_symbols,
 *                                      sizeof x_symbols / sizeof x_symbols[0]};
 *     struct x_api x;
 *     if (!lib_load(&x_lib, &x, err)) ...
 *     x.open(...);
 *
 * Ownership  the table is the caller's; the library stays loaded until the process ends.
 * Threads    any number at the same time, each with a table of its own; what is loaded already
 *            is found in some microseconds.
 * Errors     lib.code, with lib.install as the hint.
 */
#ifndef BASE_LIB_H
#define BASE_LIB_H

#include "barkeep/err.h"

#include <stddef.h>

#define LIB_MEMBER(member, symbol) __typeof__(&symbol) member;
#define LIB_SYMBOL(member, symbol) #symbol,

struct lib {
    const char *file;    /* as the linker finds it: "libz.so.1" */
    const char *install; /* what to do when it is not there */
    enum err_code code;
    const char *const *symbol; /* in the order of the table, which has nothing but pointers */
    size_t symbols;
};

/* The table is filled as a whole or not at all. */
MUST_CHECK bool lib_load(const struct lib *lib, void *table, struct err *err);

#endif
