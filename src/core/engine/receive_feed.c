/* SPDX-License-Identifier: PostgreSQL */
#include "base/clock.h"
#include "base/fmt.h"
#include "engine/receive.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define LAZY_NS     (200 * NS_PER_MS) /* unsynced at most so long, when nobody waits */
#define LAZY_BYTES  (2u << 20)
#define BEHIND_MAX  (4u << 20) /* bytes not durable yet: no more is read */
#define BEHIND_ITEM (FEED_SLOTS - 8)
#define PULL_MAX    64              /* messages before status and timers get their turn */
#define NAP_NS      (5 * NS_PER_MS) /* WAL gathers in the socket so long, when nobody waits */
#define LAST_WORDS  (2 * NS_PER_S)

struct feed {
    struct receive *rx;
    pg_lsn expected;                   /* start of the next message */
    uint64_t items, bytes;             /* put on the lane, ever */
    uint64_t items_done, bytes_done;   /* known to be durable */
    uint64_t items_asked, bytes_asked; /* when the sync under way was ordered */
    pg_lsn asked;                      /* its position; 0: none under way */
    pg_lsn mark;                       /* of the lane, when last looked at */
    int64_t since_ns;                  /* when the oldest byte without a sync order came */
    int64_t heard_ns, told_ns;
    int64_t nap_until_ns;
    bool must_tell; /* a status message is due now */
    bool is_drained;
    struct feed_item batch[PULL_MAX]; /* counted already, on the lane when the pull ends */
    size_t batched;
};

/* ---- the lane ----------------------------------------------------------------------- */

/* All at once: the writer is woken once and finds them together. */
static bool put_batch(struct feed *f, struct err *err)
{
    size_t i = 0;
    bool ok;

    while (i < f->batched && lane_put(f->rx->t, f->rx->sink.lane, &f->batch[i], err)) {
        i++;
    }
    for (size_t left = i; left < f->batched; left++) {
        pg_copy_free(f->batch[left].msg);
    }
    ok = i == f->batched;
    f->batched = 0;
    return ok;
}

static bool order_sync(struct feed *f, struct err *err)
{
    const struct feed_item sync = {.at = f->expected};

    if (!lane_put(f->rx->t, f->rx->sink.lane, &sync, err)) {
        return false;
    }
    f->items++;
    f->asked = f->expected;
    f->items_asked = f->items;
    f->bytes_asked = f->bytes;
    return true;
}

static bool has_room(const struct feed *f)
{
    return f->items - f->items_done < BEHIND_ITEM && f->bytes - f->bytes_done < BEHIND_MAX;
}

static bool has_unordered(const struct feed *f)
{
    return f->bytes > (f->asked ? f->bytes_asked : f->bytes_done);
}

/* One sync at a time: while it runs the next one gathers, which is what makes many small
 * commits cheap. */
static bool maybe_sync(struct feed *f, int64_t now, struct err *err)
{
    bool due;

    if (f->asked || !has_unordered(f)) {
        return true;
    }
    due = (f->rx->is_prompt && f->is_drained) || f->bytes - f->bytes_done >= LAZY_BYTES ||
          now - f->since_ns >= LAZY_NS || !has_room(f);
    if (due && !f->rx->is_prompt && now - f->since_ns >= LAZY_NS) {
        pace_waited(f->rx, now);
    }
    return !due || order_sync(f, err);
}

/* false: the mark is the one that was seen before. */
static bool see_mark(struct feed *f, int64_t now)
{
    pg_lsn mark = lane_mark(f->rx->t, f->rx->sink.lane);
    bool is_new = mark != f->mark;

    f->mark = mark;
    if (f->asked && mark >= f->asked) {
        f->items_done = f->items_asked;
        f->bytes_done = f->bytes_asked;
        f->asked = 0;
        f->since_ns = now;
    }
    if (mark > f->rx->durable) {
        f->rx->durable = mark;
        f->must_tell = true;
    }
    return is_new;
}

/* ---- messages ----------------------------------------------------------------------- */

static bool take_data(struct feed *f, char *msg, const struct wal_msg *m, struct err *err)
{
    const struct feed_item item = {.msg = msg, .data = m->data, .n = m->n, .at = m->start};

    if (!wal_msg_follows(m, f->expected, err)) {
        pg_copy_free(msg);
        return false;
    }
    if (m->n == 0) {
        pg_copy_free(msg);
        return true;
    }
    if (!has_unordered(f)) {
        f->since_ns = f->heard_ns;
    }
    pace_heard(f->rx, f->heard_ns);
    f->expected += m->n;
    f->batch[f->batched++] = item;
    f->items++;
    f->bytes += item.n;
    return true;
}

static bool take(struct feed *f, char *msg, size_t n, struct err *err)
{
    struct wal_msg m;

    if (!wal_msg_decode(msg, n, &m, err)) {
        pg_copy_free(msg);
        return false;
    }
    if (m.kind == WAL_MSG_DATA) {
        return take_data(f, msg, &m, err);
    }
    f->must_tell = f->must_tell || m.reply;
    pg_copy_free(msg);
    return true;
}

static enum pg_copy pull_some(struct feed *f, int64_t now, struct err *err)
{
    f->is_drained = false;
    for (int i = 0; i < PULL_MAX && has_room(f); i++) {
        char *msg = NULL;
        size_t n = 0;
        enum pg_copy got = pg_copy_poll(f->rx->pg, &msg, &n, err);

        if (got != PG_COPY_DATA) {
            f->is_drained = got == PG_COPY_NOTHING;
            return got;
        }
        f->heard_ns = now;
        if (!take(f, msg, n, err)) {
            return PG_COPY_FAILED;
        }
    }
    return PG_COPY_DATA;
}

/* What has arrived, as far as there is room. */
static enum pg_copy pull(struct feed *f, int64_t now, struct err *err)
{
    enum pg_copy got = pull_some(f, now, err);
    struct err other;

    f->nap_until_ns = f->batched && !f->rx->is_prompt ? now + NAP_NS : 0;
    /* Also what came before a failure: it was received. */
    return put_batch(f, got == PG_COPY_FAILED ? &other : err) ? got : PG_COPY_FAILED;
}

/* ---- status and waiting ------------------------------------------------------------- */

static bool tell(struct feed *f, int64_t now, struct err *err)
{
    struct task near = *f->rx->t;
    int64_t quiet = now - f->heard_ns;

    if (!has_room(f)) {
        f->heard_ns = now; /* it is we who do not listen */
    } else if (quiet >= f->rx->silence_ns) {
        return err_set(err, ERR_CONNECT, "Look at the network between here and the server.",
                       f->rx->srv->name, "nothing heard from the server for %d s",
                       (int)(quiet / NS_PER_S));
    }
    if (!f->must_tell && now - f->told_ns < f->rx->status_ns) {
        return true;
    }
    f->must_tell = false;
    f->told_ns = now;
    if (!f->asked) {
        pace_told(f->rx, now);
    }
    near.deadline_ns = now + f->rx->silence_ns;
    return wal_status_send(f->rx->pg, &near, f->rx->durable,
                           quiet >= f->rx->silence_ns / 3 ? WAL_ASK_REPLY : WAL_ASK_NOTHING,
                           err);
}

/* true: the lane has something to tell. */
static bool wait_for_news(struct feed *f, int64_t now)
{
    int mark_fd = lane_mark_fd(f->rx->t, f->rx->sink.lane);
    int64_t until = f->told_ns + f->rx->status_ns;
    /* A server that commits all the time would wake us for each commit. */
    bool naps = f->nap_until_ns > now;
    struct pollfd fd[3] = {
        {.fd = has_room(f) && !naps ? pg_fd(f->rx->pg) : -1, .events = POLLIN},
        {.fd = mark_fd, .events = POLLIN},
        {.fd = f->rx->t->cancel_fd, .events = POLLIN},
    };
    uint64_t count;

    if (!f->asked && has_unordered(f) && f->since_ns + LAZY_NS < until) {
        until = f->since_ns + LAZY_NS;
    }
    if (naps && f->nap_until_ns < until) {
        until = f->nap_until_ns;
    }
    if (f->rx->t->cancel_fd < 0 && until > now + 100 * NS_PER_MS) {
        until = now + 100 * NS_PER_MS;
    }
    if (poll(fd, 3, until > now ? (int)((until - now) / NS_PER_MS) + 1 : 0) > 0 &&
        fd[1].revents) {
        return read(mark_fd, &count, sizeof count) > 0;
    }
    return false;
}

static bool one_round(struct feed *f, enum pg_copy *got, struct err *err)
{
    int64_t now = clock_mono_ns();

    pace_look(f->rx);
    /* What is durable is told before more is read: else the server would be behind by what may
     * be not yet durable, and as much again that was read since. */
    if (f->must_tell && !tell(f, now, err)) {
        return false;
    }
    *got = pull(f, now, err);
    if (*got == PG_COPY_FAILED) {
        return false;
    }
    if (!maybe_sync(f, now, err)) {
        return false;
    }
    (void)see_mark(f, now);
    if (*got == PG_COPY_END) {
        return true;
    }
    if (!tell(f, now, err)) {
        return false;
    }
    if (*got == PG_COPY_NOTHING || !has_room(f)) {
        bool is_told = wait_for_news(f, now);
        bool is_new = see_mark(f, clock_mono_ns());
        /* A signal without a new mark: the writer has failed, and tells that to a put. The two
         * may have come as one, so a mark that is not yet the one asked for proves nothing. */
        return !is_told || (is_new && !f->asked) || order_sync(f, err);
    }
    return true;
}

/* ---- the end ------------------------------------------------------------------------ */

/* All that was received becomes durable; the lane is gone afterwards. */
static bool settle(struct feed *f, struct err *err)
{
    struct sink *s = &f->rx->sink;

    if (has_unordered(f) && !order_sync(f, err)) {
        lane_fail(f->rx->t, s->lane);
        return false;
    }
    if (!lane_close(f->rx->t, s->lane, err)) {
        return false;
    }
    /* The mark went with the lane: what was written is synced, all of it. */
    if (s->written > f->rx->durable) {
        f->rx->durable = s->written;
    }
    return true;
}

/* The task is cancelled, so its waits are: the last words have a time of their own. */
static void say_goodbye(struct feed *f)
{
    struct task_sink nobody;
    struct task last = task_serial(NULL, NULL, &nobody);
    struct wal_next next;
    struct err ignored;

    last.deadline_ns = clock_mono_ns() + LAST_WORDS;
    if (wal_status_send(f->rx->pg, &last, f->rx->durable, WAL_ASK_NOTHING, &ignored) &&
        pg_copy_end(f->rx->pg, &last, &ignored)) {
        (void)!wal_stream_end(f->rx->pg, &last, &next, &ignored);
    }
}

static enum feed_end timeline_ended(struct feed *f, struct wal_next *next, struct err *err)
{
    struct receive *rx = f->rx;

    if (!settle(f, err)) {
        return FEED_FAILED;
    }
    if (!wal_stream_end(rx->pg, rx->t, next, err)) {
        rx->trouble = wal_trouble_of(err, pg_sqlstate(rx->pg), &rx->start);
        return FEED_FAILED;
    }
    if (next->tli == 0) {
        rx->trouble = WAL_LINK;
        err_set(err, ERR_CONNECT, "", rx->srv->name, "the server has ended the stream");
        return FEED_FAILED;
    }
    if (next->tli <= rx->start.tli || next->at > f->expected) {
        err_set(err, ERR_FORMAT, "Look into the server's log.", rx->srv->name,
                "timeline %u cannot follow timeline %u there", next->tli, rx->start.tli);
        return FEED_FAILED;
    }
    return FEED_SWITCHED;
}

static enum feed_end stream(struct feed *f, struct wal_next *next, struct err *err)
{
    struct receive *rx = f->rx;
    enum pg_copy got;

    while (one_round(f, &got, err)) {
        struct err stop;
        if (got == PG_COPY_END) {
            return timeline_ended(f, next, err);
        }
        if (!task_go_on(rx->t, &stop)) {
            if (!settle(f, err)) {
                return FEED_FAILED;
            }
            say_goodbye(f);
            return FEED_CANCELLED;
        }
    }
    if (err->code == ERR_CONNECT || err->code == ERR_TIMEOUT) {
        struct err other;
        rx->trouble = WAL_LINK;
        if (!settle(f, &other)) {
            *err = other;
            rx->trouble = WAL_FINE;
        }
        return FEED_FAILED;
    }
    if (err->code == ERR_CANCEL) {
        struct err other;
        return settle(f, &other) ? FEED_CANCELLED : FEED_FAILED;
    }
    lane_fail(rx->t, rx->sink.lane);
    return FEED_FAILED;
}

enum feed_end feed_run(struct receive *rx, struct wal_next *next, struct err *err)
{
    int64_t now = clock_mono_ns();
    struct feed f = {.rx = rx, .expected = rx->start.at, .heard_ns = now, .since_ns = now};
    char at[FMT_CAP];
    enum feed_end end;

    switch (wal_stream_start(rx->pg, rx->t, &rx->start, next, err)) {
    case WAL_START_FAILED:
        rx->trouble = wal_trouble_of(err, pg_sqlstate(rx->pg), &rx->start);
        return FEED_FAILED;
    case WAL_START_END:
        return FEED_SWITCHED;
    case WAL_START_COPY:
        break;
    }
    if (rx->durable < rx->start.at) {
        rx->durable = rx->start.at;
    }
    /* A status moves the slot, backwards too: where the server may have no WAL any more it
     * must be heard first, or the slot would name a place that is gone. */
    f.must_tell = rx->durable >= rx->slot_from;
    f.told_ns = now;
    if (!sink_open(&rx->sink, rx->start.tli, rx->start.at, err)) {
        return FEED_FAILED;
    }
    task_say(rx->t, SAY_OUT, "%s: starting log streaming at %s (timeline %u)", rx->srv->name,
             fmt_lsn(rx->start.at, at), rx->start.tli);
    rx->was_streaming = true;
    end = stream(&f, next, err);
    return end;
}
