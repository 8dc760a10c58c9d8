/* SPDX-License-Identifier: PostgreSQL */
/* What a put-wal that was interrupted left in incoming. */
#include "base/clock.h"
#include "base/log.h"
#include "engine/put_wal.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEFT_OVER_S 3600

/* ".<pid>-<name of a WAL file>" of a process that is gone. */
static bool is_left_over(const char *path, struct str name)
{
    struct stat st;
    uint64_t pid;

    if (!str_take_char(&name, '.') || !str_take_u64(&name, INT32_MAX, &pid) ||
        !str_take_char(&name, '-') || wal_name_kind(name, WAL_CASE_EITHER) == WAL_NAME_OTHER) {
        return false;
    }
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && pid > 1 &&
           kill((pid_t)pid, 0) != 0 && errno == ESRCH &&
           (int64_t)st.st_ctim.tv_sec + LEFT_OVER_S < clock_wall_ns() / NS_PER_S;
}

void put_left_remove(const struct repo *r)
{
    struct names names;
    struct err ignored;
    struct arena a;

    arena_init(&a, 0);
    if (dir_names(&a, r->incoming_dir, DIR_MAY_MISS, &names, &ignored)) {
        for (size_t i = 0; i < names.n && names.name[i][0] <= '.'; i++) {
            char path[PATH_CAP];

            if (path_join(path, r->incoming_dir, names.name[i], &ignored) &&
                is_left_over(path, str_of(names.name[i])) && unlink(path) == 0) {
                log_line(LOG_WARNING, "removed '%s', which an interrupted put-wal left", path);
            }
        }
    }
    arena_release(&a);
}
