/* SPDX-License-Identifier: PostgreSQL */
/* Small texts that somebody else wrote: a policy, a time, changes of the configuration, sums of
 * files that are pushed, /etc/fstab, a layout of the log, a line that may hold a password. The
 * first byte chooses. */
#include "base/bug.h"
#include "base/clock.h"
#include "base/fstab.h"
#include "base/log.h"
#include "base/log_layout.h"
#include "engine/config_queue.h"
#include "engine/put_wal.h"
#include "plan/retention.h"

#include <string.h>

#define TEXT_CAP 4096

static void policy(struct str text)
{
    struct retention first, second;
    char printed[RETENTION_CAP], again[RETENTION_CAP];
    struct err err = {0};

    if (retention_parse(text, &first, &err)) {
        retention_print(&first, printed);
        BUG_IF(!retention_parse(str_of(printed), &second, &err));
        BUG_IF(strcmp(printed, retention_print(&second, again)) != 0);
    }
    if (retention_parse_wal(text, &first, &err)) {
        BUG_IF(!retention_parse_wal(str_of(retention_print(&first, printed)), &second, &err));
    }
}

static void moment(struct str text)
{
    struct time_text t, again;
    char iso[STAMP_CAP];

    if (time_parse(text, &t) && t.has_offset) {
        BUG_IF(t.us < 0 || t.us > 999999);
        BUG_IF(!time_parse(str_of(stamp_iso(t.stamp, iso)), &again));
        BUG_IF(!again.has_offset || again.stamp.us != t.stamp.us);
    }
}

static void changes(struct str text)
{
    struct config_set *set;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 1 << 26);
    if (config_update_parse(&a, text, &set, &err)) {
        for (; set; set = set->next) {
            BUG_IF(set->item && !set->item->key);
        }
    }
    if (config_queue_parse(&a, text, &set, &err)) {
        for (; set; set = set->next) {
            BUG_IF(!set->section || (set->item && (!set->item->value || !set->item->file)));
        }
    }
    arena_release(&a);
}

static void sums(struct str text)
{
    struct str line, sum, name;

    while (str_line(&text, &line)) {
        if (put_sums_line(line, &sum, &name)) {
            BUG_IF(sum.n == 0 || name.n == 0 || sum.n + name.n >= line.n);
        }
    }
}

/* Lines of fstab and of mountinfo. */
static void mounts(struct str text)
{
    struct str rest = text;
    char out[PATH_CAP];

    while (fstab_next(&rest, out)) {
        size_t n = strlen(out);

        BUG_IF(out[0] != '/' || (n > 1 && out[n - 1] == '/'));
    }
    BUG_IF(mountinfo_point(text, 26, out) && out[0] != '/');
}

static void layout(const char *text)
{
    struct log_event event = {.level_name = "INFO", .pid = 1, .text = "said"};
    char mem[TEXT_CAP * 4];
    struct err err = {0};
    struct sbuf b;

    if (log_layout_ok(text, &err)) {
        sbuf_init(&b, mem, sizeof mem);
        log_layout_put(&b, text, &event);
    }
}

static void secrets(const char *text)
{
    char once[TEXT_CAP * 2], twice[TEXT_CAP * 2];

    BUG_IF(strlen(redact(text, once, sizeof once)) >= sizeof once);
    BUG_IF(strcmp(once, redact(once, twice, sizeof twice)) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const of_view[])(struct str) = {policy, moment, changes, sums, mounts};
    static char mem[TEXT_CAP];
    struct str text = str_n((const char *)data, size);

    if (size == 0 || size >= TEXT_CAP) {
        return 0;
    }
    text = str_skip(text, 1);
    if (data[0] % 7 < 5) {
        of_view[data[0] % 7](text);
        return 0;
    }
    memcpy(mem, text.p, text.n);
    mem[text.n] = '\0';
    if (data[0] % 7 == 5) {
        layout(mem);
    } else {
        secrets(mem);
    }
    return 0;
}
