/* SPDX-License-Identifier: PostgreSQL */
/* What a terminal sends, in pieces of any size: every byte is used up, every key is one that key.h
 * knows, and time alone empties the buffer. */
#include "base/clock.h"
#include "ui/input.h"
#include "ui/key.h"

#include <stdlib.h>

static void check(int key)
{
    int plain = key & ~INPUT_PASTED;

    if (plain < 0 || plain > UI_KEY_RESIZE || (plain >= 0xD800 && plain <= 0xDFFF)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct input in;
    int64_t now = NS_PER_S;
    int key;

    input_init(&in);
    input_name(&in, "\033OA", UI_KEY_UP);
    while (size > 1) {
        size_t n = data[0] % 32 + 1u, most = size - 1;

        most = most < input_room(&in) ? most : input_room(&in);
        if (most == 0) {
            abort(); /* keys were taken after each piece */
        }
        n = n < most ? n : most;
        now += (data[0] / 32) * 10 * NS_PER_MS;
        input_put(&in, data + 1, n, now);
        while ((key = input_key(&in, now)) != UI_KEY_NONE) {
            check(key);
        }
        data += 1 + n;
        size -= 1 + n;
    }
    for (int i = 0; i < 2; i++) {
        now += 2 * NS_PER_S;
        while ((key = input_key(&in, now)) != UI_KEY_NONE) {
            check(key);
        }
    }
    if (in.n != 0 || input_due_ns(&in) != INT64_MAX) {
        abort();
    }
    return 0;
}
