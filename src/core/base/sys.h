/* SPDX-License-Identifier: PostgreSQL */
/* sys.h - the calls that only Linux has. sys.c is the one file that defines _GNU_SOURCE.
 *
 * Errors   0, or -1 and errno, as the calls themselves.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everything of fd's file system to the disk; from kernel 5.8 on errors are reported too. */
int sys_syncfs(int fd);
bool sys_syncfs_reports(void); /* is the kernel that new? */

/* Begin to write these bytes out, and do not wait. */
int sys_write_out(int fd, uint64_t from, uint64_t bytes);

/* Become that user for good: groups, gid, uid. */
int sys_become(const char *name, uint32_t uid, uint32_t gid);

/* From now on this process, a child of parent, gets the signal when that one dies; at once when it
 * already has. */
void sys_end_with_parent(int parent, int signo);

/* Columns of the terminal behind fd; 0 when it is none. */
int sys_terminal_width(int fd);
/* Both; 0 x 0 when it does not know. -1 when it is none. */
int sys_terminal_size(int fd, int *cols, int *rows);

/* A pipe whose ends no program started later inherits, not even one started meanwhile. */
int sys_pipe(int fd[2]);

/* Zeros that the compiler does not leave out: after a passphrase. */
void sys_wipe(void *p, size_t n);

/* Let `to`, an empty file, share all blocks of `from`; -1 where the file system cannot. */
int sys_clone(int from, int to);

/* Copy up to n bytes from where both descriptors stand; how many, 0 at the end. */
int64_t sys_copy_range(int from, int to, uint64_t n);

/* A file in memory alone, opened for reading and writing; name is only for people. */
int sys_memory_file(const char *name);

/* The path of what exists without links, "." and ".."; out has room for 4096 bytes. */
int sys_real_path(const char *path, char *out);

/* The kernel's id of the mount that holds a path; -1 also where it does not tell. */
int sys_mount_id(const char *path, uint64_t *out);

/* Memory for something large that is filled as a whole: not zeroed, in large pages where the kernel
 * has some, since the first touch of each page costs more than its share of the work. NULL: none;
 * to be given to free(). */
void *sys_large_new(size_t n);

/* What this process holds, passwords among it, goes into no core dump, neither a file nor through a
 * pipe; nor does that of what it starts. Where the hard limit is 0 no file is made, but a pipe
 * cannot be kept from it. */
void sys_no_core(void);

/* Keep freed memory for the next allocation instead of giving each piece back to the kernel. Once,
 * before there are threads. */
void sys_keep_memory(void);

/* Whether fd is written past the page cache from now on; false with errno where its file system
 * cannot. */
bool sys_set_direct(int fd, bool wanted);
/* A hint: p is aligned to 2 MiB. */
void sys_wants_huge_pages(void *p, size_t n);

#endif
