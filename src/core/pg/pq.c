/* SPDX-License-Identifier: PostgreSQL */
#include "pg/pq.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct pq_api pq;

#define PQ_INSTALL "Install PostgreSQL's client library (Debian: apt install libpq5)."

static const struct {
    const char *name;
    size_t at; /* of its member in struct pq_api */
} symbols[] = {
#define X(member, symbol) {#symbol, offsetof(struct pq_api, member)},
    PQ_LIST(X)
#undef X
};

bool pq_load(struct err *err)
{
    struct pq_api api;
    void *lib;

    if (pq.status) {
        return true;
    }
    /* Lazy: of the twenty libraries that come with it we use next to nothing, and need not find
     * all that they call among themselves. */
    lib = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
    if (!lib) {
        const char *why = dlerror();
        return err_set(err, ERR_CONNECT, PQ_INSTALL, "libpq.so.5", "%s",
                       why ? why : "cannot be loaded");
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *at = dlsym(lib, symbols[i].name);
        if (!at) {
            dlclose(lib);
            return err_set(err, ERR_CONNECT, PQ_INSTALL, "libpq.so.5", "has no function %s",
                           symbols[i].name);
        }
        /* ISO C has no conversion from the object pointer dlsym() gives to a function pointer;
         * POSIX promises that both have one size and meaning. */
        memcpy((char *)&api + symbols[i].at, &at, sizeof at);
    }
    pq = api;
    return true;
}
