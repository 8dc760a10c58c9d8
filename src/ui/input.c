/* SPDX-License-Identifier: PostgreSQL */
#include "ui/input.h"

#include "barkeep/str.h"
#include "base/bug.h"
#include "base/clock.h"
#include "ui/key.h"

#include <string.h>

/* Answers of taking one key from the front. */
#define TAKE_MORE (-1) /* incomplete: bytes must follow */

static int64_t due_ns(const struct input *in)
{
    return in->came_ns + (in->is_pasting ? INPUT_PASTE_MS : INPUT_WAIT_MS) * NS_PER_MS;
}

void input_init(struct input *in)
{
    in->n = 0;
    in->came_ns = 0;
    in->is_pasting = false;
    in->names = 0;
}

void input_name(struct input *in, const char *sequence, int key)
{
    struct input_name *name = &in->name[in->names];

    if (in->names < INPUT_NAMES && sequence[0] == UI_KEY_ESC &&
        str_copy(name->sequence, sizeof name->sequence, sequence)) {
        name->key = key;
        in->names++;
    }
}

size_t input_room(const struct input *in)
{
    return INPUT_CAP - in->n;
}

void input_put(struct input *in, const void *bytes, size_t n, int64_t now_ns)
{
    BUG_IF(n > input_room(in));
    if (n == 0) {
        return;
    }
    if (in->is_pasting && in->n == 0 && now_ns >= due_ns(in)) {
        in->is_pasting = false;
    }
    memcpy(in->byte + in->n, bytes, n);
    in->n += n;
    in->came_ns = now_ns;
}

/* ---- one character ---- */

/* Bytes that a character has by its first byte; 0: none begins so. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static bool utf8_valid(uint32_t ch, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    return ch >= least[length] && ch <= 0x10FFFF && !(ch >= 0xD800 && ch <= 0xDFFF);
}

/* The character in front: its code and *used bytes; UI_KEY_NONE for bytes that are none. */
static int take_char(const unsigned char *p, size_t n, size_t *used)
{
    size_t length = utf8_length(p[0]);
    uint32_t ch = p[0];

    *used = 1;
    if (length <= 1) {
        return length ? (int)ch : UI_KEY_NONE;
    }
    ch &= 0x7Fu >> length;
    for (size_t i = 1; i < length; i++) {
        if (i == n) {
            *used = n;
            return TAKE_MORE;
        }
        if ((p[i] & 0xC0) != 0x80) {
            *used = i;
            return UI_KEY_NONE;
        }
        ch = ch << 6 | (p[i] & 0x3F);
    }
    *used = length;
    return utf8_valid(ch, length) ? (int)ch : UI_KEY_NONE;
}

static int plain_key(int ch)
{
    switch (ch) {
    case '\r':
        return UI_KEY_ENTER;
    case '\b':
    case 0x7F:
        return UI_KEY_BACKSPACE;
    default:
        /* what a terminal sends in eight bits instead of ESC is no key */
        return ch >= 0x80 && ch < 0xA0 ? UI_KEY_NONE : ch;
    }
}

/* ---- sequences ---- */

static int key_of_letter(unsigned char final)
{
    static const struct {
        char final;
        int key;
    } letter[] = {
        {'A', UI_KEY_UP},   {'B', UI_KEY_DOWN}, {'C', UI_KEY_RIGHT},   {'D', UI_KEY_LEFT},
        {'H', UI_KEY_HOME}, {'F', UI_KEY_END},  {'Z', UI_KEY_BACKTAB}, {'M', UI_KEY_ENTER},
    };

    for (size_t i = 0; i < sizeof letter / sizeof letter[0]; i++) {
        if (letter[i].final == final) {
            return letter[i].key;
        }
    }
    return UI_KEY_NONE;
}

static int key_of_number(uint64_t number)
{
    static const int key[] = {
        [1] = UI_KEY_HOME,      [3] = UI_KEY_DELETE, [4] = UI_KEY_END, [5] = UI_KEY_PAGE_UP,
        [6] = UI_KEY_PAGE_DOWN, [7] = UI_KEY_HOME,   [8] = UI_KEY_END,
    };

    return number < sizeof key / sizeof key[0] ? key[number] : UI_KEY_NONE;
}

/* The key of a whole ESC [ parameters final, of `used` bytes. Numbers behind a ';' are modifiers,
 * which change nothing here. */
static int key_of_csi(struct input *in, size_t used)
{
    struct str numbers = str_n((const char *)in->byte + 2, used - 3);
    unsigned char final = in->byte[used - 1];
    uint64_t number;

    if (numbers.n && numbers.p[0] > '9' && numbers.p[0] != ';') {
        return UI_KEY_NONE; /* a private one: an answer we did not ask for */
    }
    if (final != '~') {
        return final == 'M' ? UI_KEY_NONE : key_of_letter(final);
    }
    if (!str_take_u64(&numbers, 9999, &number)) {
        return UI_KEY_NONE;
    }
    in->is_pasting = in->is_pasting || number == 200;
    return key_of_number(number);
}

/* Sequences that go on behind what looks like their end. */
static size_t odd_length(const struct input *in)
{
    if (in->n < 3) {
        return 0;
    }
    switch (in->byte[2]) {
    case '[': /* function keys of the Linux console: ESC [ [ A */
        return 4;
    case 'M': /* a mouse in the old way: three bytes follow */
        return 6;
    default:
        return 0;
    }
}

static int take_csi(struct input *in, size_t *used)
{
    const unsigned char *p = in->byte;
    size_t at = 2, odd = odd_length(in);

    if (odd) {
        *used = odd;
        return in->n < odd ? TAKE_MORE : UI_KEY_NONE;
    }
    while (at < in->n && p[at] >= 0x20 && p[at] < 0x40) {
        at++;
    }
    *used = at;
    if (at == in->n) {
        return TAKE_MORE;
    }
    if (p[at] < 0x40 || p[at] > 0x7E) { /* broken off: that byte is the next one's */
        return UI_KEY_NONE;
    }
    *used = at + 1;
    return key_of_csi(in, at + 1);
}

/* ESC ] P _ ^ X text, up to BEL or ESC \: answers and commands, no keys. */
static int take_string(const struct input *in, size_t *used)
{
    for (size_t i = 2; i < in->n; i++) {
        if (in->byte[i] == '\a') {
            *used = i + 1;
            return UI_KEY_NONE;
        }
        if (in->byte[i] == UI_KEY_ESC && i + 1 < in->n) {
            *used = in->byte[i + 1] == '\\' ? i + 2 : i;
            return UI_KEY_NONE;
        }
    }
    return TAKE_MORE;
}

/* A sequence that terminfo names; 0 none, TAKE_MORE: may become one. */
static int take_named(const struct input *in, size_t *used)
{
    int found = 0;

    for (size_t i = 0; i < in->names; i++) {
        size_t length = strlen(in->name[i].sequence);
        size_t both = length < in->n ? length : in->n;

        if (memcmp(in->byte, in->name[i].sequence, both) != 0) {
            continue;
        }
        if (both == length) {
            *used = length;
            return in->name[i].key;
        }
        found = TAKE_MORE;
    }
    return found;
}

/* The front is an ESC. */
static int take_escape(struct input *in, size_t *used)
{
    int key = take_named(in, used);

    if (key != 0 || in->n == 1) {
        return key != 0 ? key : TAKE_MORE;
    }
    switch (in->byte[1]) {
    case '[':
        return take_csi(in, used);
    case 'O':
        *used = 3;
        return in->n < 3 ? TAKE_MORE : key_of_letter(in->byte[2]);
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        return take_string(in, used);
    default:
        *used = 1;
        return UI_KEY_ESC;
    }
}

/* ---- paste ---- */

static int take_pasted(struct input *in, size_t *used)
{
    static const char end[] = "\033[201~";
    size_t length = sizeof end - 1;
    size_t both = in->n < length ? in->n : length;

    if (memcmp(in->byte, end, both) == 0) {
        if (both < length) {
            *used = 1;
            return TAKE_MORE;
        }
        *used = length;
        in->is_pasting = false;
        return UI_KEY_NONE;
    }
    {
        int ch = take_char(in->byte, in->n, used);
        return ch > 0 ? ch | INPUT_PASTED : ch;
    }
}

/* ---- keys ---- */

static int take_front(struct input *in, size_t *used)
{
    int ch;

    *used = 1;
    if (in->is_pasting) {
        return take_pasted(in, used);
    }
    if (in->byte[0] == UI_KEY_ESC) {
        return take_escape(in, used);
    }
    ch = take_char(in->byte, in->n, used);
    return ch > 0 ? plain_key(ch) : ch;
}

/* Nothing more came: an ESC was the key, the rest of a character is none. */
static int give_up(struct input *in, size_t *used)
{
    if (in->is_pasting) {
        in->is_pasting = false;
        *used = 0;
        return UI_KEY_NONE;
    }
    if (in->byte[0] == UI_KEY_ESC) {
        *used = 1;
        return UI_KEY_ESC;
    }
    return UI_KEY_NONE;
}

int input_key(struct input *in, int64_t now_ns)
{
    while (in->n) {
        size_t used = 1;
        int key = take_front(in, &used);

        if (key == TAKE_MORE) {
            if (in->n < INPUT_CAP && now_ns < due_ns(in)) {
                return UI_KEY_NONE;
            }
            key = give_up(in, &used);
        }
        used = used < in->n ? used : in->n;
        memmove(in->byte, in->byte + used, in->n - used);
        in->n -= used;
        if (key != UI_KEY_NONE) {
            return key;
        }
    }
    return UI_KEY_NONE;
}

int64_t input_due_ns(const struct input *in)
{
    return in->n ? due_ns(in) : INT64_MAX;
}
