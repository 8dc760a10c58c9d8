/* SPDX-License-Identifier: PostgreSQL */
/* input.h - what a terminal sends, made into keys.
 *
 * Bytes     in by input_put(), keys out by input_key(). UTF-8 is read strictly: a broken
 *           sequence is no key. Sequences: those that terminfo names (input_name), and what
 *           xterm, tmux, the Linux console and their kin send for the keys of key.h, with or
 *           without modifiers. An unknown sequence is swallowed whole; the letters in it are
 *           never keys.
 * Escape    alone is a key when nothing follows within INPUT_WAIT_MS; ESC and a character at
 *           once are two keys.
 * Paste     what stands between ESC[200~ and ESC[201~ is given as characters with INPUT_PASTED
 *           or'ed in, control characters too: nothing in it is a key. A paste that is not ended
 *           within a second of silence is over.
 * Threads   No state of its own, no clock, no file: the time is passed in.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_PASTED   0x1000000
#define INPUT_WAIT_MS  25
#define INPUT_PASTE_MS 1000
#define INPUT_CAP      4096
#define INPUT_NAMES    16
#define INPUT_NAME_CAP 16

struct input {
    unsigned char byte[INPUT_CAP];
    size_t n;
    int64_t came_ns; /* monotonic: when the last byte came */
    bool is_pasting;
    struct input_name {
        char sequence[INPUT_NAME_CAP];
        int key;
    } name[INPUT_NAMES];
    size_t names;
};

void input_init(struct input *in);
/* A key's sequence of this terminal; one that is longer than the room, or one too many, is left
 * out. */
void input_name(struct input *in, const char *sequence, int key);

size_t input_room(const struct input *in);
void input_put(struct input *in, const void *bytes, size_t n, int64_t now_ns);

/* UI_KEY_NONE: none is complete. */
int input_key(struct input *in, int64_t now_ns);
/* When input_key() will know more although nothing comes; INT64_MAX: never. */
int64_t input_due_ns(const struct input *in);

#endif
