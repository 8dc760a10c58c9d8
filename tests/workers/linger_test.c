/* SPDX-License-Identifier: PostgreSQL */
/* Rules from logind.conf(5), on a root directory made for each row. */
#include "workers/linger.h"

#include "base/file.h"
#include "harness.h"

#include <stdlib.h>

#define YES "[Login]\nKillUserProcesses=yes\n"
#define NO  "[Login]\nKillUserProcesses=no\n"

static const struct row {
    const char *label;
    struct {
        const char *path, *text;
    } file[3];
    const char *user;
    bool kills;
} rows[] = {
    {"nothing configured", {{0}}, "barman", false},
    {"killed", {{"etc/systemd/logind.conf", YES}}, "barman", true},
    {"said otherwise",
     {{"etc/systemd/logind.conf", "[Login]\n KillUserProcesses = TRUE \n"}},
     "barman",
     true},
    {"commented out",
     {{"etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n"}},
     "barman",
     false},
    {"in another section",
     {{"etc/systemd/logind.conf", "[Other]\nKillUserProcesses=yes\n"}},
     "barman",
     false},
    {"before any section",
     {{"etc/systemd/logind.conf", "KillUserProcesses=yes\n"}},
     "barman",
     false},
    {"root is spared", {{"etc/systemd/logind.conf", YES}}, "root", false},
    {"unless nobody is",
     {{"etc/systemd/logind.conf", YES "KillExcludeUsers=\n"}},
     "root",
     true},
    {"spared by name",
     {{"etc/systemd/logind.conf", YES "KillExcludeUsers=root barman\n"}},
     "barman",
     false},
    {"only others",
     {{"etc/systemd/logind.conf", YES "KillOnlyUsers=guest\n"}},
     "barman",
     false},
    {"only us",
     {{"etc/systemd/logind.conf", YES "KillOnlyUsers=guest barman\n"}},
     "barman",
     true},
    {"lingers",
     {{"etc/systemd/logind.conf", YES}, {"var/lib/systemd/linger/barman", ""}},
     "barman",
     false},
    {"a drop-in wins",
     {{"etc/systemd/logind.conf", NO}, {"etc/systemd/logind.conf.d/kill.conf", YES}},
     "barman",
     true},
    {"a drop-in without .conf does not",
     {{"etc/systemd/logind.conf", NO}, {"etc/systemd/logind.conf.d/kill", YES}},
     "barman",
     false},
    {"the later drop-in wins",
     {{"etc/systemd/logind.conf.d/10.conf", YES},
      {"usr/lib/systemd/logind.conf.d/20.conf", NO}},
     "barman",
     false},
    {"of the same name that in etc",
     {{"etc/systemd/logind.conf.d/10.conf", NO},
      {"usr/lib/systemd/logind.conf.d/10.conf", YES}},
     "barman",
     false},
    {"etc before usr",
     {{"etc/systemd/logind.conf", NO}, {"usr/lib/systemd/logind.conf", YES}},
     "barman",
     false},
};

static void rules(void **state)
{
    const struct row *r = *state;
    char root[PATH_CAP] = "/tmp/barkeep-linger-XXXXXX", path[PATH_CAP], dir[PATH_CAP];
    struct err err = {0};

    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < 3 && r->file[i].path; i++) {
        assert_true(path_join(path, root, r->file[i].path, &err));
        path_dir(path, dir);
        assert_true(dir_make(dir, &err));
        assert_true(file_replace(path, str_of(r->file[i].text), &err));
    }
    assert_int_equal(linger_kills(root, r->user), r->kills);
    assert_true(tree_remove(root, &err));
}

TEST_MAIN(ROWS(rows, rules))
