/* SPDX-License-Identifier: PostgreSQL */
/* keys - how fast a full-screen program answers, and what it costs when nothing happens.
 *
 *     keys [-n KEYS] [-i IDLE-SECONDS] [-c COLS] [-r ROWS] [-w WARM-UP-SECONDS] PROGRAM [ARGUMENT...]
 *
 * On a pseudo terminal: the time to the first byte, then alternately j and k, each written after
 * the answer to the one before, and the time until the first byte of its answer; then a while
 * without keys. One line, times in milliseconds:
 *
 *     first 31.2  key median 1.8 p99 3.9 max 4.2  idle cpu 0.12 %  bytes/s 0  rss 12.4 MiB
 *
 * Exit status 1 when a key got no answer within 5 s.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS_MAX 100000

static double answer[KEYS_MAX];
static size_t received;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Something came within ms. */
static int look(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char mem[65536];
    ssize_t n;

    if (poll(&p, 1, ms) <= 0) {
        return 0;
    }
    n = read(fd, mem, sizeof mem);
    if (n <= 0) {
        return 0;
    }
    received += (size_t)n;
    return 1;
}

static void drain(int fd, int quiet_ms)
{
    double until = now_ms() + 2000;

    while (now_ms() < until && look(fd, quiet_ms)) {
    }
}

static void watch(int fd, double seconds)
{
    double until = now_ms() + seconds * 1e3;

    while (now_ms() < until) {
        look(fd, 100);
    }
}

static int by_size(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* User and system time of all threads, in seconds. */
static double cpu_of(pid_t pid)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    FILE *f;
    char *p;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (!f) {
        return 0;
    }
    p = fgets(line, sizeof line, f);
    fclose(f);
    p = p ? strrchr(line, ')') : NULL;
    if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &system) != 2) {
        return 0;
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double peak_mib(pid_t pid)
{
    char path[64], line[256];
    unsigned long kib = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "VmHWM: %lu kB", &kib) == 1) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return (double)kib / 1024;
}

static int measure_keys(int fd, int keys)
{
    for (int i = 0; i < keys; i++) {
        double began = now_ms();

        if (write(fd, i % 2 ? "k" : "j", 1) != 1 || !look(fd, 5000)) {
            fprintf(stderr, "keys: key %d got no answer\n", i);
            return 0;
        }
        answer[i] = now_ms() - began;
        drain(fd, 5);
    }
    qsort(answer, (size_t)keys, sizeof answer[0], by_size);
    return 1;
}

static struct {
    int keys, idle, cols, rows, warm;
} options = {200, 10, 140, 40, 2};

static int read_options(int argc, char **argv)
{
    int opt;

    while ((opt = getopt(argc, argv, "+n:i:c:r:w:")) != -1) {
        int v = optarg ? atoi(optarg) : 0;

        switch (opt) {
        case 'n':
            options.keys = v;
            break;
        case 'i':
            options.idle = v;
            break;
        case 'c':
            options.cols = v;
            break;
        case 'r':
            options.rows = v;
            break;
        case 'w':
            options.warm = v;
            break;
        default:
            return 0;
        }
    }
    return optind < argc && options.keys > 0 && options.keys <= KEYS_MAX;
}

static pid_t start(char **argv, int *fd)
{
    struct winsize size = {.ws_col = (unsigned short)options.cols,
                           .ws_row = (unsigned short)options.rows};
    pid_t pid = forkpty(fd, NULL, NULL, &size);

    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static void measure_idle(pid_t pid, int fd, double first)
{
    double cpu = cpu_of(pid), began = now_ms(), took;
    size_t before = received;
    int n = options.keys;

    watch(fd, options.idle);
    took = (now_ms() - began) / 1e3;
    cpu = cpu_of(pid) - cpu;
    printf("first %.1f  key median %.1f p99 %.1f max %.1f  idle cpu %.2f %%  bytes/s %.0f  "
           "rss %.1f MiB\n",
           first, answer[n / 2], answer[n * 99 / 100], answer[n - 1],
           took > 0 ? 100 * cpu / took : 0.0,
           took > 0 ? (double)(received - before) / took : 0.0, peak_mib(pid));
}

int main(int argc, char **argv)
{
    double began = now_ms(), first;
    int fd, ok;
    pid_t pid;

    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: keys [-n N] [-i S] [-c COLS] [-r ROWS] [-w S] PROGRAM...\n");
        return 2;
    }
    pid = start(argv + optind, &fd);
    if (pid < 0) {
        return 2;
    }
    ok = look(fd, 10000);
    first = now_ms() - began;
    watch(fd, options.warm);
    ok = ok && measure_keys(fd, options.keys);
    if (ok) {
        measure_idle(pid, fd, first);
    }
    kill(pid, SIGTERM);
    watch(fd, 0.5);
    close(fd);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return ok ? 0 : 1;
}
