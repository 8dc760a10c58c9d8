/* SPDX-License-Identifier: PostgreSQL */
/* guard - runs one live test and lets nothing of it get away.
 *
 *     guard RESULT SECONDS CMD...
 *
 * CMD in a session of its own. After SECONDS its process group gets SIGTERM, 5 s later SIGKILL,
 * and the status is 124. When it has ended, whatever it has started is killed, also what calls
 * itself a daemon: every orphan below us becomes our child (PR_SET_CHILD_SUBREAPER), so we need
 * not search for it, and have its time. The shared memory of servers goes, too. Then RESULT
 * appears, one line:
 *
 *     STATUS WALL CPU      its exit status (128 + signal), tenths of a second, hundredths
 *
 * Told to end (SIGTERM, SIGINT, SIGHUP), it kills all of them too, and leaves no RESULT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LATE = 124, GRACE_S = 5 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A server that is killed leaves its shared memory; it is the inode and name of a mapping. */
static void free_memory_of(pid_t pid)
{
    char path[64], line[4096], name[4096];
    unsigned long inode;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*s %*s %*s %*s %lu %4095s", &inode, name) != 2) {
            continue;
        }
        if (strncmp(name, "/SYSV", 5) == 0) {
            shmctl((int)inode, IPC_RMID, NULL);
        } else if (strncmp(name, "/dev/shm/PostgreSQL.", 20) == 0) {
            unlink(name);
        }
    }
    if (f) {
        fclose(f);
    }
}

static void kill_children(void)
{
    char path[64], buf[65536];

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof buf - 1);
    if (fd >= 0) {
        close(fd);
    }
    buf[n > 0 ? n : 0] = '\0';
    for (char *p = buf; *p;) {
        char *end;
        long pid = strtol(p, &end, 10);
        if (end == p) {
            break;
        }
        free_memory_of((pid_t)pid);
        kill((pid_t)pid, SIGKILL);
        p = end;
    }
}

/* Children of the killed become ours, until there are none. */
static void kill_all(void)
{
    for (;;) {
        kill_children();
        pid_t pid = waitpid(-1, NULL, 0);
        if (pid < 0 && errno == ECHILD) {
            return;
        }
    }
}

static pid_t start(char **cmd, const sigset_t *before)
{
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        sigprocmask(SIG_SETMASK, before, NULL);
        execvp(cmd[0], cmd);
        fprintf(stderr, "guard: %s: %s\n", cmd[0], strerror(errno));
        _exit(127);
    }
    return pid;
}

/* The test's exit status; -1: we are to end. */
static int watch(pid_t pid, double seconds, const sigset_t *signals)
{
    double end = now() + seconds;
    bool late = false;

    for (;;) {
        int status;
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
            if (ended == pid) {
                return late                  ? LATE
                       : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                             : WEXITSTATUS(status);
            }
        }
        double left = end - now();
        if (left <= 0) {
            kill(-pid, late ? SIGKILL : SIGTERM);
            late = true;
            end += GRACE_S;
            continue;
        }
        struct timespec wait = {(time_t)left, 100000000};
        int got = sigtimedwait(signals, NULL, &wait);
        if (got > 0 && got != SIGCHLD) {
            return -1;
        }
    }
}

int main(int argc, char **argv)
{
    static const int told[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    sigset_t signals, before;
    struct rusage used;
    char made[4096];
    double began = now();

    if (argc < 4 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        fputs("usage: guard RESULT SECONDS CMD...\n", stderr);
        return 2;
    }
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        signal(told[i], SIG_DFL);
        sigaddset(&signals, told[i]);
    }
    sigprocmask(SIG_BLOCK, &signals, &before);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        sigdelset(&before, told[i]);
    }
    pid_t pid = start(argv + 3, &before);
    int status = pid < 0 ? 127 : watch(pid, atof(argv[2]), &signals);
    kill_all();
    if (status < 0) {
        return 143;
    }
    getrusage(RUSAGE_CHILDREN, &used);
    snprintf(made, sizeof made, "%s.new", argv[1]);
    FILE *f = fopen(made, "w");
    if (!f) {
        perror(made);
        return 2;
    }
    fprintf(f, "%d %.0f %.0f\n", status, (now() - began) * 10,
            ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
             (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6) *
                100);
    return fclose(f) == 0 && rename(made, argv[1]) == 0 ? 0 : 2;
}
