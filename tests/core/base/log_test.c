/* SPDX-License-Identifier: PostgreSQL */
#include "base/log.h"

#include "base/file.h"

#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct row {
    const char *label, *text, *covered;
} rows[] = {
    {"nothing to hide", "host=db user=barman", "host=db user=barman"},
    {"keyword", "user=b password=s3cret host=db", "user=b password=*REDACTED* host=db"},
    {"last", "user=b password=s3cret", "user=b password=*REDACTED*"},
    {"quoted", "password='a b\\'c' host=x", "password=*REDACTED* host=x"},
    {"what touches the quote goes, too", "password='a'b host=x", "password=*REDACTED* host=x"},
    {"blanks around", "password = s3cret x", "password = *REDACTED* x"},
    {"upper case", "PASSWORD=s3cret", "PASSWORD=*REDACTED*"},
    {"escaped blank", "password=a\\ b host=x", "password=*REDACTED* host=x"},
    {"ssl key", "sslpassword=k x", "sslpassword=*REDACTED* x"},
    {"uri", "postgresql://u:pw@h/db", "postgresql://u:*REDACTED*@h/db"},
    {"uri with at in it", "postgres://u:p@w@h/db", "postgres://u:*REDACTED*@h/db"},
    {"uri without password", "postgresql://u@h:5432/db", "postgresql://u@h:5432/db"},
    {"uri parameter", "postgresql://h/db?password=pw&x=1",
     "postgresql://h/db?password=*REDACTED*&x=1"},
    {"bare slash in it", "postgresql://u:p/w@h:5432/db", "postgresql://u:*REDACTED*@h:5432/db"},
    {"bare question mark in it", "postgresql://u:p?w@h/db", "postgresql://u:*REDACTED*@h/db"},
    {"at in the path of a host with a port", "postgresql://h:5432/db?user=a@b",
     "postgresql://h:5432/db?user=a@b"},
    {"at in the path", "postgresql://u@h:5432/db?options=a:b@c",
     "postgresql://u@h:5432/db?options=a:b@c"},
    {"a key as a URI may write it", "postgresql://h/db?%70assword=pw&passwor%64=pw",
     "postgresql://h/db?%70assword=*REDACTED*&passwor%64=*REDACTED*"},
    {"percent signs that are none", "100% %7 %zz password=%",
     "100% %7 %zz password=*REDACTED*"},
    {"keys of version 18", "oauth_client_secret=a scram_client_key=b scram_server_key='c'",
     "oauth_client_secret=*REDACTED* scram_client_key=*REDACTED* scram_server_key=*REDACTED*"},
    {"quotes in it", "password=a\"b\"c'd host=x", "password=*REDACTED* host=x"},
    {"quotes around it all", "'u=b password=x': no. (\"password=x\"), y",
     "'u=b password=*REDACTED*': no. (\"password=*REDACTED*\"), y"},
    {"ampersand in it", "password=a&b host=x", "password=*REDACTED* host=x"},
    {"every kind of blank around", "password\t=\n\fa\vb", "password\t=\n\f*REDACTED*\vb"},
    {"port is no password", "http://h:80/x", "http://h:80/x"},
    {"the word alone", "no password supplied", "no password supplied"},
    {"unterminated quote", "password='abc", "password=*REDACTED*"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    char out[256];

    assert_string_equal(redact(r->text, out, sizeof out), r->covered);
}

static size_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static void follows_a_rotated_file(void **state)
{
    char dir[] = "/tmp/barkeep-log-XXXXXX", path[64], old[64];
    struct err err = {0};
    size_t first;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/log", dir);
    snprintf(old, sizeof old, "%s/log.1", dir);
    assert_true(log_open(path, LOG_INFO, &err));
    log_line(LOG_INFO, "one password=x");
    log_line(LOG_DEBUG, "too quiet for this level");
    first = size_of(path);
    assert_true(first > 10);
    assert_int_equal(rename(path, old), 0);
    log_line(LOG_ERROR, "two");
    assert_int_equal(size_of(old), first);
    assert_true(size_of(path) > 10);
    unlink(path);
    unlink(old);
    rmdir(dir);
}

/* A file's name, say, that its owner chose with care. */
static void a_line_stays_one(void **state)
{
    char dir[] = "/tmp/barkeep-log-XXXXXX", path[64], text[256];
    struct err err = {0};
    size_t n = 0;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/log", dir);
    assert_true(log_open(path, LOG_INFO, &err));
    log_line(LOG_INFO, "moved '%s'", "a\tb\n2026 ERROR\033[31m\302\233");
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(fd_read_full(fd, text, sizeof text - 1, &n, path, &err));
    close(fd);
    text[n] = '\0';
    assert_non_null(strstr(text, "moved 'a\tb?2026 ERROR?[31m\302?'\n"));
    unlink(path);
    rmdir(dir);
}

static void a_directory_is_no_log(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(log_open("/", LOG_INFO, &err));
    assert_int_equal(err.code, ERR_IO);
}

TEST_MAIN(ROWS(rows, check_row), ONE(follows_a_rotated_file), ONE(a_line_stays_one),
          ONE(a_directory_is_no_log))
