/* SPDX-License-Identifier: PostgreSQL */
/* ask - what live tests ask a server, thousands of times: psql -qAt without its start.
 *
 *     ask PORT SQL...      one simple query each, in order; stops at the first error
 *     ask /SOCKET SQL...   the same, by a server's socket
 *
 * As user postgres in database postgres on 127.0.0.1, which must trust it. Prints rows as
 * psql -qAt does: columns separated by |, NULL as nothing. Exit status 0; 1 when a query failed,
 * 2 when the connection did. Linked statically: psql loads 28 libraries each time, and that
 * costs more than the question. Everything else is for psql itself.
 *
 * A connection costs the server more than the question, too. So a PORT's first ask leaves a
 * process behind that holds its connection, and the next one takes it from there: asks
 * connect to $T/s/.ask.PORT and are sent one byte, 'F' with a descriptor or 'N' (none: they
 * dial); who has finished well sends its connection, 'R'. At any time it has one owner, so
 * nothing needs a lock, and who is killed takes its own with it. Not kept is one whose SQL
 * could have changed the session (see changes_session). The keeper ends when the server has
 * closed what it holds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *from, *to;
static int server = -1; /* the connection behind from and to */

static void lost(const char *what)
{
    fprintf(stderr, "ask: %s: %s\n", what, errno ? strerror(errno) : "the server went away");
    exit(2);
}

static void put_u32(uint32_t v)
{
    v = htonl(v);
    fwrite(&v, sizeof v, 1, to);
}

static uint32_t take_u32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return ntohl(v);
}

/* The message's type; its body, ended by a zero, is in *body until the next one. */
static int message(char **body, uint32_t *n)
{
    static char *room;
    static uint32_t size;
    int type = getc(from);
    char length[4];

    errno = 0;
    if (type == EOF || fread(length, sizeof length, 1, from) != 1) {
        lost("read");
    }
    *n = take_u32(length) - 4;
    if (*n >= size) {
        size = *n + 4096;
        room = realloc(room, size);
    }
    if (!room || *n > (1U << 30) || fread(room, 1, *n, from) != *n) {
        lost("read");
    }
    room[*n] = '\0';
    *body = room;
    return type;
}

static void row(const char *p)
{
    unsigned columns = (unsigned)(uint8_t)p[0] << 8 | (uint8_t)p[1];

    p += 2;
    for (unsigned i = 0; i < columns; i++) {
        uint32_t n = take_u32(p);
        p += 4;
        if (i) {
            putchar('|');
        }
        if (n != UINT32_MAX) {
            fwrite(p, 1, n, stdout);
            p += n;
        }
    }
    putchar('\n');
}

/* "ERROR:  column "x" does not exist", as psql says it. */
static void complain(const char *p)
{
    const char *severity = "", *text = "";

    for (; *p; p += strlen(p) + 1) {
        if (*p == 'S') {
            severity = p + 1;
        } else if (*p == 'M') {
            text = p + 1;
        }
    }
    fprintf(stderr, "%s:  %s\n", severity, text);
}

/* To the next ReadyForQuery. */
static bool answers(void)
{
    bool ok = true;
    uint32_t n;
    char *body;

    for (;;) {
        switch (message(&body, &n)) {
        case 'D':
            row(body);
            break;
        case 'E':
            ok = false;
            complain(body);
            break;
        case 'N':
            complain(body);
            break;
        case 'R':
            if (take_u32(body) != 0) {
                lost("the server does not trust us");
            }
            break;
        case 'Z':
            fflush(stdout);
            return ok;
        default:
            break;
        }
    }
}

static void streams_of(int fd)
{
    server = fd;
    from = fdopen(fd, "r");
    to = fdopen(dup(fd), "w");
    if (!from || !to) {
        lost("connect");
    }
}

static bool unix_address(struct sockaddr_un *at, const char *path)
{
    memset(at, 0, sizeof *at);
    at->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof at->sun_path) {
        return false;
    }
    memcpy(at->sun_path, path, strlen(path) + 1);
    return true;
}

/* WHERE is a port or the path of a socket. */
static int connected(const char *where)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(where))};
    struct sockaddr_un local;
    int fd = socket(where[0] == '/' ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (where[0] == '/') {
        status = unix_address(&local, where)
                     ? connect(fd, (struct sockaddr *)&local, sizeof local)
                     : -1;
    } else {
        status = connect(fd, (struct sockaddr *)&at, sizeof at);
    }
    if (fd < 0 || status != 0) {
        lost("connect");
    }
    return fd;
}

static void dial(const char *where)
{
    static const char who[] = "user\0postgres\0database\0postgres\0application_name\0psql\0";

    streams_of(connected(where));
    put_u32(sizeof who + 8);
    put_u32(3 << 16);
    fwrite(who, sizeof who, 1, to); /* with the zero that ends the list */
    fflush(to);
    if (!answers()) {
        exit(2);
    }
}

/* ---- the keeper ------------------------------------------------------------------------ */

enum { KEPT = 4, WAITING = 32 };

static bool send_with(int to_fd, char what, int fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec one = {&what, 1};
    struct msghdr m = {.msg_iov = &one, .msg_iovlen = 1};

    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(to_fd, &m, MSG_NOSIGNAL) == 1;
}

/* The byte, or 0 at the end; *fd is what came with it, or -1. */
static char take_with(int from_fd, int *fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char what = 0;
    struct iovec one = {&what, 1};
    struct msghdr m = {.msg_iov = &one,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};

    *fd = -1;
    if (recvmsg(from_fd, &m, MSG_CMSG_CLOEXEC) != 1) {
        return 0;
    }
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    }
    return what;
}

struct keeper {
    struct pollfd at[1 + KEPT + WAITING]; /* the door, connections, asks that have come */
};

static bool place(struct keeper *k, int first, int n, int fd)
{
    for (int i = first; i < first + n; i++) {
        if (k->at[i].fd < 0) {
            k->at[i].fd = fd;
            return true;
        }
    }
    close(fd);
    return false;
}

/* A server that has something to say to who did not ask says good-bye. */
static void drop_what_ended(struct keeper *k)
{
    for (int i = 1; i <= KEPT; i++) {
        if (k->at[i].fd >= 0 && k->at[i].revents) {
            close(k->at[i].fd);
            k->at[i].fd = -1;
        }
    }
}

static void let_in(struct keeper *k)
{
    int who = accept4(k->at[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (who < 0) {
        return;
    }
    for (int i = 1; i <= KEPT; i++) {
        if (k->at[i].fd >= 0) {
            struct pollfd now = {k->at[i].fd, POLLIN, 0};
            bool well = poll(&now, 1, 0) == 0 && send_with(who, 'F', now.fd);
            close(now.fd);
            k->at[i].fd = -1;
            if (well) {
                place(k, 1 + KEPT, WAITING, who);
                return;
            }
        }
    }
    send_with(who, 'N', -1);
    place(k, 1 + KEPT, WAITING, who);
}

static void hear(struct keeper *k)
{
    for (int i = 1 + KEPT; i < 1 + KEPT + WAITING; i++) {
        int fd;
        if (k->at[i].fd < 0 || !k->at[i].revents) {
            continue;
        }
        if (take_with(k->at[i].fd, &fd) == 'R' && fd >= 0) {
            place(k, 1, KEPT, fd);
        }
        close(k->at[i].fd);
        k->at[i].fd = -1;
    }
}

static bool anybody(const struct keeper *k)
{
    for (int i = 1; i < 1 + KEPT + WAITING; i++) {
        if (k->at[i].fd >= 0) {
            return true;
        }
    }
    return false;
}

/* In a child of the first ask, with nothing of its caller's open: who reads from our standard
 * output must see its end. The name is given last, so that nobody finds a door without a keeper. */
static void keep(const char *path)
{
    static struct keeper k;
    struct sockaddr_un at;
    char own[sizeof at.sun_path];
    int held = dup2(server, 3), door;

    for (int fd = 0; fd < 3; fd++) {
        close(fd);
    }
    close_range(4, ~0U, 0);
    signal(SIGPIPE, SIG_IGN);
    door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (snprintf(own, sizeof own, "%s.%d", path, (int)getpid()) >= (int)sizeof own ||
        !unix_address(&at, own) || bind(door, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(door, 64) != 0 || rename(own, path) != 0) {
        _exit(0);
    }
    for (int i = 0; i < 1 + KEPT + WAITING; i++) {
        k.at[i] = (struct pollfd){-1, POLLIN, 0};
    }
    k.at[0].fd = door;
    k.at[1].fd = held;
    while (anybody(&k)) {
        if (poll(k.at, 1 + KEPT + WAITING, -1) < 0) {
            break;
        }
        bool came = k.at[0].revents != 0;
        drop_what_ended(&k);
        hear(&k);
        if (came) {
            let_in(&k);
        }
    }
    unlink(path);
    _exit(0);
}

/* Words that may leave something behind in the session; rather one too many. */
static bool changes_session(int n, char **sql)
{
    static const char *const word[] = {"set",
                                       "temp",
                                       "listen",
                                       "prepare",
                                       "declare",
                                       "load",
                                       "begin",
                                       "advisory",
                                       "lock",
                                       "start",
                                       "pg_terminate_backend"};

    for (int i = 0; i < n; i++) {
        for (size_t w = 0; w < sizeof word / sizeof word[0]; w++) {
            if (strcasestr(sql[i], word[w])) {
                return true;
            }
        }
    }
    return false;
}

/* The keeper of that port, or -1; then *path is where one should be, "": nowhere. */
static int keeper_of(const char *port, char path[128])
{
    const char *dir = getenv("T");
    struct sockaddr_un at;
    int fd;

    path[0] = '\0';
    if (port[0] == '/' || !dir || snprintf(path, 128, "%s/s/.ask.%s", dir, port) > 90) {
        path[0] = '\0';
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (unix_address(&at, path) && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

int main(int argc, char **argv)
{
    char path[128];
    int keeper, fd = -1;

    if (argc < 3) {
        fputs("usage: ask PORT|/SOCKET SQL...\n", stderr);
        return 2;
    }
    keeper = keeper_of(argv[1], path);
    if (keeper >= 0 && take_with(keeper, &fd) == 'F' && fd >= 0) {
        streams_of(fd);
    } else {
        dial(argv[1]);
    }
    for (int i = 2; i < argc; i++) {
        putc('Q', to);
        put_u32((uint32_t)strlen(argv[i]) + 5);
        fwrite(argv[i], strlen(argv[i]) + 1, 1, to);
        fflush(to);
        if (!answers()) {
            return 1;
        }
    }
    if (!changes_session(argc - 2, argv + 2)) {
        if (keeper >= 0 && send_with(keeper, 'R', server)) {
            return 0;
        }
        if (keeper < 0 && path[0] && fork() == 0) {
            keep(path);
        }
        if (keeper < 0 && path[0]) {
            return 0;
        }
    }
    putc('X', to);
    put_u32(4);
    return 0;
}
