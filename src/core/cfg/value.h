/* SPDX-License-Identifier: PostgreSQL */
/* value.h - from the text of an entry to the value of a member.
 *
 * Two steps: value_expand() puts %(key)s in and takes the quotes off; value_parse() reads that
 * as the option's type. Neither ever says what the text was: it may be a password.
 */
#ifndef CFG_VALUE_H
#define CFG_VALUE_H

#include "cfg/ini.h"
#include "cfg/option.h"

/* Where %(key)s is looked for, in this order; any may be NULL. */
struct value_scope {
    struct ini_section *section, *defaults, *barman;
};

enum value_expanded {
    VALUE_EXPANDED,
    VALUE_PERCENT, /* expanded, but there is a lone '%', taken as it is */
    VALUE_LOST,    /* a %(key)s that is nowhere, a loop, or too long: *out is NULL */
};

/* NULL for "None" and for the empty text: unset. Marks the entries it uses as referenced.
 * Out of memory sets the arena's flag and is VALUE_LOST. */
enum value_expanded value_expand(struct arena *a, const struct value_scope *scope,
                                 const char *text, const char **out);

enum value_state {
    VALUE_SET,
    VALUE_UNSET,    /* deliberately nothing: stop looking */
    VALUE_FALLBACK, /* nothing, silently: look further */
    VALUE_BAD,      /* look further, with a warning */
};

/* member is where the option's member is; not touched unless VALUE_SET or VALUE_UNSET. text
 * NULL: unset. */
enum value_state value_parse(struct arena *a, const struct option *option, const char *text,
                             void *member);

/* The member's value when nobody says anything. */
void value_default(const struct option *option, void *member);

#endif
