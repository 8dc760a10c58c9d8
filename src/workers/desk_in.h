/* SPDX-License-Identifier: PostgreSQL */
/* desk_in.h - what the files of the desk share: its threads and who owns what.
 *
 *     desk.c         the desk thread: orders, and the turns of all below
 *     desk_look.c    lookers and their schedule          desk_saved.c   <home>/.barkeep/seen
 *     desk_jobs.c    list, attached progress             desk_start.c   start, cancel, reap
 *     desk_follow.c  one job's lines                     desk_ask.c     questions
 *
 * Locks    desk_look.lock for everything in struct desk_look; nobody holds it while looking,
 *          waiting for room on the road, or writing a file. There is no other lock.
 * Threads  Members say whose they are; what is not said is written before threads start.
 */
#ifndef WORKERS_DESK_IN_H
#define WORKERS_DESK_IN_H

#include "desk.h"

#include "barkeep/jobs.h"
#include "barkeep/str.h"
#include "base/file.h"
#include "ring.h"
#include "road_in.h"

#include <poll.h>
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#define DESK_ORDERS   256 /* that may wait */
#define DESK_FOLLOWS  64
#define DESK_ATTACHED 32 /* running jobs whose progress is shown */
#define DESK_STARTED  64 /* jobs of ours that run at once */
#define DESK_ASKERS   16 /* with those that were cancelled and have not ended yet */
#define DESK_JOBS     200
#define DESK_STOP_MS  200
#define DESK_SAVE_S   60

struct desk;
struct look;
struct asker;

struct desk_thread {
    struct desk *desk;
    void (*main)(struct desk_thread *me);
    char name[16];
    unsigned worker; /* its place on the road */
    pthread_t id;
    _Atomic bool gone; /* has left the road; only to be joined */
};

struct desk_order { /* an order with what it points to */
    struct order order;
    char *words; /* owned; NULL: none */
};

/* ---- looking: everything under the lock, but what a busy server's looker holds ---- */

enum look_class { LOOK_KNOWN, LOOK_NEW, LOOK_SILENT, LOOK_CLASSES };

struct looked {
    struct look *look; /* its looker's while is_busy */
    enum look_class class;
    bool is_busy;
    bool again;     /* asked for while busy */
    bool is_sent;   /* a snapshot of this run; its looker's */
    int64_t new_ns; /* when the last was sent; its looker's */
    unsigned tries; /* in silence */
    int64_t due_ns;
    size_t at;   /* place in the heap of its class, when not busy */
    char *saved; /* its entry in the file of what was seen; NULL: none */
};

struct due_heap { /* the one due first is item[0] */
    uint32_t *item;
    size_t n;
};

struct desk_look {
    pthread_mutex_t lock;
    pthread_cond_t leader; /* the one idle looker that waits for a time */
    pthread_cond_t idle;   /* the others */
    struct looked *server;
    size_t servers;
    struct due_heap heap[LOOK_CLASSES];
    unsigned busy[LOOK_CLASSES];
    struct desk_thread thread[DESK_LOOKERS];
    unsigned threads, idles;
    bool has_leader, is_paused, is_stopping;
    int64_t leader_ns; /* what it waits for; INT64_MAX: for a call */
    uint32_t selected; /* UINT32_MAX: none */
    bool must_save;    /* some entry differs from the file */
};

/* ---- jobs: the desk thread's ---- */

struct attached {
    uint32_t job; /* 0: free */
    int fd;
    bool has_place;
    unsigned worker;
};

struct started {
    uint32_t number; /* 0: free */
    uint32_t ticket;
    pid_t pid;
    int error_fd; /* what it writes on stderr, to be read; -1 */
    int64_t since_ns;
    bool is_told, is_reaped;
    int status; /* of waitpid(), when reaped */
};

struct desk_jobs {
    struct job_table *table;            /* as it was sent last; NULL: not yet */
    struct timespec journal[DESK_JOBS]; /* time of each row's journal when it was read */
    struct timespec root;               /* time of the folder of jobs */
    bool root_is_young;                 /* it may change again within the same tick */
    int64_t next_ns, attach_ns;
    struct attached attached[DESK_ATTACHED];
    struct started started[DESK_STARTED];
};

struct desk {
    struct desk_spec spec;
    struct road *road;
    struct ring orders;  /* of struct desk_order, from the watcher to the desk thread */
    struct ring follows; /* of uint32_t, from the desk thread to the follower */
    int stop_fd;         /* becomes readable for good when the desk stops */
    int gone_fd;         /* written by each thread that goes */
    int wake_fd;         /* for the desk thread */
    _Atomic bool is_stopping;
    int64_t stop_ns; /* the watcher's: when everything should be over; 0: not stopping */
    struct desk_thread thread, follower;
    struct desk_look look;
    struct desk_jobs jobs;             /* desk thread */
    struct asker *asker[DESK_ASKERS];  /* desk thread */
    int64_t save_ns;                   /* desk thread: not before */
    uint64_t follow_sent, follow_seen; /* watcher */
    uint32_t running[DESK_JOBS];       /* watcher: of the list taken last */
    size_t runnings;
};

/* Starts a thread that has a place on the road. */
MUST_CHECK bool desk_thread_start(struct desk_thread *t, struct desk *desk, const char *name,
                                  void (*main)(struct desk_thread *me), struct err *err);
bool desk_is_stopping(const struct desk *desk);
void desk_wake(struct desk *desk);
int desk_wait_ms(int64_t until_ns); /* for poll(), rounded up; INT64_MAX: -1 */

/* desk_look.c */
MUST_CHECK bool looks_init(struct desk *desk, struct err *err);
void looks_release(struct desk *desk);
void looks_start(struct desk *desk); /* the first looker; they start each other */
void looks_stop(struct desk *desk);
void looks_order(struct desk *desk, const struct order *order);

/* desk_saved.c: the first snapshots out of the file, and the file out of the last ones */
void seen_load(struct desk *desk);
void seen_save(struct desk *desk); /* when something changed */

/* desk_jobs.c */
void jobs_init(struct desk *desk);
void jobs_release(struct desk *desk);
void jobs_turn(struct desk *desk);
void jobs_refresh(struct desk *desk);
int64_t jobs_due(const struct desk *desk);
void jobs_poll(const struct desk *desk, struct pollfd fd[DESK_ATTACHED]);
void jobs_events(struct desk *desk, const struct pollfd fd[DESK_ATTACHED]);

/* desk_start.c */
void start_order(struct desk *desk, uint32_t ticket, const char *words);
void start_turn(struct desk *desk);
int64_t start_due(const struct desk *desk); /* INT64_MAX: nothing is waited for */
void start_release(struct desk *desk);
void cancel_order(struct desk *desk, uint32_t job);

/* desk_follow.c */
void follow_main(struct desk_thread *me);

/* desk_ask.c */
void ask_order(struct desk *desk, struct ask *ask); /* takes it over */
void ask_stop_order(struct desk *desk, uint32_t ticket);
void asks_turn(struct desk *desk); /* puts those away that have ended */
void asks_cancel(struct desk *desk);
bool asks_are_gone(const struct desk *desk);

#endif
