/* SPDX-License-Identifier: PostgreSQL */
/* list_text.h - the lines of list-servers, list-backups and show-backup, byte for byte as
 * Barman writes them, and the same as documents: scripts read them.
 */
#ifndef BATCH_LIST_TEXT_H
#define BATCH_LIST_TEXT_H

#include "base/doc.h"
#include "engine/list.h"
#include "session.h"

/* "NAME - DESCRIPTION (inactive)" */
void list_server_text(const struct server_cfg *srv, char *out, size_t cap);

/* Description and what is the matter with it: "Orders (inactive)" */
void list_server_description(const struct server_cfg *srv, char *out, size_t cap);

/* "SRV ID - F - Sun Nov 22 13:43:59 2026 - Size: 1.0 GiB - WAL Size: 0 B - OBSOLETE"; retention:
 * list_verdict(). */
void list_backup_text(const char *server, const struct backup *b, const struct backup_wal *wal,
                      const char *retention, char *out, size_t cap);
/* The same as a row of the array. */
void list_backup_doc(struct doc *row, const struct backup *b, const struct backup_wal *wal,
                     const char *retention);

/* Everything of show-backup, a line at a time. chain: how many backups an incremental one
 * stands on, itself included; root: the lowest of them. */
struct show_chain {
    const char *root;
    size_t size;
};
void show_backup_lines(const struct backup_show *show, const struct show_chain *chain,
                       void (*put)(void *ctx, const char *line), void *ctx);
/* a: for what is only needed meanwhile. */
void show_backup_doc(struct doc *out, struct arena *a, const struct backup_show *show,
                     const struct show_chain *chain);

#endif
