/* SPDX-License-Identifier: PostgreSQL */
#include "linger.h"

#include "barkeep/arena.h"
#include "barkeep/str.h"
#include "base/file.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF_MAX  ((size_t)256 * 1024)
#define ARENA_MAX ((size_t)16 * 1024 * 1024)

struct verdict {
    bool kills;
    bool is_only;  /* KillOnlyUsers names somebody */
    bool only_us;  /* and the user is one of them */
    bool spare_us; /* KillExcludeUsers names the user */
};

/* Where drop-ins and the file itself may lie, the weakest first. */
static const char *const places[] = {"/usr/lib/systemd", "/run/systemd", "/etc/systemd"};
#define PLACES (sizeof places / sizeof places[0])

static bool is_true(struct str v)
{
    return str_eq_nocase(v, "yes") || str_eq_nocase(v, "true") || str_eq_nocase(v, "on") ||
           str_eq_nocase(v, "1") || str_eq_nocase(v, "y") || str_eq_nocase(v, "t");
}

static bool has_word(struct str list, const char *word)
{
    struct str part;

    while (str_split(&list, ' ', &part)) {
        if (str_eq(part, word)) {
            return true;
        }
    }
    return false;
}

static void take_setting(struct verdict *v, struct str line, const char *user)
{
    struct str key;

    if (!str_split(&line, '=', &key)) {
        return;
    }
    key = str_trim(key);
    line = str_trim(line);
    if (str_eq(key, "KillUserProcesses")) {
        v->kills = is_true(line);
    } else if (str_eq(key, "KillOnlyUsers")) {
        v->is_only = line.n > 0;
        v->only_us = has_word(line, user);
    } else if (str_eq(key, "KillExcludeUsers")) {
        v->spare_us = has_word(line, user);
    }
}

static void take_text(struct verdict *v, struct str text, const char *user)
{
    bool is_login = false;
    struct str line;

    while (str_line(&text, &line)) {
        line = str_trim(line);
        if (str_starts(line, "[")) {
            is_login = str_eq(line, "[Login]");
        } else if (is_login && line.n && line.p[0] != '#' && line.p[0] != ';') {
            take_setting(v, line, user);
        }
    }
}

static bool take_file(struct arena *a, struct verdict *v, const char *path, const char *user)
{
    struct arena_mark mark = arena_mark(a);
    struct err unheard;
    struct str text;
    bool there = file_read(a, path, CONF_MAX, &text, &unheard);

    if (there) {
        take_text(v, text, user);
    }
    arena_reset(a, mark);
    return there;
}

/* The file itself: the strongest there is stands alone. */
static void take_main(struct arena *a, struct verdict *v, const char *root, const char *user)
{
    for (size_t i = PLACES; i > 0; i--) {
        const char *path = arena_fmt(a, "%s%s/logind.conf", root, places[i - 1]);
        if (!path || take_file(a, v, path, user)) {
            return;
        }
    }
}

struct drop_in {
    const char *name;
    size_t place;
};

/* By name; of the same name the stronger one comes last. */
static int by_name(const void *x, const void *y)
{
    const struct drop_in *a = x, *b = y;
    int order = strcmp(a->name, b->name);

    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static void take_drop_ins(struct arena *a, struct verdict *v, const char *root,
                          const char *user)
{
    struct names names[PLACES] = {{0}};
    struct drop_in *all;
    struct err unheard;
    size_t n = 0, most = 0;

    for (size_t i = 0; i < PLACES; i++) {
        const char *dir = arena_fmt(a, "%s%s/logind.conf.d", root, places[i]);
        if (!dir || !dir_names(a, dir, DIR_MAY_MISS, &names[i], &unheard)) {
            names[i].n = 0;
        }
        most += names[i].n;
    }
    all = ARENA_ARRAY(a, most + 1, struct drop_in);
    for (size_t i = 0; all && i < PLACES; i++) {
        for (size_t k = 0; k < names[i].n; k++) {
            if (str_ends(str_of(names[i].name[k]), ".conf")) {
                all[n++] = (struct drop_in){names[i].name[k], i};
            }
        }
    }
    if (n) {
        qsort(all, n, sizeof *all, by_name);
    }
    for (size_t i = 0; i < n; i++) {
        const char *path =
            arena_fmt(a, "%s%s/logind.conf.d/%s", root, places[all[i].place], all[i].name);
        if (path && (i + 1 == n || strcmp(all[i].name, all[i + 1].name) != 0)) {
            (void)take_file(a, v, path, user);
        }
    }
}

bool linger_kills(const char *root, const char *user)
{
    struct verdict v = {.spare_us = strcmp(user, "root") == 0}; /* logind's default */
    const char *lingers;
    struct arena a;
    uint64_t size;
    bool kills;

    arena_init(&a, ARENA_MAX);
    take_main(&a, &v, root, user);
    take_drop_ins(&a, &v, root, user);
    lingers = arena_fmt(&a, "%s/var/lib/systemd/linger/%s", root, user);
    kills = v.kills && !v.spare_us && (!v.is_only || v.only_us) && lingers &&
            file_kind(lingers, &size) == FILE_NONE;
    arena_release(&a);
    return kills;
}

const char *linger_notice(void)
{
    static char notice[256];
    const char *session = getenv("XDG_SESSION_ID");
    const struct passwd *pw = getpwuid(geteuid());

    if (!session || !session[0] || !pw || !linger_kills("", pw->pw_name)) {
        return NULL;
    }
    str_fmt(notice, sizeof notice,
            "jobs end when you log out here: run loginctl enable-linger %s", pw->pw_name);
    return notice;
}
