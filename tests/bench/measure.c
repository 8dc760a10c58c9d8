/* SPDX-License-Identifier: PostgreSQL */
/* measure - run one command and say what it took, on one line of numbers.
 *
 *     measure [--touch MIB] [--repeat N] -- COMMAND [ARG...]
 *
 * Prints: wall_s user_s sys_s peak_kib status. The command's output goes to /dev/null. wall is
 * CLOCK_MONOTONIC around fork and wait; user, sys and peak are of the whole process tree that
 * was waited for (wait4), peak of its largest process. --touch maps and touches that much
 * memory first: on a virtual machine the first touch of a page costs the host, and whoever runs
 * first would pay for all. --repeat runs it N times and prints the median of each number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

struct took {
    double wall, user, sys, peak;
    int status;
};

/* In a process of its own: the peak of a parent counts as its child's until the exec is done.
 * By huge pages where there are any: thousands of faults instead of millions. */
static void touch(size_t mib)
{
    size_t n = mib * 1024 * 1024;
    pid_t pid = n ? fork() : -1;

    if (pid == 0) {
        char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        (void)madvise(p, n, MADV_HUGEPAGE);
        for (size_t i = 0; p != MAP_FAILED && i < n; i += 4096) {
            p[i] = 1;
        }
        _exit(0);
    }
    if (pid > 0) {
        waitpid(pid, NULL, 0);
    }
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static struct took run(char **argv)
{
    struct took t = {0};
    struct rusage use;
    double start = now();
    pid_t pid = vfork();
    int status;

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (!getenv("MEASURE_SHOW")) {
            dup2(null, 1);
            dup2(null, 2);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &use) < 0) {
        perror("wait4");
        exit(2);
    }
    t.wall = now() - start;
    t.user = seconds(use.ru_utime);
    t.sys = seconds(use.ru_stime);
    t.peak = (double)use.ru_maxrss;
    t.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return t;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int main(int argc, char **argv)
{
    static double wall[RUNS_MAX], user[RUNS_MAX], sys[RUNS_MAX], peak[RUNS_MAX];
    int runs = 1, at = 1, status = 0;

    for (; at + 1 < argc && strcmp(argv[at], "--") != 0; at += 2) {
        if (strcmp(argv[at], "--touch") == 0) {
            touch((size_t)strtoul(argv[at + 1], NULL, 10));
        } else if (strcmp(argv[at], "--repeat") == 0) {
            runs = (int)strtol(argv[at + 1], NULL, 10);
        }
    }
    if (at + 1 >= argc || runs < 1 || runs > RUNS_MAX) {
        fputs("usage: measure [--touch MIB] [--repeat N] -- COMMAND [ARG...]\n", stderr);
        return 2;
    }
    for (int i = 0; i < runs; i++) {
        struct took t = run(argv + at + 1);
        wall[i] = t.wall;
        user[i] = t.user;
        sys[i] = t.sys;
        peak[i] = t.peak;
        status = t.status ? t.status : status;
    }
    printf("%.4f %.4f %.4f %.0f %d\n", median(wall, runs), median(user, runs),
           median(sys, runs), median(peak, runs), status);
    return 0;
}
