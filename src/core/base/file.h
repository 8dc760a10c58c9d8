/* SPDX-License-Identifier: PostgreSQL */
/* file.h - files that are there after a power cut, or not at all.
 *
 * Write    file_replace(): temporary name in the same directory, write, fsync, rename, fsync of
 *          the directory. A reader sees the old file or the new one.
 * Read     bounded: a file larger than the caller's maximum is ERR_FORMAT, not memory.
 * Modes    files 0600, directories 0700, whatever the umask.
 * fsync    A failed fsync is final: the file is thrown away, never synced again and believed.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "barkeep/arena.h"
#include "barkeep/err.h"
#include "barkeep/str.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/types.h>

#define PATH_CAP 4096

/* "dir/name" into out[PATH_CAP]; too long is ERR_FORMAT. */
MUST_CHECK bool path_join(char out[PATH_CAP], const char *dir, const char *name,
                          struct err *err);
/* The part after the last '/', and the part before it ("." when there is none). */
const char *path_base(const char *path);
void path_dir(const char *path, char out[PATH_CAP]);

/* Can only mean something below the directory it is taken from: relative, and none of its
 * components empty, "." or ".."; no NUL. */
bool path_is_below(struct str path);

/* To be read, when it is a regular file: one that has no end, or another end that somebody has to
 * open first, is refused at once. ERR_MISSING when it does not exist. */
MUST_CHECK bool file_open(const char *path, int *fd, struct err *err);

/* Whole file into the arena, NUL after the last byte. ERR_MISSING when it does not exist. */
MUST_CHECK bool file_read(struct arena *a, const char *path, size_t max, struct str *out,
                          struct err *err);

/* Durably make path hold these bytes. The temporary name is path + ".tmp". */
MUST_CHECK bool file_replace(const char *path, struct str bytes, struct err *err);

/* The same with what `put` prints, max bytes with a NUL at the most: more is ERR_FORMAT. */
MUST_CHECK bool file_print(const char *path, size_t max,
                           void (*put)(struct sbuf *b, const void *what), const void *what,
                           struct err *err);

/* The same without waiting for the disk, for what a power cut may take back. A killed process still
 * leaves the old bytes or the new ones. */
MUST_CHECK bool file_jot(const char *path, size_t max,
                         void (*put)(struct sbuf *b, const void *what), const void *what,
                         struct err *err);

/* Durably add a line (it ends in LF) to a text file, made when it is not there. Any number of
 * processes may do so at the same time; a line that a power cut left without its end is ended. */
MUST_CHECK bool file_append_line(const char *path, const char *line, struct err *err);

/* All n bytes, through EINTR and short writes. what: the path, for the message. */
MUST_CHECK bool fd_write_all(int fd, const void *p, size_t n, const char *what,
                             struct err *err);
MUST_CHECK bool fd_pwrite_all(int fd, const void *p, size_t n, off_t at, const char *what,
                              struct err *err);
/* Up to n bytes until end of file; *got < n means the end. */
MUST_CHECK bool fd_read_full(int fd, void *p, size_t n, size_t *got, const char *what,
                             struct err *err);

/* A program may be started with stdin, stdout or stderr closed; the next file it opens would
 * then get that number and be written into. Takes the free ones: an empty stdin, a stdout that
 * refuses every write, a stderr that swallows it. */
MUST_CHECK bool fd_hold_stdio(struct err *err);
/* Nothing of the caller's umask or file size limit is left to chance: modes are what this
 * program asks for (and never anything for others), a file that grows too large is an error
 * of write() and not the end of the process. */
void file_rules(void);

MUST_CHECK bool fd_sync(int fd, const char *what, struct err *err); /* fsync */
MUST_CHECK bool fd_datasync(int fd, const char *what, struct err *err);
MUST_CHECK bool dir_sync(const char *path, struct err *err);

/* mkdir -p with 0700; each new directory's parent is synced. */
MUST_CHECK bool dir_make(const char *path, struct err *err);

/* rename, then fsync of the directory (both, when they differ). */
MUST_CHECK bool file_rename(const char *from, const char *to, struct err *err);
/* unlink, then fsync of the directory. A missing file is success. */
MUST_CHECK bool file_remove(const char *path, struct err *err);

/* Everything below path and path itself, without following links. Missing is success. */
MUST_CHECK bool tree_remove(const char *path, struct err *err);

/* Names in a directory without "." and "..", sorted by byte; a missing directory is empty when
 * missing_ok. They live in the arena. */
enum dir_missing { DIR_MUST_EXIST, DIR_MAY_MISS };
struct names {
    const char **name;
    size_t n;
};
MUST_CHECK bool dir_names(struct arena *a, const char *path, enum dir_missing missing,
                          struct names *out, struct err *err);

enum file_kind { FILE_NONE, FILE_REGULAR, FILE_DIR, FILE_LINK, FILE_OTHER };
/* lstat; an unreadable parent is FILE_NONE with errno set. */
enum file_kind file_kind(const char *path, uint64_t *size);

#endif
