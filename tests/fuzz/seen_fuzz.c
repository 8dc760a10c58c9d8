/* SPDX-License-Identifier: PostgreSQL */
/* Any file of what was seen: what is taken can be written, and reads as the same again. */
#include "workers/saved.h"

#include "base/bug.h"

#include <string.h>

static void entry(struct str text)
{
    struct err err = {0};
    struct snapshot *s = saved_snapshot(text, &err), *again;
    char *once, *twice;

    if (!s) {
        BUG_IF(err.code == ERR_NONE);
        return;
    }
    once = saved_text_new(s);
    if (once) {
        again = saved_snapshot(str_of(once), &err);
        BUG_IF(!again);
        twice = saved_text_new(again);
        BUG_IF(!twice || strcmp(once, twice) != 0);
        saved_text_free(twice);
        snapshot_free(again);
    }
    saved_text_free(once);
    snapshot_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), one;
    struct saved_file file;
    struct err err = {0};

    entry(text);
    if (saved_open(&file, text, &err)) {
        while (saved_next(&file, &one)) {
            entry(one);
        }
    }
    return 0;
}
