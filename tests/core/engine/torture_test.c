/* SPDX-License-Identifier: PostgreSQL */
/* Every verb that needs no server, with its first, second, third … growth of memory refused:
 * it says ERR_MEMORY, leaves nothing open (the sanitizer looks), and the same command given
 * again, with memory, does its work as if nothing had been. */
#include "core/repo/fixture.h"

#include "cfg/config.h"
#include "core/wal/data.h"
#include "engine/archive_wal.h"
#include "engine/check_backup.h"
#include "engine/delete.h"
#include "engine/list.h"
#include "engine/restore.h"
#include "said.h"

#define A    "20260101T000000"
#define B    "20260102T000000"
#define FAR  1000000L
#define SEG8 "000000010000000000000008"
#define SEG9 "000000010000000000000009"

struct row {
    const char *label;
    bool (*verb)(struct err *err);
    void (*look)(bool ok); /* at what the verb left; NULL: the verb looks itself */
    bool waiting;          /* WAL lies in streaming/ and incoming/ */
};

static struct fx f;
static size_t most, used; /* of the arena that a verb is given; 0: no limit */
static struct said said;
static char conf[PATH_CAP], dest[PATH_CAP];

static void put_info(const char *id, const char *wal)
{
    fx_text(fx_fmt("%s/%s-backup.info", f.r.meta_dir, id),
            fx_fmt("status=DONE\nmode=postgres\ntimeline=1\nversion=150000\n"
                   "begin_wal=%s\nend_wal=%s\nbegin_xlog=0/800028\nend_xlog=0/8060C8\n"
                   "xlog_segment_size=1048576\npgdata=/srv/pg\nsize=10\n"
                   "copy_stats={'copy_time': 2.0, 'total_time': 3.0}\n",
                   wal, wal));
}

static void put_backup(const char *id, const char *wal)
{
    struct err err = {0};

    put_info(id, wal);
    assert_true(dir_make(fx_fmt("%s/%s/data/global", f.r.base_dir, id), &err));
    fx_text(fx_fmt("%s/%s/data/PG_VERSION", f.r.base_dir, id), "15\n");
    fx_text(fx_fmt("%s/%s/data/global/pg_control", f.r.base_dir, id), "not looked into");
    fx_text(fx_fmt("%s/%s/data/backup_label", f.r.base_dir, id), "START WAL LOCATION: x\n");
    fx_text(fx_fmt("%s/%s/data/postgresql.conf", f.r.base_dir, id),
            "port = 5433\narchive_command = 'cp %p /somewhere'\nssl_cert_file = 'x'\n");
}

/* A real segment, with its filler. */
static void put_real(const char *dir, const char *name)
{
    static uint8_t mem[FX_SEG];

    memset(mem, 0, sizeof mem);
    assert_true(data_read(name, mem, sizeof mem) > 0);
    fx_write(fx_fmt("%s/%s", dir, name), mem, sizeof mem);
}

static void set_up(const struct row *row)
{
    struct err err = {0};
    const char *dir;

    fx_init(&f);
    put_backup(A, SEG8);
    put_backup(B, SEG9);
    dir = fx_fmt("%s/0000000100000000", f.r.wals_dir);
    assert_true(dir_make(dir, &err));
    put_real(dir, SEG8);
    put_real(dir, SEG9);
    fx_text(fx_fmt("%s/00000002.history", f.r.wals_dir), "1\t0/9011D8\tfork\n");
    dir = fx_fmt("%s/0000000200000000", f.r.wals_dir);
    assert_true(dir_make(dir, &err));
    put_real(dir, "000000020000000000000009");
    if (row->waiting) {
        fx_segment(f.r.streaming_dir, 16);
        fx_segment(f.r.incoming_dir, 17);
        fx_text(fx_fmt("%s/stranger", f.r.incoming_dir), "?");
    }
    assert_true(dir_make(fx_fmt("%s/restored", f.root), &err));
    if (geteuid() == 0) { /* a cluster cannot belong to root */
        assert_int_equal(chown(fx_fmt("%s/restored", f.root), 65534, 65534), 0);
    }
    snprintf(conf, sizeof conf, "%.200s/conf", f.root);
    snprintf(dest, sizeof dest, "%.200s/restored/pg", f.root);
    fx_text(conf, fx_fmt("[barman]\nbarman_home = %s\nbarman_user = me\n"
                         "[main]\nconninfo = host=a\nbackup_method = postgres\n"
                         "archiver = on\nminimum_redundancy = 0\n",
                         f.root));
}

/* --- the verbs --------------------------------------------------------------------------- */

static bool load_list(struct err *err)
{
    struct backup_list list;
    struct backup_show show;
    struct arena a;
    bool ok;

    arena_init(&a, most);
    ok = list_load(&f.r, &a, &list, err) &&
         list_show(&f.r, &a, &list, &list.catalogue.backup[0], &show, err);
    assert_true(!ok || (list.catalogue.n == 2 && show.wal->num == 1));
    used = a.used;
    arena_release(&a);
    return ok;
}

static bool rebuild(struct err *err)
{
    struct xlogdb_rebuilt made;
    bool ok = xlogdb_rebuild(&f.r, &made, err);

    assert_true(!ok || (made.segments == 3 && made.history == 1));
    assert_false(fx_there(fx_fmt("%s/main-xlog.db.tmp", f.r.xlogdb_dir)));
    return ok;
}

static bool append(struct err *err)
{
    const struct wal_file wal[2] = {{.name = SEG8, .size = FX_SEG}, {.name = SEG9}};

    return xlogdb_append_missing(&f.r, wal, 2, err);
}

static void look_append(bool ok)
{
    assert_true(!ok || fx_xlogdb_lines(&f.r) == 4);
}

static bool archive(struct err *err)
{
    const struct archive_wal what = {
        .repo = &f.r,
        .store.rules = {.systemid = FX_SYSID, .seg_size = FX_SEG, .major = 15},
        .from = ARCHIVE_STREAMING | ARCHIVE_INCOMING,
    };
    struct archive_result result;

    return archive_wal(said_init(&said), &what, &result, err);
}

static void look_archive(bool ok)
{
    /* In one of the two places, or in both. */
    assert_true(fx_count(f.r.streaming_dir) == 1 ||
                fx_there(fx_fmt("%s/0000000100000000/000000010000000000000010", f.r.wals_dir)));
    assert_true(!ok || (fx_count(f.r.streaming_dir) + fx_count(f.r.incoming_dir) == 0 &&
                        fx_count(f.r.errors_dir) == 1 && fx_xlogdb_lines(&f.r) == 6));
}

static bool check(struct err *err)
{
    enum backup_status now = BACKUP_EMPTY;
    bool ok = check_backup(said_init(&said), &f.r, A, &now, err);

    assert_true(!ok || now == BACKUP_DONE);
    return ok;
}

static bool delete (struct err *err)
{
    const struct delete_backup what = {&f.r, A, 0, NULL};
    const char *wal = fx_fmt("%s/0000000100000000/" SEG9, f.r.wals_dir);
    bool ok = delete_backup(said_init(&said), &what, err);

    assert_true(fx_there(wal));
    assert_int_equal(ok, !fx_there(fx_fmt("%s/" A "-backup.info", f.r.meta_dir)));
    assert_true(!ok || !fx_there(fx_fmt("%s/" A, f.r.base_dir)));
    return ok;
}

static bool notes(struct err *err)
{
    struct identity id = {"7300000000000000001", "15"};
    enum keep keep;

    return identity_save(&f.r, &id, err) && identity_load(&f.r, &id, err) &&
           keep_read(&f.r, A, &keep, err) && lock_clean_up(f.root, err);
}

static bool configuration(struct err *err)
{
    struct cfg_messages warnings = {0};
    const struct config *cfg;
    struct arena a;
    bool ok;

    arena_init(&a, most);
    cfg = config_load(&a, conf, &warnings, err);
    ok = cfg != NULL;
    assert_true(!ok || (cfg->servers == 1 && strcmp(cfg->server[0].name, "main") == 0));
    used = a.used;
    arena_release(&a);
    return ok;
}

static bool restore_to(const char *lsn, bool dry_run, struct err *err)
{
    struct cfg_messages warnings = {0};
    struct restore_request q = {.program = "/usr/bin/barkeep", .backup_id = A};
    struct restore_result out;
    struct arena a;
    bool ok;

    arena_init(&a, most);
    q.config = config_load(&a, conf, &warnings, err);
    ok = q.config != NULL;
    if (ok) {
        q.server = &q.config->server[0];
        q.destination = dest;
        q.target.lsn = lsn;
        q.dry_run = dry_run;
        ok = engine_restore(said_init(&said), &a, &q, &out, err);
        assert_true(!ok || out.holds);
    }
    used = a.used;
    arena_release(&a);
    assert_true(ok || !fx_there(fx_fmt("%s/global/pg_control", dest)));
    return ok;
}

static bool restore(struct err *err)
{
    bool ok = restore_to(NULL, false, err);

    assert_true(!ok || (fx_size(fx_fmt("%s/pg_wal/" SEG8, dest)) == (long)FX_SEG &&
                        fx_there(fx_fmt("%s/backup_label", dest)) &&
                        !fx_there(fx_fmt("%s/.barkeep-restore", dest))));
    return ok;
}

static bool restore_pitr(struct err *err)
{
    bool ok = restore_to("0/900090", false, err);

    assert_true(!ok || (fx_size(fx_fmt("%s/barman_wal/" SEG8, dest)) == (long)FX_SEG &&
                        fx_there(fx_fmt("%s/recovery.signal", dest))));
    return ok;
}

static const struct row rows[] = {
    {"list and show", load_list, NULL, false},
    {"rebuild xlog.db", rebuild, NULL, false},
    {"append to xlog.db", append, look_append, false},
    {"archive-wal", archive, look_archive, true},
    {"check-backup", check, NULL, false},
    {"delete", delete, NULL, false},
    {"identity, keep and locks", notes, NULL, false},
    {"configuration", configuration, NULL, false},
    {"restore", restore, NULL, false},
    {"restore to an LSN", restore_pitr, NULL, false},
};

static bool plan(struct err *err)
{
    return restore_to("0/900090", true, err);
}

/* Those that put all they make into one arena: what it may hold grows step by step. */
static const struct row narrow[] = {
    {"list and show in a small arena", load_list, NULL, false},
    {"configuration in a small arena", configuration, NULL, false},
    {"plan of a restore in a small arena", plan, NULL, false},
};

/* --- the torture ------------------------------------------------------------------------- */

/* How far the counter is still from its end. */
static long growths_left(void)
{
    long n = 0;
    bool grew;

    do {
        struct arena a;
        arena_init(&a, 0);
        grew = arena_alloc(&a, 1) != NULL;
        arena_release(&a);
        n++;
    } while (grew);
    return n;
}

static void look(const struct row *row, bool ok)
{
    if (row->look) {
        row->look(ok);
    }
}

static long growths_of(const struct row *row)
{
    struct err err = {0};
    bool ok;
    long n;

    set_up(row);
    arena_fail_after(FAR);
    ok = row->verb(&err);
    n = FAR - growths_left();
    arena_fail_after(0);
    fx_release(&f);
    if (!ok) {
        char text[2048];
        fail_msg("without torture: %s", err_text(&err, text, sizeof text));
    }
    return n;
}

static void each_growth(void **state)
{
    const struct row *row = *state;
    long growths = growths_of(row);

    assert_true(growths > 0);
    for (long n = 1; n <= growths; n++) {
        struct err err = {0};
        bool ok;

        set_up(row);
        arena_fail_after(n);
        ok = row->verb(&err);
        arena_fail_after(0);
        if (ok || err.code != ERR_MEMORY) {
            fail_msg("growth %ld of %ld: %s, '%s'", n, growths, ok ? "done" : "failed",
                     err.why);
        }
        look(row, false);
        err = (struct err){0};
        if (!row->verb(&err)) {
            fail_msg("again after growth %ld: %s", n, err.why);
        }
        look(row, true);
        fx_release(&f);
    }
}

static void each_size(void **state)
{
    const struct row *row = *state;
    struct err err = {0};
    size_t all, step;

    set_up(row);
    most = 0;
    assert_true(row->verb(&err));
    all = used;
    step = all / 200 + 1;
    for (most = 1; most < all; most += step) {
        bool ok;

        err = (struct err){0};
        ok = row->verb(&err);
        if (ok || err.code != ERR_MEMORY) {
            fail_msg("%zu bytes of %zu: %s, '%s'", most, all, ok ? "done" : "failed", err.why);
        }
    }
    most = 0;
    fx_release(&f);
}

TEST_MAIN(ROWS(narrow, each_size); ROWS(rows, each_growth))
