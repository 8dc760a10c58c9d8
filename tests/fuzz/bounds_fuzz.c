/* SPDX-License-Identifier: PostgreSQL */
/* What is taken from .barkeep/bounds is written back as it was meant. */
#include "base/bug.h"
#include "engine/bounds.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), line;
    uint32_t seg_size = 1u << (20 + (size ? data[0] % 11 : 0));
    struct bounds_line got, again;
    char out[512];
    struct sbuf b;

    while (str_line(&text, &line)) {
        if (!bounds_parse_line(line, seg_size, &got)) {
            continue;
        }
        sbuf_init(&b, out, sizeof out);
        bounds_put_line(&b, seg_size, &got);
        BUG_IF(!sbuf_ok(&b));
        BUG_IF(!bounds_parse_line(str_n(out, b.len - 1), seg_size, &again));
        BUG_IF(coverage_bound_cmp(&got.bound, &again.bound) != 0);
        BUG_IF(got.size != again.size || got.mtime_ns != again.mtime_ns);
        BUG_IF(got.bound.end != again.bound.end || got.bound.last.us != again.bound.last.us);
    }
    return 0;
}
