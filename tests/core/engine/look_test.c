/* SPDX-License-Identifier: PostgreSQL */
/* A look that has seen every change must tell the same as one that sees the end only, and count
 * WAL as list-backups does. Segments are of 1 MiB; segment n has 1000 + n bytes in the list. */
#include "core/repo/fixture.h"

#include "base/clock.h"
#include "cfg/config.h"
#include "engine/list.h"
#include "engine/look.h"

#include <inttypes.h>
#include <malloc.h>

#define A "20260101T000000"
#define B "20260102T000000"

struct world {
    struct fx fx;
    struct arena arena;
    const struct config *config;
    struct look *look;
};

static void write_conf(struct world *w)
{
    struct cfg_messages warnings = {0};
    const char *path = fx_fmt("%s/barman.conf", w->fx.root);
    struct err err;

    fx_text(path, fx_fmt("[barman]\nbarman_home = %s\n[main]\nbackup_method = postgres\n"
                         "streaming_archiver = on\nactive = false\n"
                         "retention_policy = redundancy 1\n"
                         "slot_name = barman\nstreaming_conninfo = host=/nowhere\n"
                         "conninfo = host=/nowhere port=9 password=geheim\n",
                         w->fx.root));
    arena_init(&w->arena, 0);
    w->config = config_load(&w->arena, path, &warnings, &err);
    assert_non_null(w->config);
}

static void world_new(struct world *w)
{
    struct err err;

    fx_init(&w->fx);
    write_conf(w);
    w->look = look_new(w->config, 0, &err);
    assert_non_null(w->look);
}

static void world_free(struct world *w)
{
    look_free(w->look);
    arena_release(&w->arena);
    fx_release(&w->fx);
}

/* ---- what is told ------------------------------------------------------------------------ */

static void print(struct look *l, char *out, size_t cap)
{
    struct err err;
    struct snapshot *s = look_snapshot(l, &err);
    struct sbuf b;

    assert_non_null(s);
    sbuf_init(&b, out, cap);
    for (size_t i = 0; i < s->backups; i++) {
        sbuf_fmt(&b, "%s %d wal %" PRIu64 " keep %d %s\n", s->backup[i].id, s->backup[i].status,
                 s->backup[i].wal_bytes, s->backup[i].keep, s->backup[i].retention);
    }
    assert_non_null(s->coverage);
    for (size_t i = 0; i < s->coverage->runs; i++) {
        const struct wal_run *r = &s->coverage->run[i];
        sbuf_fmt(&b,
                 "run %u %" PRIu64 "-%" PRIu64 " %" PRIu64 " bytes %" PRId64 "..%" PRId64 "\n",
                 r->tli, r->first_no, r->last_no, r->bytes, r->from_us, r->to_us);
    }
    for (size_t i = 0; i < s->coverage->stretches; i++) {
        const struct stretch *t = &s->coverage->stretch[i];
        sbuf_fmt(&b, "stretch %u %" PRIX64 "-%" PRIX64 " %d\n", t->tli, t->from.lsn, t->to.lsn,
                 t->is_open);
    }
    for (size_t i = 0; i < s->coverage->holes; i++) {
        const struct hole *h = &s->coverage->hole[i];
        sbuf_fmt(&b, "hole %d %s %s %s\n", h->why, h->first, h->last, h->note ? h->note : "-");
    }
    sbuf_fmt(&b, "files %" PRIu64 " bytes %" PRIu64 " waiting %" PRIu64 " last %s\nlines %zu\n",
             s->coverage->wal_files, s->coverage->wal_bytes, s->coverage->waiting,
             s->coverage->last_wal, s->coverage->lines);
    assert_true(sbuf_ok(&b));
    snapshot_free(s);
}

/* The old look and a new one agree. */
static void agree_alone(struct world *w, const char *want)
{
    static char seen[1 << 16], fresh[1 << 16];
    struct task_sink sink;
    struct task t = task_serial(NULL, NULL, &sink);
    struct look *other;
    struct err err;

    look_kept(w->look, &t);
    print(w->look, seen, sizeof seen);
    other = look_new(w->config, 0, &err);
    assert_non_null(other);
    assert_true(look_kept(other, &t));
    print(other, fresh, sizeof fresh);
    look_free(other);
    assert_string_equal(seen, fresh);
    if (!strstr(seen, want)) {
        fail_msg("no '%s' in:\n%s", want, seen);
    }
}

/* So does list-backups. */
static void agree(struct world *w, const char *want)
{
    struct backup_list list;
    struct snapshot *s;
    struct arena a;
    struct err err;

    agree_alone(w, want);
    arena_init(&a, 0);
    assert_true(list_load(&w->fx.r, &a, &list, &err));
    s = look_snapshot(w->look, &err);
    assert_non_null(s);
    assert_int_equal(s->backups, list.catalogue.n);
    for (size_t i = 0; i < s->backups; i++) {
        assert_int_equal(s->backup[i].wal_bytes, list.wal[s->backups - 1 - i].next_size);
    }
    snapshot_free(s);
    arena_release(&a);
}

/* ---- changes ----------------------------------------------------------------------------- */

static void name_of(pg_tli tli, uint64_t no, char out[WAL_NAME_CAP])
{
    wal_seg_name((struct wal_seg){tli, no}, FX_SEG, out);
}

static void put_file(struct world *w, pg_tli tli, uint64_t no)
{
    char name[WAL_NAME_CAP], path[PATH_CAP];
    struct err err;

    name_of(tli, no, name);
    assert_true(repo_wal_path(&w->fx.r, name, path, &err));
    (void)mkdir(fx_fmt("%s/%.16s", w->fx.r.wals_dir, name), 0700);
    fx_text(path, "WAL");
}

static void put_line(struct world *w, pg_tli tli, uint64_t no)
{
    struct wal_file f = {.size = 1000 + no, .mtime = 1790000000.0 + (double)no * 60};
    struct err err;

    name_of(tli, no, f.name);
    assert_true(xlogdb_append(&w->fx.r, &f, 1, &err));
}

static void put_segment(struct world *w, pg_tli tli, uint64_t no)
{
    put_file(w, tli, no);
    put_line(w, tli, no);
}

static void put_backup(struct world *w, const char *id, uint64_t begin, uint64_t end)
{
    char b[WAL_NAME_CAP], e[WAL_NAME_CAP];

    name_of(1, begin, b);
    name_of(1, end, e);
    fx_text(fx_fmt("%s/%s-backup.info", w->fx.r.meta_dir, id),
            fx_fmt("status=DONE\nmode=postgres\ntimeline=1\nxlog_segment_size=1048576\n"
                   "begin_wal=%s\nbegin_xlog=%" PRIX64 "/%" PRIX64 "\nend_wal=%s\n"
                   "end_xlog=%" PRIX64 "/%" PRIX64 "\n"
                   "end_time=2026-11-22 13:43:59.813183+00:00\n",
                   b, begin >> 12, (begin << 20 | 0x28) & UINT32_MAX, e, end >> 12,
                   (end << 20 | 0x100) & UINT32_MAX));
}

static void remove_segment(struct world *w, pg_tli tli, uint64_t no)
{
    char name[WAL_NAME_CAP], path[PATH_CAP];
    struct err err;

    name_of(tli, no, name);
    assert_true(repo_wal_path(&w->fx.r, name, path, &err));
    assert_int_equal(unlink(path), 0);
}

static enum xlogdb_fate below_5(void *ctx, const struct wal_file *wal)
{
    (void)ctx;
    return strcmp(wal->name, "000000010000000000000005") < 0 ? XLOGDB_DROP : XLOGDB_KEEP;
}

static void prune(struct world *w)
{
    const struct xlogdb_prune p = {.fate = below_5};
    struct err err;

    assert_true(xlogdb_prune(&w->fx.r, &p, &err));
}

static void append_text(struct world *w, const char *text)
{
    FILE *f = fopen(fx_fmt("%s/main-xlog.db", w->fx.r.xlogdb_dir), "a");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_every_change_is_seen(void **state)
{
    struct world w;

    (void)state;
    world_new(&w);
    agree(&w, "files 0 bytes 0 waiting 0");
    put_backup(&w, A, 2, 3);
    agree(&w, "files 0 bytes 0");
    for (uint64_t no = 2; no <= 9; no++) {
        put_segment(&w, 1, no);
    }
    agree(&w, "run 1 2-9 8044 bytes");
    put_segment(&w, 1, 10);
    agree(&w, "run 1 2-10 9054 bytes");
    put_file(&w, 1, 11); /* archived, and not in the list yet */
    agree(&w, "run 1 2-11 9057 bytes");
    put_line(&w, 1, 11);
    put_segment(&w, 1, 12);
    agree(&w, "run 1 2-12 ");
    put_line(&w, 1, 13); /* in the list, and not on the disk */
    agree(&w, "run 1 2-12 ");
    put_file(&w, 1, 13);
    agree(&w, "run 1 2-13 ");
    put_segment(&w, 1, 15);
    agree(&w, "run 1 15-15 1015 bytes");
    put_segment(&w, 1, 14); /* late */
    agree(&w, "run 1 2-15 ");
    put_segment(&w, 1, 16);
    agree(&w, "run 1 2-16 ");
    append_text(&w, "000000010000000000000011\t1000\t1790001"); /* torn */
    agree(&w, "run 1 2-16 ");
    put_segment(&w, 1, 4096); /* another directory */
    agree(&w, "hole 0 000000010000000000000011 000000010000000000000FFF -");
    remove_segment(&w, 1, 8);
    agree(&w, "hole 0 000000010000000000000008 000000010000000000000008 -");
    put_file(&w, 1, 8);
    agree(&w, "run 1 2-16 ");
    put_backup(&w, B, 6, 7);
    agree(&w, "keep 0 OBSOLETE\n"); /* the other one */
    fx_text(fx_fmt("%s/%s-keep", w.fx.r.meta_dir, B), "full");
    agree(&w, "keep 1 KEEP:FULL");
    fx_text(fx_fmt("%s/00000002.history", w.fx.r.wals_dir), "1\t0/1000000\tno reason\n");
    agree(&w, "lines 2");
    put_segment(&w, 2, 16);
    agree(&w, "run 2 16-16 ");
    fx_text(fx_fmt("%s/000000020000000000000011", w.fx.r.streaming_dir), "WAL");
    fx_text(fx_fmt("%s/000000020000000000000012", w.fx.r.incoming_dir), "WAL");
    fx_text(fx_fmt("%s/000000020000000000000013.partial", w.fx.r.streaming_dir), "WAL");
    fx_text(fx_fmt("%s/not WAL", w.fx.r.incoming_dir), "?");
    agree(&w, "waiting 2");
    agree(&w, "stretch 2 300100-1300000 1");
    prune(&w);
    agree(&w, "run 1 5-16 ");
    assert_int_equal(unlink(fx_fmt("%s/main-xlog.db", w.fx.r.xlogdb_dir)), 0);
    agree_alone(&w, "run 1 5-16 "); /* the console makes no list, others do */
    assert_int_equal(fx_xlogdb_lines(&w.fx.r), 15);
    agree(&w, "run 1 5-16 ");
    world_free(&w);
}

static void test_notes_and_damage(void **state)
{
    struct world w;

    (void)state;
    world_new(&w);
    put_backup(&w, A, 2, 3);
    for (uint64_t no = 2; no <= 9; no += no == 5 ? 2 : 1) {
        put_segment(&w, 1, no);
    }
    fx_text(fx_fmt("%s/wal-notes", w.fx.r.own_dir),
            "no note\nhole\t1\t0/600000\nhole\tx\t0/600000\t0/700000\tnow\n"
            "diverged\t1\t0/600000\t0/700000\tnow\nhole\t1\t0/600000\t0/700000\tMonday\n");
    agree(&w,
          "000000010000000000000006 the server had removed it before it was received, noted "
          "Monday");
    fx_text(fx_fmt("%s/%s-backup.info", w.fx.r.meta_dir, B), "no such key=1\n");
    agree(&w, A);
    fx_text(fx_fmt("%s/00000002.history", w.fx.r.wals_dir), "nonsense\n");
    agree(&w, "lines 1");
    /* None of it is WAL: said to be damaged where it was asked for. */
    {
        struct task_sink sink;
        struct task t = task_serial(NULL, NULL, &sink);
        char text[1 << 14];
        assert_true(look_bounds(w.look, &t));
        print(w.look, text, sizeof text);
        assert_non_null(strstr(text, "hole 1 "));
        assert_true(fx_there(fx_fmt("%s/bounds", w.fx.r.own_dir)));
    }
    world_free(&w);
}

static void test_off_and_without_password(void **state)
{
    struct task_sink sink;
    struct task t = task_serial(NULL, NULL, &sink);
    struct snapshot *s;
    struct world w;
    struct err err;

    (void)state;
    world_new(&w);
    assert_false(look_live(w.look, &t));
    s = look_snapshot(w.look, &err);
    assert_non_null(s);
    assert_int_equal(s->live.state, LIVE_OFF);
    assert_string_equal(s->live.address, "/nowhere:9");
    assert_null(s->coverage);
    assert_string_equal(light_word(s->light), "... ");
    assert_string_equal(s->server, "main");
    assert_true(s->streams && !s->archives && !s->is_receiving);
    snapshot_free(s);
    assert_false(look_is_silent(w.look));
    world_free(&w);
}

/* Another process holds the lock: seen, and not taken from it. */
static void test_receiver_is_seen(void **state)
{
    struct task_sink sink;
    struct task t = task_serial(NULL, NULL, &sink);
    struct lock lock = LOCK_INIT;
    struct snapshot *s;
    struct world w;
    struct err err;

    (void)state;
    world_new(&w);
    assert_true(lock_take(&lock, &w.fx.r, LOCK_RECEIVE_WAL, LOCK_TRY, &err));
    assert_true(look_live(w.look, &t));
    assert_false(look_live(w.look, &t));
    s = look_snapshot(w.look, &err);
    assert_non_null(s);
    assert_true(s->is_receiving);
    snapshot_free(s);
    lock_release(&lock);
    assert_true(look_live(w.look, &t));
    world_free(&w);
}

/* list-backups refuses it, and cron tells of it; the console shows the rest. */
static void test_a_line_that_is_none(void **state)
{
    struct world w;

    (void)state;
    world_new(&w);
    put_segment(&w, 1, 2);
    agree_alone(&w, "run 1 2-2 ");
    append_text(&w, "no line of this list\n\n000000010000000000000003\t-1\t5\n");
    put_segment(&w, 1, 3);
    agree_alone(&w, "run 1 2-3 1006 bytes"); /* 3: the list was made from the disk */
    world_free(&w);
}

/* ---- how much ---------------------------------------------------------------------------- */

static void test_memory_of_a_quiet_server(void **state)
{
    struct task_sink sink;
    struct task t = task_serial(NULL, NULL, &sink);
    struct world w;
    struct snapshot *s;
    struct look *l;
    struct err err;
    size_t before, after;

    (void)state;
    world_new(&w);
    for (uint64_t no = 2; no < 1002; no++) {
        put_file(&w, 1, no);
        append_text(
            &w, fx_fmt("00000001%08X%08X\t1000\t1790000000.5\tNone\tNone\n", 0, (unsigned)no));
    }
    for (unsigned i = 0; i < 20; i++) {
        put_backup(&w, fx_fmt("202601%02uT000000", i + 1), 2 + i * 40, 3 + i * 40);
    }
    before = mallinfo2().uordblks;
    l = look_new(w.config, 0, &err);
    assert_non_null(l);
    assert_true(look_kept(l, &t));
    after = mallinfo2().uordblks;
    print_message("%zu bytes\n", after - before);
    assert_true(after - before < 100 * 1024); /* 0 under the address sanitizer */
    s = look_snapshot(l, &err);
    assert_non_null(s);
    assert_int_equal(s->coverage->wal_files, 1000);
    assert_int_equal(s->backups, 20);
    assert_true(s->arena.used < 32 * 1024);
    snapshot_free(s);
    look_free(l);
    world_free(&w);
}

static void kept_says(struct look *l, const char *words, size_t backups)
{
    struct task_sink sink;
    struct task t = task_serial(NULL, NULL, &sink);
    struct snapshot *s;
    struct err err;

    assert_true(look_kept(l, &t));
    s = look_snapshot(l, &err);
    assert_non_null(s);
    if (words) {
        assert_non_null(s->kept_why);
        assert_non_null(strstr(s->kept_why, words));
        assert_int_equal(s->light, LIGHT_FAIL);
        assert_non_null(strstr(s->todo, "ount its disk"));
    } else {
        assert_null(s->kept_why);
        assert_non_null(s->coverage);
        assert_int_equal(s->backups, backups);
    }
    snapshot_free(s);
}

/* A disk that is not mounted is no server without backups. */
static void test_home_or_directory_gone(void **state)
{
    struct world w;
    char dir[PATH_CAP], home[PATH_CAP];

    (void)state;
    world_new(&w);
    str_copy(dir, sizeof dir, fx_fmt("%s/main", w.fx.root));
    str_copy(home, sizeof home, w.fx.root);
    put_backup(&w, A, 2, 3);
    kept_says(w.look, NULL, 1);
    assert_int_equal(rename(dir, fx_fmt("%s.away", dir)), 0);
    kept_says(w.look, "the server's directory is not there any more", 0);
    assert_int_equal(rename(home, fx_fmt("%s.away", home)), 0);
    kept_says(w.look, "barman_home is not there", 0);
    assert_int_equal(rename(fx_fmt("%s.away", home), home), 0);
    assert_int_equal(rename(fx_fmt("%s.away", dir), dir), 0);
    kept_says(w.look, NULL, 1);
    world_free(&w);
}

TEST_MAIN(ONE(test_home_or_directory_gone), ONE(test_every_change_is_seen),
          ONE(test_notes_and_damage), ONE(test_off_and_without_password),
          ONE(test_receiver_is_seen), ONE(test_a_line_that_is_none),
          ONE(test_memory_of_a_quiet_server))
