/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/edit.h"

#include "harness.h"

static const struct row {
    const char *label, *text, *want; /* want NULL: refused */
    const char *value;               /* NULL: "new" */
} rows[] = {
    {"replaced", "[m]\nk = old\nl = 1\n", "[m]\nk = new\nl = 1\n", NULL},
    {"with a colon", "[m]\nk: old\n", "[m]\nk = new\n", NULL},
    {"key in another case", "[m]\nK=old\n", "[m]\nk = new\n", NULL},
    {"comments stay", "# a\n[m]\n; k = no\n#k=no\nk = old\n# b\n",
     "# a\n[m]\n; k = no\n#k=no\nk = new\n# b\n", NULL},
    {"continuation goes", "[m]\nk = old\n  more\n\tmore\nl = 1\n", "[m]\nk = new\nl = 1\n",
     NULL},
    {"a comment among continuations stays", "[m]\nk = old\n # c\n  more\nl = 1\n",
     "[m]\nk = new\n # c\nl = 1\n", NULL},
    {"a continuation that looks like an entry", "[m]\nl = 1\n k = no\n",
     "[m]\nl = 1\n k = no\nk = new\n", NULL},
    {"indented", "[m]\n  k = old\n  l = 1\n", "[m]\n  k = new\n  l = 1\n", NULL},
    {"indented, with a continuation", "[m]\n\tk = old\n\t more\n\tl = 1\n",
     "[m]\n\tk = new\n\tl = 1\n", NULL},
    {"before an indented section", "[m]\n [z]\n k = 1\n", "[m]\n k = new\n [z]\n k = 1\n",
     NULL},
    {"added behind indented ones", "[m]\n  l = 1\n[z]\n", "[m]\n  l = 1\nk = new\n[z]\n", NULL},
    {"a section of another name in brackets", "[m]]\nk = 1\n", "[m]]\nk = 1\n\n[m]\nk = new\n",
     NULL},
    {"another section's key", "[a]\nk = 1\n[m]\nl = 2\n[z]\nk = 3\n",
     "[a]\nk = 1\n[m]\nl = 2\nk = new\n[z]\nk = 3\n", NULL},
    {"added behind the last line, before blank lines and comments",
     "[m]\nl = 2\n\n# of z\n[z]\nk = 3\n", "[m]\nl = 2\nk = new\n\n# of z\n[z]\nk = 3\n", NULL},
    {"to an empty section", "[m]\n[z]\n", "[m]\nk = new\n[z]\n", NULL},
    {"the later of two counts", "[m]\nk = 1\nk = 2\n", "[m]\nk = 1\nk = new\n", NULL},
    {"section twice, the later has it", "[m]\nk = 1\n[z]\n[m]\nk = 2\n",
     "[m]\nk = 1\n[z]\n[m]\nk = new\n", NULL},
    {"section twice, the earlier has it", "[m]\nk = 1\n[z]\n[m]\nl = 2\n",
     "[m]\nk = new\n[z]\n[m]\nl = 2\n", NULL},
    {"no section", "[a]\nk = 1\n", "[a]\nk = 1\n\n[m]\nk = new\n", NULL},
    {"no file", "", "[m]\nk = new\n", NULL},
    {"no newline at the end", "[m]\nl = 1", "[m]\nl = 1\nk = new\n", NULL},
    {"no newline at the end of the entry", "[m]\nk = old", "[m]\nk = new\n", NULL},
    {"a section whose name begins alike", "[m2]\nk = 1\n", "[m2]\nk = 1\n\n[m]\nk = new\n",
     NULL},
    {"a key that begins alike", "[m]\nkk = 1\n", "[m]\nkk = 1\nk = new\n", NULL},
    {"the key in a value", "[m]\nl = k = 1\n", "[m]\nl = k = 1\nk = new\n", NULL},
    {"empty value", "[m]\nk = old\n", "[m]\nk = \n", ""},
    {"a line break", "[m]\nk = old\n", NULL, "a\nb"},
    {"a carriage return", "[m]\nk = old\n", NULL, "a\r"},
    {"a new section by a line break", "", NULL, "1\n[barman]\nbarman_home = /"},
};

static void edit(void **state)
{
    const struct row *row = *state;
    const struct cfg_edit e = {"m", "k", row->value ? row->value : "new"};
    struct err err = {0};
    struct str out, again;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = cfg_edit(&a, str_of(row->text), &e, &out, &err);
    assert_int_equal(ok, row->want != NULL);
    if (ok) {
        assert_int_equal(out.n, strlen(row->want));
        assert_memory_equal(out.p, row->want, out.n);
        /* Done twice it is the same: an interrupted change is repeated. */
        assert_true(cfg_edit(&a, out, &e, &again, &err));
        assert_true(str_eq(again, row->want));
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
    }
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, edit))
