/* SPDX-License-Identifier: PostgreSQL */
/* The small files of a user: a theme, keys, the screen's memory. The first byte chooses. */
#include "ui/entry.h"
#include "ui/keys_file.h"
#include "ui/state.h"
#include "ui/theme.h"

#include <stdlib.h>
#include <string.h>

static void check_state(struct str text)
{
    static struct state first, second;
    static char mem[ENTRY_FILE_MAX * 2], again[ENTRY_FILE_MAX * 2];
    struct err err = {0};
    struct sbuf b, c;

    if (!state_parse(text, "ui.ini", &first, &err)) {
        return;
    }
    sbuf_init(&b, mem, sizeof mem);
    state_print(&first, &b);
    if (!sbuf_ok(&b) || !state_parse(str_n(b.p, b.len), "ui.ini", &second, &err)) {
        abort(); /* what it writes it must read */
    }
    sbuf_init(&c, again, sizeof again);
    state_print(&second, &c);
    if (strcmp(mem, again) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct key_map map;
    struct theme theme = {0};
    struct err err = {0};

    if (size == 0) {
        return 0;
    }
    text = str_skip(text, 1);
    switch (data[0] % 3) {
    case 0:
        (void)!theme_parse(text, "x.ini", &theme, &err);
        break;
    case 1:
        key_map_init(&map);
        (void)!keys_parse(text, "keys.ini", &map, &err);
        break;
    default:
        check_state(text);
        break;
    }
    return 0;
}
