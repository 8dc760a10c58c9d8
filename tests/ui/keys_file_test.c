/* SPDX-License-Identifier: PostgreSQL */
#include "harness.h"

#include "ui/keys_file.h"

#include <stdio.h>
#include <stdlib.h>

static const struct row {
    const char *label, *text;
    const char *why; /* NULL: good */
    enum act act;    /* then it has these keys */
    int key[4];
} rows[] = {
    {"another letter", "backup = F", NULL, ACT_BACKUP, {'F'}},
    {"two keys", "quit = q Q", NULL, ACT_QUIT, {'q', 'Q'}},
    {"no key", "delete = none", NULL, ACT_DELETE, {0}},
    {"names", "page_up = pgup CTRL-b Left", "would mean both", 0, {0}},
    {"names that are free", "page_up = pgup CTRL-b", NULL, ACT_PAGE_UP, {UI_KEY_PAGE_UP, 2}},
    {"semicolon", "filter = Semicolon /", NULL, ACT_FILTER, {';', '/'}},
    {"the letter is given away first", "restore = b\nbackup = F", NULL, ACT_RESTORE, {'b'}},
    {"and last", "backup = F\nrestore = b", NULL, ACT_RESTORE, {'b'}},
    {"the same as it was", "backup = b", NULL, ACT_BACKUP, {'b'}},
    {"equal sign", "wrap = w\nzoom_in = =", NULL, ACT_ZOOM_IN, {'='}},

    {"taken by default", "backup = r", "r would mean both 'backup' and 'restore'", 0, {0}},
    {"taken in the file", "backup = F\nwal = F", "F would mean both", 0, {0}},
    {"no such act", "reboot = x", "no act is called 'reboot'", 0, {0}},
    {"no such key", "backup = F13", "'F13' is no key", 0, {0}},
    {"two letters", "backup = bb", "'bb' is no key", 0, {0}},
    {"not ASCII", "backup = \xc3\xa4", "is no key", 0, {0}},
    {"Ctrl-C is a signal", "backup = Ctrl-C", "is no key that can be chosen", 0, {0}},
    {"Ctrl-Z is a signal", "backup = Ctrl-Z", "is no key that can be chosen", 0, {0}},
    {"Ctrl-M is Enter", "backup = Ctrl-M", "is no key that can be chosen", 0, {0}},
    {"Ctrl and a digit", "backup = Ctrl-1", "is no key that can be chosen", 0, {0}},
    {"five keys", "backup = b E F I O", "at most four", 0, {0}},
    {"twice", "backup = F\nbackup = E", "line 1 already", 0, {0}},
    {"nothing", "backup =", "nothing behind", 0, {0}},
    {"no line", "backup", "no '='", 0, {0}},
};

static void parse_row(void **state)
{
    const struct row *r = *state;
    struct key_map map, before;
    struct err err = {0};
    bool ok;

    key_map_init(&map);
    before = map;
    ok = keys_parse(str_of(r->text), "keys.ini", &map, &err);
    assert_int_equal(ok, r->why == NULL);
    if (ok) {
        assert_memory_equal(map.key[r->act], r->key, sizeof r->key);
        return;
    }
    assert_int_equal(err.code, ERR_FORMAT);
    assert_true(strncmp(err.what, "keys.ini:", 9) == 0);
    if (!strstr(err.why, r->why)) {
        fail_msg("'%s' does not say '%s'", err.why, r->why);
    }
    assert_memory_equal(&map, &before, sizeof map);
}

static void every_act_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = ACT_NONE + 1; a < ACT_COUNT; a++) {
        assert_non_null(keys_act_name((enum act)a));
        for (int b = ACT_NONE + 1; b < a; b++) {
            assert_string_not_equal(keys_act_name((enum act)a), keys_act_name((enum act)b));
        }
    }
}

/* themes/keys.ini as it is changes nothing; with its lines uncommented neither, and it lists
 * every act. */
static void the_sample_is_what_is_built_in(void **state)
{
    static char sample[32768], bare[32768];
    struct key_map map, plain;
    struct err err = {0};
    char *out = bare;
    FILE *f = fopen(TEST_DATA "/../../themes/keys.ini", "r");
    int lines = 0;

    (void)state;
    assert_non_null(f);
    sample[fread(sample, 1, sizeof sample - 1, f)] = '\0';
    fclose(f);
    key_map_init(&plain);
    map = plain;
    assert_true(keys_parse(str_of(sample), "sample", &map, &err));
    assert_memory_equal(&map, &plain, sizeof map);

    for (const char *line = sample; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (line[0] == ';' && line[1] >= 'a' && line[1] <= 'z') { /* ";act = keys" */
            size_t n = strcspn(line, "\n");
            memcpy(out, line + 1, n - 1);
            out += n - 1;
            *out++ = '\n';
            lines++;
        }
    }
    memset(&map, 0, sizeof map);
    map.key[ACT_OPEN][1] = '\r'; /* what a terminal sends for Enter has no name of its own */
    if (!keys_parse(str_n(bare, (size_t)(out - bare)), "bare", &map, &err)) {
        fail_msg("%s: %s", err.what, err.why);
    }
    assert_int_equal(lines, ACT_COUNT - 1);
    for (int act = ACT_NONE + 1; act < ACT_COUNT; act++) {
        for (int i = 0; i < 4; i++) {
            int want = plain.key[act][i] == '\r' ? 0 : plain.key[act][i];
            if (map.key[act][i] != want) {
                fail_msg("%s: key %d of the sample is %x, the table has %x",
                         keys_act_name((enum act)act), i, (unsigned)map.key[act][i],
                         (unsigned)want);
            }
        }
    }
}

TEST_MAIN(ROWS(rows, parse_row), ONE(every_act_has_a_name_of_its_own),
          ONE(the_sample_is_what_is_built_in))
