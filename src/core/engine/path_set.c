/* SPDX-License-Identifier: PostgreSQL */
#include "engine/path_set.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 4096

struct path_set {
    uint64_t *slot; /* open addressing; 0: free */
    size_t slots;   /* a power of two */
    size_t used;
};

/* FNV-1a, then mixed so that the low bits depend on all of it. */
static uint64_t hash_of(const char *path)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *path; path++) {
        h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
    }
    h ^= h >> 32;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    return h ? h : 1;
}

static size_t find(const uint64_t *slot, size_t slots, uint64_t h)
{
    size_t i = (size_t)h & (slots - 1);

    while (slot[i] && slot[i] != h) {
        i = (i + 1) & (slots - 1);
    }
    return i;
}

struct path_set *path_set_new(struct err *err)
{
    struct path_set *s = malloc(sizeof *s);

    if (s) {
        *s = (struct path_set){calloc(FIRST_SLOTS, sizeof *s->slot), FIRST_SLOTS, 0};
    }
    if (!s || !s->slot) {
        free(s);
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    return s;
}

void path_set_free(struct path_set *s)
{
    if (s) {
        free(s->slot);
        free(s);
    }
}

/* Twice the room, and everything moved: the only _new of a piece of the set. */
static bool slots_new(struct path_set *s, struct err *err)
{
    size_t slots = 2 * s->slots;
    uint64_t *slot = calloc(slots, sizeof *slot);

    if (!slot) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    for (size_t i = 0; i < s->slots; i++) {
        if (s->slot[i]) {
            slot[find(slot, slots, s->slot[i])] = s->slot[i];
        }
    }
    free(s->slot);
    s->slot = slot;
    s->slots = slots;
    return true;
}

bool path_set_add(struct path_set *s, const char *path, bool *fresh, struct err *err)
{
    uint64_t h = hash_of(path);
    size_t i = find(s->slot, s->slots, h);

    *fresh = s->slot[i] == 0;
    if (!*fresh) {
        return true;
    }
    if (4 * (s->used + 1) > 3 * s->slots) {
        if (!slots_new(s, err)) {
            return false;
        }
        i = find(s->slot, s->slots, h);
    }
    s->slot[i] = h;
    s->used++;
    return true;
}

bool path_set_has(const struct path_set *s, const char *path)
{
    return s->slot[find(s->slot, s->slots, hash_of(path))] != 0;
}
