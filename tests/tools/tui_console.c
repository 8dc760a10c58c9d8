/* SPDX-License-Identifier: PostgreSQL */
/* tui_console - the console on a scripted road, for the tests of the terminal: the screen, its
 * loop and its views are the real ones, what comes up the road is the story of tests/ui/story.h.
 *
 *     tui_console [OPTION...]
 *       servers=N     so many servers with made-up names instead of the story's
 *       hostile       names and texts that try to talk to the terminal
 *       theme=NAME    symbols=block|ascii
 *       flood         news without end, as fast as they are taken
 *       bug           Ctrl-R is a broken promise (BUG_IF)
 */
#include "../ui/story.h"

#include "base/bug.h"
#include "ui/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define SERVERS_MAX 1000

static const char hostile[] = "evil\033]0;pwned\007\033[2J\033[31m\x9b"
                              "5n\xe2\x80\xae\xff\n\r\t\b\x7f";

static struct {
    char name_mem[SERVERS_MAX][24];
    const char *name[SERVERS_MAX];
    uint32_t servers, sent;
    bool is_story, is_hostile, floods, has_bug, has_jobs;
    int pipe[2];
    unsigned flooded;
} road;

static struct snapshot *made_up(uint32_t index)
{
    struct snapshot *s = story_snapshot(index % 2 ? 1 : 0);

    s->index = index;
    s->server = road.name[index];
    if (road.is_hostile) {
        s->light = LIGHT_FAIL;
        s->sentence = s->todo = s->live.address = s->live.version_text = hostile;
    }
    return s;
}

static bool take(void *self, struct news *out)
{
    char byte;

    (void)self;
    memset(out, 0, sizeof *out);
    if (road.sent < road.servers) {
        *out = (struct news){.kind = NEWS_SNAPSHOT,
                             .snapshot = road.is_story ? story_snapshot(road.sent)
                                                       : made_up(road.sent)};
        road.sent++;
        return true;
    }
    if (!road.has_jobs) {
        road.has_jobs = true;
        *out = (struct news){.kind = NEWS_JOBS, .jobs = story_jobs()};
        return true;
    }
    if (road.floods) {
        *out = (struct news){.kind = NEWS_PROGRESS,
                             .job = 41,
                             .when_ns = clock_mono_ns(),
                             .progress = {.done = ++road.flooded, .total = 4000000000u}};
        str_copy(out->progress.what, sizeof out->progress.what, "base/16390/41198.12");
        return true;
    }
    if (read(road.pipe[0], &byte, 1) < 0) {
        return false; /* it was empty already */
    }
    return false;
}

static bool order(void *self, const struct order *o)
{
    (void)self;
    BUG_IF(road.has_bug && o->kind == ORDER_REFRESH);
    ask_free(o->ask);
    return true;
}

static void name_servers(uint32_t n)
{
    road.servers = n;
    for (uint32_t i = 0; i < n; i++) {
        if (road.is_hostile) {
            snprintf(road.name_mem[i], sizeof road.name_mem[i], "%u%s", i, hostile);
        } else {
            snprintf(road.name_mem[i], sizeof road.name_mem[i], "db-%03u", i);
        }
        road.name[i] = road.name_mem[i];
    }
}

static void name_story(void)
{
    road.is_story = true;
    road.servers = STORY_SERVERS;
    memcpy(road.name, story_server, sizeof story_server);
}

int main(int argc, char **argv)
{
    struct screen_setup setup = {.program = "/usr/bin/barkeep"};
    int status;

    name_story();
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strncmp(arg, "servers=", 8) == 0) {
            road.is_story = false;
            name_servers((uint32_t)strtoul(arg + 8, NULL, 10));
        } else if (strcmp(arg, "hostile") == 0) {
            road.is_hostile = true;
            road.is_story = false;
            name_servers(3);
        } else if (strncmp(arg, "theme=", 6) == 0) {
            setup.theme = arg + 6;
        } else if (strncmp(arg, "symbols=", 8) == 0) {
            setup.symbols = arg + 8;
        } else if (strcmp(arg, "flood") == 0) {
            road.floods = true;
        } else if (strcmp(arg, "bug") == 0) {
            road.has_bug = true;
        } else {
            fprintf(stderr, "tui_console: '%s'?\n", arg);
            return 2;
        }
    }
    if (pipe(road.pipe) != 0 || fcntl(road.pipe[0], F_SETFL, O_NONBLOCK) != 0 ||
        write(road.pipe[1], "", 1) != 1) {
        return 1;
    }
    setup.server = road.name;
    setup.servers = road.servers;
    setup.road = (struct road_end){NULL, road.pipe[0], take, order};
    status = screen_run(&setup);
    if (status < 0) {
        puts("status text instead of a screen");
        return 0;
    }
    return status;
}
