/* SPDX-License-Identifier: PostgreSQL */
/* barkeep-docs man|bash|zsh|fish: the manual page or a completion, on stdout. Part of the
 * build, not installed. The manual ends with the keys of the console, from its key table. */
#include "batch/docs.h"
#include "ui/key.h"

#include <string.h>

/* A text in roff: no hyphen that could be broken, nothing that is taken for a command. */
static void roff(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') {
            fputs(*text == '-' ? "\\-" : "\\e", out);
        } else {
            fputc(*text, out);
        }
    }
}

static void man_key(FILE *out, const struct key_entry *e)
{
    char name[16];

    fputs(".TP\n", out);
    for (size_t i = 0; i < 4 && e->key[i]; i++) {
        if (e->key[i] != '\r') {
            fputs(i ? ", \\fB" : "\\fB", out);
            roff(out, key_text(e->key[i], name));
            fputs("\\fR", out);
        }
    }
    fputs("\n\\&", out);
    roff(out, e->help);
    if (e->command) {
        fputs(" (\\fB:", out);
        roff(out, e->command);
        fputs("\\fR)", out);
    }
    fputs("\n", out);
}

static void man_keys(FILE *out)
{
    static const struct {
        enum key_group group;
        const char *title;
    } groups[] = {
        {GROUP_ACT, "Acting on the selected line"},
        {GROUP_FIND, "Finding"},
        {GROUP_TELL, "Telling others"},
        {GROUP_WIZARD, "The restore wizard"},
        {GROUP_MOVE, "Moving"},
    };

    fputs(
        ".SH KEYS OF THE CONSOLE\n"
        "Each key means one thing wherever it means something; ? lists those of a screen, and\n"
        "tells of each that is off why. What has a command behind a colon can be typed, too.\n",
        out);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        fprintf(out, ".SS %s\n", groups[i].title);
        for (size_t k = 0; k < key_count; k++) {
            if (key_table[k].group == groups[i].group) {
                man_key(out, &key_table[k]);
            }
        }
    }
}

static void man(FILE *out)
{
    docs_man(out);
    man_keys(out);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } kinds[] = {{"man", man}, {"bash", docs_bash}, {"zsh", docs_zsh}, {"fish", docs_fish}};

    for (size_t i = 0; argc == 2 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].write(stdout);
            return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
        }
    }
    fprintf(stderr, "usage: barkeep-docs man|bash|zsh|fish\n");
    return 2;
}
