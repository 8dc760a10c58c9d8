/* SPDX-License-Identifier: PostgreSQL */
/* ask - what live tests ask a server, thousands of times: psql -qAt without its start.
 *
 *     ask PORT SQL...      one simple query each, in order; stops at the first error
 *
 * As user postgres in database postgres on 127.0.0.1, which must trust it. Prints rows as
 * psql -qAt does: columns separated by |, NULL as nothing. Exit status 0; 1 when a query failed,
 * 2 when the connection did. Linked statically: psql loads 28 libraries each time, and that
 * costs more than the question. Everything else is for psql itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static FILE *from, *to;

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

static void dial(int port)
{
    static const char who[] = "user\0postgres\0database\0postgres\0application_name\0psql\0";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        lost("connect");
    }
    from = fdopen(fd, "r");
    to = fdopen(dup(fd), "w");
    if (!from || !to) {
        lost("connect");
    }
    put_u32(sizeof who + 8);
    put_u32(3 << 16);
    fwrite(who, sizeof who, 1, to); /* with the zero that ends the list */
    fflush(to);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: ask PORT SQL...\n", stderr);
        return 2;
    }
    dial(atoi(argv[1]));
    if (!answers()) {
        return 2;
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
    putc('X', to);
    put_u32(4);
    return 0;
}
