/* SPDX-License-Identifier: PostgreSQL */
/* session.h - one invocation: what was asked, what is configured, where words go.
 *
 * A command's run function does its work for one server, says what it has to say through the
 * console, and tells a failure with session_fail(). Nothing is returned: the exit status is in
 * the session.
 */
#ifndef BATCH_SESSION_H
#define BATCH_SESSION_H

#include "args.h"
#include "cfg/config.h"
#include "console.h"
#include "nagios.h"
#include "repo/repo.h"

struct session {
    struct arena arena; /* of the process */
    struct arena said;  /* of the console's document: a verb's thread may be at the other one */
    struct args args;
    struct console console;
    struct nagios *nagios;    /* check --nagios: what is answered at the end; NULL otherwise */
    const struct config *cfg; /* NULL for commands that need none */
    const char *program;      /* absolute path of the running binary */
    const char *config_path;  /* as it was named by -c or the environment; NULL: searched for */
    int status;
};

void session_fail(struct session *s, const struct err *err);

/* The address of the client, when it came through SSH; NULL: it did not. */
const char *session_ssh_host(struct session *s);

/* A task that runs everything in this thread, for commands that only look. */
struct task session_task(struct session *s, struct task_sink *store);

/* Run the verb as a job, watched by the console. What cron does every minute keeps no
 * directory: it would push out those of backups and restores; the program's log has its lines.
 */
enum session_job {
    SESSION_LOOKS,       /* ends with the terminal */
    SESSION_KEEPS_HOUSE, /* writes, and is not recorded */
    SESSION_WRITES,      /* has a number and a directory */
    SESSION_ELSEWHERE,   /* the same; without a directory where barman_home is not mounted */
};
struct session_verb {
    enum session_job kind;
    const struct server_cfg *srv;
    bool (*run)(const struct task *task, void *arg, struct err *err);
    void *arg;
};
/* false: the failure was told. */
bool session_job(struct session *s, const struct session_verb *verb);

/* The repository of a server; false: the failure was told. */
bool session_repo(struct session *s, const struct server_cfg *srv, struct repo *out);

/* The same, and the backup that the second operand names by its id, name or a word; NULL: the
 * failure was told. */
const struct backup *session_backup(struct session *s, const struct server_cfg *srv,
                                    struct repo *out);

/* A path of the command line is relative to where it was typed; a job may run elsewhere. NULL
 * and "" (of a script whose variable is not set) stay what they are. */
const char *session_path(struct session *s, const char *path);

/* Retry options: --no-retry, --retry-times, --retry-sleep over the configuration's. */
unsigned session_retry_times(const struct session *s, const struct server_cfg *srv);
unsigned session_retry_sleep(const struct session *s, const struct server_cfg *srv);

/* The command for one server, or the reason why not. */
void session_run_one(struct session *s, const char *server);
/* For several, side by side (command.h, abreast): each in a process of its own, what they say in
 * the order of the names, one document, the highest of their exit statuses. */
void session_run_abreast(struct session *s, const char *const *server, size_t n);

/* Read the command line. false: that was all, *status is the exit status, nothing stays open. */
bool session_open(struct session *s, int argc, char **argv, int *status);
/* Neither a command nor --help, --version or --batch, and a terminal that can be drawn on. */
bool session_wants_console(const struct session *s);
/* Read the configuration, become barman_user, open the log; false: the failure was told. */
bool session_configure(struct session *s);
/* Neither a command nor a terminal to draw on: what the console would show first, in lines. */
bool session_wants_status(const struct session *s);
void session_status(struct session *s);
void session_run(struct session *s);  /* the command, help or version */
int session_close(struct session *s); /* the exit status */

/* The whole program without the console. Returns the exit status. */
int batch_main(int argc, char **argv);

#endif
