/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the trailer, and whether pax headers are read. Headers get a right checksum first, or nothing would ever
 * come past it. */
#include "repo/tar.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool on_member(void *ctx, const struct tar_member *m, struct err *err)
{
    (void)err;
    if (!path_is_below(str_of(m->name)) || m->mode > 0777) {
        abort();
    }
    *(uint64_t *)ctx = m->size;
    return true;
}

static bool on_data(void *ctx, const void *p, size_t n, struct err *err)
{
    (void)p;
    (void)err;
    if (n > *(uint64_t *)ctx) {
        abort();
    }
    *(uint64_t *)ctx -= n;
    return true;
}

static bool on_end(void *ctx, struct err *err)
{
    (void)err;
    if (*(uint64_t *)ctx) {
        abort();
    }
    return true;
}

static bool read_in(const uint8_t *p, size_t n, size_t step, enum tar_trailer trailer, bool pax)
{
    struct tar t;
    struct err err = {0};
    uint64_t left = 0;
    const struct tar_events events = {&left, on_member, on_data, on_end};
    bool ok = true;

    tar_init(&t, trailer, &events);
    if (pax) {
        tar_accept_pax(&t);
    }
    for (size_t i = 0; i < n && ok; i += step) {
        ok = tar_feed(&t, p + i, step < n - i ? step : n - i, &err);
    }
    return ok && tar_end(&t, &err);
}

static void mend(uint8_t *b)
{
    unsigned sum = 0;

    memset(b + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) {
        sum += b[i];
    }
    snprintf((char *)b + 148, 8, "%06o", sum);
    memcpy(b + 257, "ustar", 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    enum tar_trailer trailer = n && p[0] & 1 ? TAR_WITH_TRAILER : TAR_BARE;
    bool pax = n && p[0] & 2;
    uint8_t *copy;

    if (n < 2) {
        return 0;
    }
    copy = malloc(n);
    memcpy(copy, p, n);
    for (size_t i = 1; i + TAR_BLOCK <= n; i += TAR_BLOCK) {
        if (copy[i]) {
            mend(copy + i);
            mend(copy + i); /* the magic belongs to the sum */
        }
    }
    if (read_in(copy + 1, n - 1, n, trailer, pax) !=
        read_in(copy + 1, n - 1, 5, trailer, pax)) {
        abort();
    }
    free(copy);
    return 0;
}
