/* SPDX-License-Identifier: PostgreSQL */
#include "pg/manifest.h"

#include "base/file.h"

#include <stdlib.h>

static bool on_file(void *ctx, const struct manifest_file *f, struct err *err)
{
    (void)ctx;
    (void)err;
    if (!path_is_below(f->path) || f->path.n >= MANIFEST_PATH_CAP) {
        abort();
    }
    return true;
}

static bool read_in(const uint8_t *p, size_t n, size_t step)
{
    static struct manifest m;
    struct err err = {0};
    const struct manifest_events events = {NULL, on_file, NULL};
    bool ok = true;

    manifest_init(&m, "m", &events);
    for (size_t i = 0; i < n && ok; i += step) {
        ok = manifest_feed(&m, p + i, step < n - i ? step : n - i, &err);
    }
    return ok && manifest_end(&m, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (read_in(p, n, n ? n : 1) != read_in(p, n, 3)) {
        abort();
    }
    return 0;
}
