/* SPDX-License-Identifier: PostgreSQL */
/* walwalk - what the record walk says of segment files, as text, for tests against a server.
 *
 *     walwalk [-q] SEGMENT...      names as the server gives them, in order
 *
 *     commit LSN XID TIME SUBXACTS      abort ...       TIME: microseconds since 1970
 *     restore_point LSN TIME NAME       checkpoint LSN REDO TLI TIME
 *     end_of_recovery LSN TLI PREV      switch LSN      settings LSN MAX_CONNECTIONS WAL_LEVEL
 *     end REASON | LSN | WHY
 *     records N unproven N first LSN last LSN
 *
 *     walwalk -c FILE              a pg_control
 *
 *     control SYSID VERSION CATALOGUE MAJOR     checkpoint LSN REDO TLI
 *     sizes PAGE PAGES_A_FILE WAL_PAGE SEGMENT CHECKSUMS
 *     settings CONNECTIONS WORKERS SENDERS PREPARED LOCKS WAL_LEVEL
 *
 * Page and segment size, version and system id are taken from the first page. -q: no events.
 */
#include "base/fmt.h"
#include "wal/control.h"
#include "wal/walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *lsn(pg_lsn l, char out[FMT_CAP])
{
    return fmt_lsn(l, out);
}

static bool print_event(void *ctx, const struct wal_event *e)
{
    char at[FMT_CAP], other[FMT_CAP];

    (void)ctx;
    lsn(e->rec.start, at);
    switch (e->kind) {
    case WAL_EVENT_COMMIT:
    case WAL_EVENT_ABORT:
        printf("%s %s %" PRIu32 " %" PRId64 " %" PRIu32 "\n",
               e->kind == WAL_EVENT_COMMIT ? "commit" : "abort", at, e->xid, e->time_us,
               e->xact.subxacts.n);
        break;
    case WAL_EVENT_RESTORE_POINT:
        printf("restore_point %s %" PRId64 " %s\n", at, e->time_us, e->name);
        break;
    case WAL_EVENT_CHECKPOINT:
        printf("checkpoint %s %s %" PRIu32 " %" PRId64 "\n", at, lsn(e->checkpoint.redo, other),
               e->checkpoint.tli, e->time_us);
        break;
    case WAL_EVENT_END_OF_RECOVERY:
        printf("end_of_recovery %s %" PRIu32 " %" PRIu32 "\n", at, e->end_of_recovery.tli,
               e->end_of_recovery.prev_tli);
        break;
    case WAL_EVENT_SWITCH:
        printf("switch %s\n", at);
        break;
    case WAL_EVENT_SETTINGS:
        printf("settings %s %" PRId32 " %" PRId32 "\n", at, e->settings.max_connections,
               e->settings.wal_level);
        break;
    case WAL_EVENT_BACKUP_END:
        printf("backup_end %s %s\n", at, lsn(e->lsn, other));
        break;
    case WAL_EVENT_OVERWRITE:
        printf("overwrite %s %s\n", at, lsn(e->lsn, other));
        break;
    case WAL_EVENT_TABLESPACE:
        printf("tablespace %" PRIu32 " '%s'\n", e->tablespace.oid, e->tablespace.location);
        break;
    case WAL_EVENT_NONE:
        break;
    }
    return true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Feed one file; the walk is set up by the first page of the first one. */
static bool walk_file(struct wal_walk *w, const char *path, bool is_quiet)
{
    static uint8_t buf[1 << 20];
    struct wal_seg seg;
    struct wal_page page;
    struct err err = {0};
    char name[WAL_NAME_CAP], text[512];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);

    if (n < WAL_PAGE_LONG || wal_page_decode(buf, (size_t)n, &page) != WAL_PAGE_OK ||
        page.header_len != WAL_PAGE_LONG) {
        fprintf(stderr, "%s: no WAL segment\n", path);
        return false;
    }
    str_copy(name, sizeof name, base_name(path));
    if (!wal_seg_parse(name, page.seg_size, &seg, &err)) {
        fprintf(stderr, "%s\n", err_text(&err, text, sizeof text));
        return false;
    }
    struct wal_head head = {.seg = seg, .seg_size = page.seg_size, .sysid = page.sysid};
    if (!wal_seg_check_head(buf, (size_t)n, &head, &err)) {
        fprintf(stderr, "%s\n", err_text(&err, text, sizeof text));
        return false;
    }
    if (w->opt.seg_size == 0) {
        wal_walk_init(w, &(struct wal_walk_options){.seg_size = page.seg_size,
                                                    .blcksz = page.blcksz,
                                                    .sysid = page.sysid,
                                                    .event = is_quiet ? NULL : print_event});
    }
    wal_walk_file(w, seg);
    while (n > 0 && wal_walk_feed(w, buf, (size_t)n)) {
        n = read(fd, buf, sizeof buf);
    }
    close(fd);
    return true;
}

static int print_control(const char *path)
{
    uint8_t file[CONTROL_FILE_SIZE];
    char at[FMT_CAP], redo[FMT_CAP], text[512];
    struct control c;
    struct err err = {0};
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, file, sizeof file);

    if (!control_parse(file, n > 0 ? (size_t)n : 0, path, &c, &err)) {
        fprintf(stderr, "%s\n", err_text(&err, text, sizeof text));
        return EXIT_FAILURE;
    }
    printf("control %" PRIu64 " %" PRIu32 " %" PRIu32 " %d\n", c.sysid, c.version,
           c.cat_version, c.major);
    printf("checkpoint %s %s %" PRIu32 "\n", lsn(c.checkpoint, at),
           lsn(c.checkpoint_copy.redo, redo), c.checkpoint_copy.tli);
    printf("sizes %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", c.blcksz,
           c.relseg_size, c.xlog_blcksz, c.xlog_seg_size, c.data_checksums);
    printf("settings %" PRId32 " %" PRId32 " %" PRId32 " %" PRId32 " %" PRId32 " %" PRId32 "\n",
           c.settings.max_connections, c.settings.max_worker_processes,
           c.settings.max_wal_senders, c.settings.max_prepared_xacts,
           c.settings.max_locks_per_xact, c.settings.wal_level);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct wal_walk w;
    char first[FMT_CAP], last[FMT_CAP], at[FMT_CAP];
    bool is_quiet = argc > 1 && strcmp(argv[1], "-q") == 0;

    if (argc == 3 && strcmp(argv[1], "-c") == 0) {
        return print_control(argv[2]);
    }
    for (int i = is_quiet ? 2 : 1; i < argc; i++) {
        if (!walk_file(&w, argv[i], is_quiet)) {
            return EXIT_FAILURE;
        }
        if (w.end.reason != WAL_END_NONE) {
            break;
        }
    }
    printf("end %s | %s | %s\n", wal_end_text(w.end.reason), lsn(w.end.lsn, at), w.end.why);
    printf("records %" PRIu64 " unproven %" PRIu64 " first %s last %s\n", w.records, w.unproven,
           lsn(w.first, first), lsn(w.last, last));
    return EXIT_SUCCESS;
}
