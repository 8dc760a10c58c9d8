/* SPDX-License-Identifier: PostgreSQL */
/* moments - the answers about moments, points, backups and plans as text, for tests against a
 * server.
 *
 *     moments CONF SERVER moment KIND TEXT [exclusive] [TLI]     KIND: latest time xid lsn name
 *                                                                immediate
 *     can 1        backup ID        tli N        sentence ...        hint ...
 *     before XID US LSN PROVEN      stop ...     below ...           above ...
 *
 *     moments CONF SERVER points FROM_US TO_US
 *     point KIND US LSN TLI NAME      commits US COUNT (of each step that has some)
 *     read SEGMENTS OF PARTS
 *
 *     moments CONF SERVER backup ID
 *     files N MANIFEST      wal FROM TO      tree DIR      file SIZE PATH ...
 *
 *     moments CONF SERVER plan KIND TEXT BACKUP DESTINATION
 *     holds 1   backup ID   tli N   bytes N   segments N   replay FROM TO
 *     line ID VERDICT SENTENCE | HINT
 */
#include "base/fmt.h"
#include "cfg/config.h"
#include "engine/moment.h"
#include "engine/plan_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call {
    struct task t;
    struct task_sink sink;
    struct arena a;
    const struct config *config;
    const struct server_cfg *srv;
    struct err err;
};

static void say(void *ctx, enum say kind, const char *line)
{
    (void)ctx;
    (void)kind;
    fprintf(stderr, "%s\n", line);
}

static bool read_goal(struct goal *goal, const char *kind, const char *text)
{
    static const char *const names[] = {
        [GOAL_LATEST] = "latest", [GOAL_TIME] = "time", [GOAL_XID] = "xid",
        [GOAL_LSN] = "lsn",       [GOAL_NAME] = "name", [GOAL_IMMEDIATE] = "immediate"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(kind, names[i]) == 0) {
            goal->kind = (enum goal_kind)i;
            return str_copy(goal->text, sizeof goal->text, text);
        }
    }
    return false;
}

static void print_mark(const char *word, const struct mark *m)
{
    char lsn[FMT_CAP];

    printf("%s %" PRIu32 " %" PRId64 " %s %d\n", word, m->xid, m->us, fmt_lsn(m->lsn, lsn),
           m->is_proven);
}

static bool do_moment(struct call *c, char **arg, int n)
{
    struct goal goal = {.kind = GOAL_LATEST};
    struct answer_moment m;
    uint64_t tli;

    if (n < 2 || !read_goal(&goal, arg[0], arg[1])) {
        return false;
    }
    for (int i = 2; i < n; i++) {
        if (strcmp(arg[i], "exclusive") == 0) {
            goal.is_exclusive = true;
        } else if (str_u64(str_of(arg[i]), UINT32_MAX, &tli)) {
            goal.tli = (pg_tli)tli;
        }
    }
    if (!moment_find(&c->t, c->config, c->srv, &goal, &c->a, &m, &c->err)) {
        return false;
    }
    printf("can %d\nbackup %s\ntli %" PRIu32 "\n", m.can_restore, m.backup_id, m.tli);
    printf("sentence %s\nhint %s\n", m.sentence, m.hint);
    print_mark("before", &m.before);
    print_mark("stop", &m.stop);
    print_mark("below", &m.below);
    print_mark("above", &m.above);
    return true;
}

static void count_part(void *ctx, const struct answer_points *so_far)
{
    unsigned *parts = ctx;

    (void)so_far;
    ++*parts;
}

static bool do_points(struct call *c, char **arg, int n)
{
    static const char *const kinds[] = {"restore_point", "backup", "switch"};
    unsigned parts = 0;
    struct points_spec spec = {.ctx = &parts, .part = count_part};
    struct answer_points p;
    char lsn[FMT_CAP];

    if (n != 2 || !str_i64(str_of(arg[0]), &spec.from_us) ||
        !str_i64(str_of(arg[1]), &spec.to_us) ||
        !points_read(&c->t, c->config, c->srv, &spec, &c->a, &p, &c->err)) {
        return false;
    }
    for (size_t i = 0; i < p.points; i++) {
        printf("point %s %" PRId64 " %s %" PRIu32 " %s\n", kinds[p.point[i].kind],
               p.point[i].at.us, fmt_lsn(p.point[i].at.lsn, lsn), p.point[i].tli,
               p.point[i].name);
    }
    for (size_t i = 0; i < p.commits.n; i++) {
        if (p.commits.bytes[i]) {
            printf("commits %" PRId64 " %" PRIu64 "\n",
                   p.commits.from_us + (int64_t)i * p.commits.step_us, p.commits.bytes[i]);
        }
    }
    printf("read %" PRIu64 " %" PRIu64 " %u\n", p.segments, p.of, parts);
    return true;
}

static bool do_backup(struct call *c, char **arg, int n)
{
    struct answer_backup b;

    if (n != 1 || !backup_detail(&c->t, c->config, c->srv, arg[0], &c->a, &b, &c->err)) {
        return false;
    }
    printf("files %" PRIu64 " %d\nwal %s %s\ntree %s\n", b.files, b.has_manifest, b.needed_from,
           b.needed_to, b.tree);
    for (size_t i = 0; i < b.largests; i++) {
        printf("file %" PRIu64 " %s\n", b.largest[i].size, b.largest[i].path);
    }
    return true;
}

static bool do_plan(struct call *c, char **arg, int n)
{
    struct restore_request who = {.config = c->config, .server = c->srv, .program = "barkeep"};
    struct restore_words words = {.where = WHERE_COPY};
    struct answer_plan p;

    if (n != 4 || !read_goal(&words.goal, arg[0], arg[1]) ||
        !str_copy(words.backup, sizeof words.backup, arg[2]) ||
        !str_copy(words.destination, sizeof words.destination, arg[3]) ||
        !engine_plan(&c->t, &words, &who, &c->a, &p, &c->err)) {
        return false;
    }
    printf("holds %d\nbackup %s\ntli %" PRIu32 "\nbytes %" PRIu64 "\nsegments %" PRIu64 "\n",
           p.holds, p.backup_id, p.tli, p.bytes, p.segments);
    printf("replay %" PRId64 " %" PRId64 "\n", p.replay_from_us, p.replay_to_us);
    for (size_t i = 0; i < p.lines; i++) {
        printf("line %s %d %s | %s\n", p.line[i].id, p.line[i].verdict, p.line[i].sentence,
               p.line[i].hint);
    }
    return true;
}

static bool run(struct call *c, int argc, char **argv)
{
    static const struct {
        const char *word;
        bool (*run)(struct call *c, char **arg, int n);
    } verbs[] = {
        {"moment", do_moment}, {"points", do_points}, {"backup", do_backup}, {"plan", do_plan}};
    struct cfg_messages warnings = {0};

    c->config = config_load(&c->a, argv[1], &warnings, &c->err);
    c->srv = c->config ? config_server(c->config, argv[2]) : NULL;
    for (size_t i = 0; c->srv && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[3], verbs[i].word) == 0) {
            return verbs[i].run(c, argv + 4, argc - 4);
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct call c = {.config = NULL};
    char text[1600];
    bool ok;

    arena_init(&c.a, 0);
    c.t = task_serial(say, NULL, &c.sink);
    ok = argc > 4 && run(&c, argc, argv);
    if (!ok) {
        fprintf(stderr, "%s\n", c.err.code ? err_text(&c.err, text, sizeof text) : "usage");
    }
    arena_release(&c.a);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
