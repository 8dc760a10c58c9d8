/* SPDX-License-Identifier: PostgreSQL */
#include "fixture.h"

#include "repo/lock.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

/* A child that takes the lock, says so through a pipe, and keeps it until it is killed. */
static pid_t holder(const struct repo *r, const char *name)
{
    struct err err = {0};
    struct lock lock;
    int fd[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!lock_take(&lock, r, name, LOCK_TRY, &err) || write(fd[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(fd[1]);
    assert_int_equal(read(fd[0], &c, 1), 1);
    close(fd[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void name_mode_and_content(void **state)
{
    struct err err = {0};
    struct lock lock;
    struct stat st;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(lock_take(&lock, &f.r, LOCK_ARCHIVE_WAL, LOCK_TRY, &err));
    assert_string_equal(lock.path, fx_fmt("%s/.main-archive-wal.lock", f.root));
    assert_string_equal(fx_read(lock.path), fx_fmt("%ld\n", (long)getpid()));
    assert_int_equal(stat(lock.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    lock_release(&lock);
    lock_release(&lock); /* twice is no harm */
    assert_true(fx_there(lock.path));
    fx_release(&f);
}

static void another_process_has_it(void **state)
{
    struct err err = {0};
    struct lock lock;
    pid_t pid, seen;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_false(lock_is_held(&f.r, LOCK_BACKUP, &seen));
    pid = holder(&f.r, LOCK_BACKUP);
    assert_true(lock_is_held(&f.r, LOCK_BACKUP, &seen));
    assert_int_equal(seen, pid);
    assert_false(lock_take(&lock, &f.r, LOCK_BACKUP, LOCK_TRY, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_non_null(strstr(err.why, fx_fmt("%ld", (long)pid)));
    assert_int_equal(lock.fd, -1);

    end(pid); /* row 111: a lock left by a dead process is free, whatever pid is in it */
    assert_false(lock_is_held(&f.r, LOCK_BACKUP, NULL));
    err = (struct err){0};
    assert_true(lock_take(&lock, &f.r, LOCK_BACKUP, LOCK_TRY, &err));
    lock_release_remove(&lock);
    assert_false(fx_there(lock.path));
    fx_release(&f);
}

/* Somebody unlinks the file while we wait for it: we must end up with the lock of the new file,
 * not of one that nobody else can see. */
static void unlinked_while_waiting(void **state)
{
    struct err err = {0};
    struct lock lock;
    struct stat a, b;
    struct fx f;
    pid_t child;
    int fd;

    (void)state;
    fx_init(&f);
    fd = open(fx_fmt("%s/.main-xlogdb.lock", f.root), O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    child = fork();
    if (child == 0) {
        poll(NULL, 0, 100);
        unlink(fx_fmt("%s/.main-xlogdb.lock", f.root));
        flock(fd, LOCK_UN);
        _exit(0);
    }
    close(fd); /* the child's copy keeps the lock */
    assert_true(lock_take(&lock, &f.r, LOCK_XLOGDB, LOCK_WAIT, &err));
    assert_int_equal(fstat(lock.fd, &a), 0);
    assert_int_equal(stat(lock.path, &b), 0);
    assert_int_equal(a.st_ino, b.st_ino);
    lock_release(&lock);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fx_release(&f);
}

static void clean_up_leaves_held_ones(void **state)
{
    struct err err = {0};
    struct fx f;
    pid_t pid;

    (void)state;
    fx_init(&f);
    pid = holder(&f.r, LOCK_BACKUP);
    fx_text(fx_fmt("%s/.main-cron.lock", f.root), "1\n");
    fx_text(fx_fmt("%s/visible.lock", f.root), "");
    fx_text(fx_fmt("%s/.other", f.root), "");
    assert_true(lock_clean_up(f.root, &err));
    assert_false(fx_there(fx_fmt("%s/.main-cron.lock", f.root)));
    assert_true(fx_there(fx_fmt("%s/.main-backup.lock", f.root)));
    assert_true(fx_there(fx_fmt("%s/visible.lock", f.root)));
    assert_true(fx_there(fx_fmt("%s/.other", f.root)));
    end(pid);
    fx_release(&f);
}

/* Several may read, and nobody may delete meanwhile; the holder's pid stays what it was. */
static void shared(void **state)
{
    struct err err = {0};
    struct lock one, two, alone;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(lock_take_shared(&one, &f.r, "x", &err));
    assert_true(lock_take_shared(&two, &f.r, "x", &err));
    assert_false(lock_take(&alone, &f.r, "x", LOCK_TRY, &err));
    assert_int_equal(err.code, ERR_BUSY);
    lock_release(&one);
    assert_false(lock_take(&alone, &f.r, "x", LOCK_TRY, &err));
    lock_release(&two);
    assert_true(lock_take(&alone, &f.r, "x", LOCK_TRY, &err));
    assert_false(lock_take_shared(&one, &f.r, "x", &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_string_equal(fx_read(alone.path), fx_fmt("%d\n", (int)getpid()));
    lock_release(&alone);
    fx_release(&f);
}

/* Somebody else's file holds as well, but whom it names is not told. */
static void a_strangers_word_is_not_taken(void **state)
{
    struct err err = {0};
    struct lock lock;
    struct fx f;
    pid_t seen = 7;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    fx_init(&f);
    assert_true(lock_take(&lock, &f.r, LOCK_BACKUP, LOCK_TRY, &err));
    assert_true(lock_is_held(&f.r, LOCK_BACKUP, &seen));
    assert_int_equal(seen, getpid());
    assert_int_equal(chown(lock.path, 65534, 65534), 0);
    assert_true(lock_is_held(&f.r, LOCK_BACKUP, &seen));
    assert_int_equal(seen, 0);
    lock_release(&lock);
    fx_release(&f);
}

static void a_link_is_not_followed(void **state)
{
    struct err err = {0};
    struct lock lock;
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_text(fx_fmt("%s/precious", f.root), "data");
    assert_int_equal(symlink("precious", fx_fmt("%s/.main-backup.lock", f.root)), 0);
    assert_false(lock_take(&lock, &f.r, LOCK_BACKUP, LOCK_TRY, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(fx_read(fx_fmt("%s/precious", f.root)), "data");
    fx_release(&f);
}

TEST_MAIN(ONE(name_mode_and_content), ONE(another_process_has_it), ONE(unlinked_while_waiting),
          ONE(clean_up_leaves_held_ones), ONE(shared), ONE(a_strangers_word_is_not_taken),
          ONE(a_link_is_not_followed))
