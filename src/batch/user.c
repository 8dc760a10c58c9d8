/* SPDX-License-Identifier: PostgreSQL */
#include "user.h"

#include "barkeep/str.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USERS "/etc/passwd"

/* Is this the user we are, as the first line of that name in the file of the host's own users says?
 * Asking getpwnam() for everybody means to load what else may know users, at each start. */
static bool is_me(const char *name)
{
    char text[4096];
    struct str rest, line, field;
    uint64_t uid;
    ssize_t n;
    int fd = open(USERS, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return false;
    }
    n = read(fd, text, sizeof text);
    close(fd);
    rest = str_n(text, n > 0 ? (size_t)n : 0);
    /* The last line of a longer file may not be whole. */
    while (str_line(&rest, &line) && (rest.n > 0 || n < (ssize_t)sizeof text)) {
        if (str_split(&line, ':', &field) && str_eq(field, name)) {
            return str_split(&line, ':', &field) && str_split(&line, ':', &field) &&
                   str_u64(field, UINT32_MAX, &uid) && uid == geteuid();
        }
    }
    return false;
}

bool user_switch(const char *name, struct err *err)
{
    struct passwd *pw;

    if (is_me(name)) {
        return true;
    }
    pw = getpwnam(name);

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
