/* SPDX-License-Identifier: PostgreSQL */
/* desk_idle CONFIG PROGRAM SETTLE SECONDS - what the workers of the console cost while nobody
 * presses a key: after SETTLE seconds, for SECONDS, one line of "key=value". News are taken and
 * thrown away, as a screen takes them. */
#include "base/clock.h"
#include "cfg/config.h"
#include "workers/desk.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int64_t cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * US_PER_S + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* How many news came. */
static unsigned take_for(struct road_end *road, int64_t ns)
{
    int64_t until = clock_mono_ns() + ns;
    unsigned n = 0;

    while (clock_mono_ns() < until) {
        struct pollfd fd = {.fd = road->fd, .events = POLLIN};
        struct news news;

        while (road->take(road->self, &news)) {
            news_release(&news);
            n++;
        }
        poll(&fd, 1, (int)((until - clock_mono_ns()) / NS_PER_MS) + 1);
    }
    return n;
}

static void print_status(const char *key)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];

    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            line[strcspn(line, "\n")] = '\0';
            printf(" %s", line);
        }
    }
    if (f) {
        fclose(f);
    }
}

int main(int argc, char **argv)
{
    struct cfg_messages warnings = {0};
    struct err err = {0};
    struct desk_spec spec = {0};
    struct road_end road;
    struct desk *desk;
    struct arena a;
    int64_t cpu, begin;
    unsigned news;

    if (argc != 5) {
        fprintf(stderr, "usage: desk_idle CONFIG PROGRAM SETTLE SECONDS\n");
        return 2;
    }
    arena_init(&a, 0);
    spec.config = config_load(&a, argv[1], &warnings, &err);
    spec.program = argv[2];
    spec.config_path = argv[1];
    desk = spec.config ? desk_new(&spec, &err) : NULL;
    if (!desk) {
        fprintf(stderr, "%s: %s\n", err.what, err.why);
        return 1;
    }
    road = desk_end(desk);
    take_for(&road, strtol(argv[3], NULL, 10) * NS_PER_S);
    cpu = cpu_us();
    news = take_for(&road, strtol(argv[4], NULL, 10) * NS_PER_S);
    cpu = cpu_us() - cpu;
    printf("servers=%zu news=%u cpu_us=%lld of_a_core=%.3f%%", spec.config->servers, news,
           (long long)cpu, (double)cpu / (double)strtol(argv[4], NULL, 10) / 1e4);
    print_status("VmRSS");
    print_status("Threads");
    begin = clock_mono_ns();
    desk_free(desk);
    printf(" end_us=%lld\n", (long long)((clock_mono_ns() - begin) / 1000));
    arena_release(&a);
    return 0;
}
