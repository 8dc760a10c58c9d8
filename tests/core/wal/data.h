/* SPDX-License-Identifier: PostgreSQL */
/* data.h - the real files of tests/data/wal, and hex text as bytes. */
#ifndef TESTS_WAL_DATA_H
#define TESTS_WAL_DATA_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Up to cap bytes of a file; 0 when it is not there. */
static inline size_t data_read(const char *name, void *out, size_t cap)
{
    char path[512];
    size_t n = 0;

    snprintf(path, sizeof path, "%s/wal/%s", TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (f) {
        n = fread(out, 1, cap, f);
        fclose(f);
    }
    return n;
}

static inline int data_nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Lower-case hex to bytes; returns how many. */
static inline size_t data_hex(const char *text, uint8_t *out)
{
    size_t n = strlen(text) / 2;

    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(data_nibble(text[2 * i]) << 4 | data_nibble(text[2 * i + 1]));
    }
    return n;
}

#endif
