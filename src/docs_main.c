/* SPDX-License-Identifier: PostgreSQL */
/* barkeep-docs man|bash|zsh|fish: the manual page or a completion, on stdout. Part of the
 * build, not installed. */
#include "batch/docs.h"

#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } kinds[] = {
        {"man", docs_man}, {"bash", docs_bash}, {"zsh", docs_zsh}, {"fish", docs_fish}};

    for (size_t i = 0; argc == 2 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].write(stdout);
            return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
        }
    }
    fprintf(stderr, "usage: barkeep-docs man|bash|zsh|fish\n");
    return 2;
}
