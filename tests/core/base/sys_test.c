/* SPDX-License-Identifier: PostgreSQL */
/* Linux calls: what the kernel itself says of them afterwards. */
#include "base/sys.h"

#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CORE_FLAG 0x80 /* of wait(): a core was dumped */

/* A limit of 0 is raised: it does not hold for a pipe. In a directory that is removed, with the
 * limit as high as it may be, and with none. */
static void dies_without_a_core_from(rlim_t (*limit)(rlim_t max))
{
    char dir[] = "/tmp/barkeep-core-XXXXXX";
    int status;
    pid_t pid;

    assert_non_null(mkdtemp(dir));
    pid = fork();
    if (pid == 0) {
        struct rlimit r;

        if (chdir(dir) != 0 || getrlimit(RLIMIT_CORE, &r) != 0) {
            _exit(99);
        }
        r.rlim_cur = limit(r.rlim_max);
        if (setrlimit(RLIMIT_CORE, &r) != 0) {
            _exit(98);
        }
        sys_no_core();
        if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_cur != (r.rlim_max ? 1 : 0)) {
            _exit(97);
        }
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_int_equal(status & CORE_FLAG, 0);
    assert_int_equal(rmdir(dir), 0);
}

static rlim_t as_high_as_may_be(rlim_t max)
{
    return max;
}

static rlim_t zero(rlim_t max)
{
    (void)max;
    return 0;
}

static void dies_without_a_core(void **state)
{
    (void)state;
    dies_without_a_core_from(as_high_as_may_be);
    dies_without_a_core_from(zero);
}

static void mounts_have_numbers(void **state)
{
    uint64_t root = 0, proc = 0, self = 0;

    (void)state;
    assert_int_equal(sys_mount_id("/", &root), 0);
    assert_int_equal(sys_mount_id("/proc", &proc), 0);
    assert_int_equal(sys_mount_id("/proc/self/status", &self), 0);
    assert_int_not_equal(root, proc);
    assert_int_equal(proc, self);
    assert_int_equal(sys_mount_id("/nowhere/at/all", &root), -1);
    assert_int_equal(errno, ENOENT);
}

TEST_MAIN(ONE(dies_without_a_core), ONE(mounts_have_numbers))
