/* SPDX-License-Identifier: PostgreSQL */
#include "ui/place.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static const char *home(void)
{
    const char *dir = getenv("HOME");
    const struct passwd *user;

    if (dir && dir[0] == '/') {
        return dir;
    }
    user = getpwuid(getuid());
    return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

/* The directory that the variable names, else one below the home. */
static bool base_dir(char out[PATH_CAP], const char *variable, const char *below,
                     struct err *err)
{
    const char *dir = getenv(variable);

    if (dir && dir[0] == '/') {
        return path_join(out, dir, "barkeep", err);
    }
    dir = home();
    if (!dir) {
        return err_set(err, ERR_MISSING, "Set HOME.", "", "there is no home directory");
    }
    if (!str_fmt(out, PATH_CAP, "%s/%s/barkeep", dir, below)) {
        return err_set(err, ERR_FORMAT, "Set HOME to a shorter path.", dir, "is too long");
    }
    return true;
}

bool place_config(char out[PATH_CAP], const char *name, struct err *err)
{
    char dir[PATH_CAP];

    return base_dir(dir, "XDG_CONFIG_HOME", ".config", err) && path_join(out, dir, name, err);
}

bool place_state(char out[PATH_CAP], const char *name, struct err *err)
{
    char dir[PATH_CAP];

    return base_dir(dir, "XDG_STATE_HOME", ".local/state", err) &&
           path_join(out, dir, name, err);
}

bool place_state_made(char out[PATH_CAP], const char *name, struct err *err)
{
    char dir[PATH_CAP];

    return base_dir(dir, "XDG_STATE_HOME", ".local/state", err) && dir_make(dir, err) &&
           path_join(out, dir, name, err);
}
