/* SPDX-License-Identifier: PostgreSQL */
#include "pg/pq.h"

#include "base/lib.h"

struct pq_api pq;

static const char *const symbols[] = {PQ_LIST(LIB_SYMBOL)};

static const struct lib libpq = {
    "libpq.so.5", "Install PostgreSQL's client library (Debian: apt install libpq5).",
    ERR_CONNECT, symbols, sizeof symbols / sizeof symbols[0]};

bool pq_load(struct err *err)
{
    return pq.status || lib_load(&libpq, &pq, err);
}
