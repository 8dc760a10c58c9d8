/* SPDX-License-Identifier: PostgreSQL */
#include "user.h"

#include "base/sys.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool user_switch(const char *name, struct err *err)
{
    struct passwd *pw = getpwnam(name);

    if (!pw) {
        return err_set(err, ERR_CONFIG, "Create that user, or correct barman_user.", name,
                       "the configured user does not exist");
    }
    if (geteuid() == pw->pw_uid) {
        return true;
    }
    if (geteuid() != 0) {
        return err_set(err, ERR_CONFIG, "", "", "please run barkeep as '%s' user", name);
    }
    if (sys_become(pw->pw_name, pw->pw_uid, pw->pw_gid) != 0) {
        return err_os(err, errno, "become user", name);
    }
    if (setenv("HOME", pw->pw_dir, 1) != 0) {
        return err_os(err, errno, "set HOME of", name);
    }
    return true;
}
