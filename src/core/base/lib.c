/* SPDX-License-Identifier: PostgreSQL */
#include "base/lib.h"

#include "base/bug.h"

#include <dlfcn.h>
#include <string.h>

#define SYMBOLS_MAX 64

/* Lazy: of what comes with it we use next to nothing, and need not find all that the libraries
 * call among themselves. */
bool lib_load(const struct lib *lib, void *table, struct err *err)
{
    void *at[SYMBOLS_MAX];
    void *so = dlopen(lib->file, RTLD_LAZY | RTLD_LOCAL);

    BUG_IF(lib->symbols > SYMBOLS_MAX);
    if (!so) {
        const char *why = dlerror();

        return err_set(err, lib->code, lib->install, lib->file, "%s",
                       why ? why : "cannot be loaded");
    }
    for (size_t i = 0; i < lib->symbols; i++) {
        at[i] = dlsym(so, lib->symbol[i]);
        if (!at[i]) {
            dlclose(so);
            return err_set(err, lib->code, lib->install, lib->file, "has no %s",
                           lib->symbol[i]);
        }
    }
    /* ISO C has no conversion from the object pointer dlsym() gives to a function pointer; POSIX
     * promises that both have one size and meaning. */
    memcpy(table, at, lib->symbols * sizeof at[0]);
    return true;
}
