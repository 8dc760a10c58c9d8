/* SPDX-License-Identifier: PostgreSQL */
/* An identity.json: what is taken is written, and read as the same again. */
#include "repo/catalogue.h"

#include "base/bug.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct identity first, second;
    char text[512];
    struct sbuf b;

    if (!identity_parse(str_n((const char *)data, size), &first)) {
        return 0;
    }
    BUG_IF(strlen(first.systemid) >= sizeof first.systemid);
    BUG_IF(strlen(first.version) >= sizeof first.version);
    sbuf_init(&b, text, sizeof text);
    identity_put(&b, &first);
    BUG_IF(!sbuf_ok(&b) || !identity_parse(str_of(text), &second));
    BUG_IF(strcmp(first.systemid, second.systemid) != 0 ||
           strcmp(first.version, second.version) != 0);
    return 0;
}
