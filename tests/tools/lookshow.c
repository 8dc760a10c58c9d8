/* SPDX-License-Identifier: PostgreSQL */
/* lookshow - what the console knows of one server, as text, for tests.
 *
 *     lookshow CONFIG SERVER       words on stdin, one a line:
 *
 *     live kept bounds     look_live() and so on; prints "live changed 12 ms" or "live same 0 ms"
 *     show                 the snapshot, then "end":
 *
 *     live STATE VERSION SYSTEMID TLI LSN FLUSHED SLOT        why TEXT       address TEXT
 *     backup ID STATUS TLI WAL_BYTES                          receiving 0|1
 *     stretch TLI main|side open|closed ID BACKUPS
 *     from|first|to US LSN XID proven|about
 *     hole WHY TLI FIRST LAST SEGMENTS FROM_US TO_US hurts|harmless
 *     wal FILES BYTES LAST WAITING SEG_SIZE        rate DAY_BYTES WHOLE_BYTES
 *     memory SNAPSHOT_BYTES
 *     light WORD / sentence TEXT / todo TEXT
 */
#include "base/clock.h"
#include "base/fmt.h"
#include "cfg/config.h"
#include "engine/look.h"
#include "repo/backup_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *known(const char *text)
{
    return text && text[0] ? text : "-";
}

static void print_mark(const char *name, const struct mark *m)
{
    char lsn[FMT_CAP];

    printf("%s %" PRId64 " %s %" PRIu32 " %s\n", name, m->us, fmt_lsn(m->lsn, lsn), m->xid,
           m->is_proven ? "proven" : "about");
}

static uint64_t sum(const struct wal_rate *r)
{
    uint64_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        n += r->bytes[i];
    }
    return n;
}

static void print_coverage(const struct coverage *c)
{
    static const char *const why[] = {"missing", "corrupt", "no_backup"};

    for (size_t i = 0; i < c->stretches; i++) {
        const struct stretch *s = &c->stretch[i];
        printf("stretch %" PRIu32 " %s %s %s %zu\n", s->tli, s->is_main ? "main" : "side",
               s->is_open ? "open" : "closed", s->backup_id, s->backups);
        print_mark("from", &s->from);
        print_mark("first", &s->first);
        print_mark("to", &s->to);
    }
    for (size_t i = 0; i < c->holes; i++) {
        const struct hole *h = &c->hole[i];
        printf("hole %s %" PRIu32 " %s %s %" PRIu64 " %" PRId64 " %" PRId64 " %s\n",
               why[h->why], h->tli, h->first, h->last, h->segments, h->from_us, h->to_us,
               h->hurts ? "hurts" : "harmless");
    }
    printf("wal %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRIu32 "\n", c->wal_files,
           c->wal_bytes, known(c->last_wal), c->waiting, c->seg_size);
    printf("rate %" PRIu64 " %" PRIu64 "\n", sum(&c->day), sum(&c->whole));
}

static void print_live(const struct live *l)
{
    static const char *const state[] = {"not_asked", "ok", "silent", "off"};
    char lsn[FMT_CAP], flushed[FMT_CAP];

    printf("live %s %s %s %" PRIu32 " %s %s %s\n", state[l->state], known(l->version_text),
           known(l->systemid), l->tli, fmt_lsn(l->lsn, lsn), fmt_lsn(l->flushed, flushed),
           l->has_slot ? "slot" : "no_slot");
    printf("archiver %s %s\n",
           !l->archiver_known  ? "unknown"
           : l->archiver_fails ? "fails"
                               : "ok",
           known(l->archiver_failed_wal));
    printf("why %s\naddress %s\n", known(l->why), known(l->address));
}

static bool show(struct look *l)
{
    struct err err;
    struct snapshot *s = look_snapshot(l, &err);

    if (!s) {
        return false;
    }
    print_live(&s->live);
    for (size_t i = 0; i < s->backups; i++) {
        printf("backup %s %s %" PRIu32 " %" PRIu64 "\n", s->backup[i].id,
               backup_status_name(s->backup[i].status), s->backup[i].tli,
               s->backup[i].wal_bytes);
    }
    printf("receiving %d\n", s->is_receiving);
    if (s->coverage) {
        print_coverage(s->coverage);
    }
    printf("memory %zu\nlight %s\nsentence %s\ntodo %s\nend\n", s->arena.used,
           light_word(s->light), known(s->sentence), known(s->todo));
    snapshot_free(s);
    return true;
}

static const struct {
    const char *word;
    bool (*fn)(struct look *l, const struct task *t);
} verbs[] = {{"live", look_live}, {"kept", look_kept}, {"bounds", look_bounds}};

static void run(struct look *l, const char *word)
{
    struct task_sink sink;
    struct task t = task_serial(NULL, NULL, &sink);

    if (strcmp(word, "show") == 0 && !show(l)) {
        printf("no snapshot\nend\n");
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i].word) == 0) {
            int64_t began = clock_mono_ns();
            bool changed = verbs[i].fn(l, &t);
            printf("%s %s %" PRId64 " ms\n", word, changed ? "changed" : "same",
                   (clock_mono_ns() - began) / NS_PER_MS);
        }
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct cfg_messages warnings = {0};
    const struct server_cfg *srv;
    const struct config *cfg;
    struct look *l = NULL;
    struct arena a;
    struct err err;
    char line[64], text[1600];

    arena_init(&a, 0);
    cfg = argc == 3 ? config_load(&a, argv[1], &warnings, &err) : NULL;
    srv = cfg ? config_server(cfg, argv[2]) : NULL;
    if (srv) {
        l = look_new(cfg, (uint32_t)(srv - cfg->server), &err);
    }
    if (!l) {
        fprintf(stderr, "%s\n", cfg && srv ? err_text(&err, text, sizeof text) : "no server");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        run(l, line);
    }
    look_free(l);
    arena_release(&a);
    return EXIT_SUCCESS;
}
