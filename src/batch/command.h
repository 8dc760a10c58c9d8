/* SPDX-License-Identifier: PostgreSQL */
/* command.h - every command, its arguments and options: one table.
 *
 * The parser, help, the manual page and the shell completions are all made from command_table
 * and global_options; what is not there does not exist, and what is there works.
 *
 * Names    called as barman (argv[0]), the program takes Barman's rows and options only, those
 *          without the mark `ours`, and words its complaints as argparse does.
 * Rules    what a command does with a server that is inactive (active = false), disabled (its
 *          configuration contradicts itself) or passive (a copy of another node's): RUN, SKIP
 *          with a line and status 0, or REFUSE with the reasons and status 1.
 * Source   Barman 3.17's command line; exit statuses and texts are its, since scripts read them.
 */
#ifndef BATCH_COMMAND_H
#define BATCH_COMMAND_H

#include "barkeep/str.h"

struct args;
struct session;
struct server_cfg;

enum arg_type {
    ARG_FLAG,
    ARG_TEXT,
    ARG_LIST,   /* text, may be given again */
    ARG_NONNEG, /* integer, 0 or more */
    ARG_POS,    /* integer, 1 or more */
    ARG_CHOICE, /* one of `value`, '|' between the words */
    ARG_MAYBE,  /* the same, or nothing, which means the first of them */
};

/* Servers at a time, each in its own process: those that are only asked are waited for, those whose
 * files are written share the disk and the network, and outlive the terminal. */
enum { AT_LOOKS = 8, AT_WORK = 4 };

struct arg_option {
    const char *name;    /* without "--" */
    const char *letters; /* "j", "zx", or "" */
    enum arg_type type;
    const char *value; /* what help calls the value; the words of a choice */
    const char *help;
    bool ours; /* Barman has no such option: the program called barman does not know it */
    const char *theirs; /* as Barman's error messages call it; NULL: as it is written */
};

enum operand_kind {
    OPERAND_SERVER,  /* one name */
    OPERAND_SERVERS, /* one or more names, or "all" */
    OPERAND_TEXT,
    OPERAND_COMMAND, /* may be left out */
    OPERAND_MAYBE,   /* text that may be left out */
};

struct operand {
    enum operand_kind kind;
    const char *name; /* as usage shows it */
    const char *help;
    const char *theirs; /* as Barman's error messages call it; NULL: Barman has none */
};

enum rule { RULE_RUN, RULE_SKIP, RULE_REFUSE };

enum command_needs {
    NEEDS_NOTHING, /* not even the configuration */
    NEEDS_CONFIG,  /* run once, with srv NULL */
    NEEDS_SERVER,  /* run for each server named */
};

struct command {
    const char *name, *alias; /* alias NULL: none */
    const char *help;         /* one line */
    const char *about;        /* a paragraph for help COMMAND and the manual */
    const struct operand *operand;
    size_t operands;
    const struct arg_option *option;
    size_t options;
    enum command_needs needs;
    /* What the command line still lacks, told before any server is looked at; NULL: nothing. A
     * command without this function lacks nothing. */
    const char *(*lacks)(const struct args *args);
    enum rule inactive, disabled, passive;
    const char *lifts; /* options that lift the rule for inactive servers, ',' between; NULL */
    bool is_job;       /* has a number and a directory: takes --job */
    bool in_conflict;  /* runs even when the configurations of servers contradict each other */
    bool draws;        /* a progress line, on a terminal */
    size_t abreast;    /* AT_LOOKS, AT_WORK; 0: one server after the other */
    bool ours;         /* Barman has no such command: the program called barman neither */
    void (*run)(struct session *s, const struct server_cfg *srv);
};

extern const struct command command_table[];
extern const size_t command_count;
extern const struct arg_option global_options[];
extern const size_t global_option_count;

const struct command *command_find(struct str name); /* by name or alias; NULL: none */

/* How many letters to add, drop, change or swap with a neighbour to come from a to b. */
size_t word_distance(struct str a, struct str b);
/* The command or alias nearest to a mistyped word; NULL: none is near. */
const char *command_near(struct str word);

/* What runs them, one file for a family of commands. */
void run_backup(struct session *s, const struct server_cfg *srv);
void run_receive_wal(struct session *s, const struct server_cfg *srv);
void run_switch_wal(struct session *s, const struct server_cfg *srv);
void run_archive_wal(struct session *s, const struct server_cfg *srv);
void run_get_wal(struct session *s, const struct server_cfg *srv);
void run_restore(struct session *s, const struct server_cfg *srv);
void run_convert_layout(struct session *s, const struct server_cfg *srv);
void run_delete(struct session *s, const struct server_cfg *srv);
void run_check_backup(struct session *s, const struct server_cfg *srv);
void run_estimate_size(struct session *s, const struct server_cfg *srv);
void run_generate_manifest(struct session *s, const struct server_cfg *srv);
void run_verify_backup(struct session *s, const struct server_cfg *srv);
void run_list_servers(struct session *s, const struct server_cfg *srv);
void run_list_backups(struct session *s, const struct server_cfg *srv);
void run_show_backup(struct session *s, const struct server_cfg *srv);
void run_status(struct session *s, const struct server_cfg *srv);
void run_check(struct session *s, const struct server_cfg *srv);
void run_cron(struct session *s, const struct server_cfg *srv);
void run_start_copy(struct session *s, const struct server_cfg *srv);
void run_show_copy(struct session *s, const struct server_cfg *srv);
void run_promote_copy(struct session *s, const struct server_cfg *srv);
void run_stop_copy(struct session *s, const struct server_cfg *srv);
void run_drop_copy(struct session *s, const struct server_cfg *srv);
void run_compare_copy(struct session *s, const struct server_cfg *srv);
void run_show_servers(struct session *s, const struct server_cfg *srv);
void run_diagnose(struct session *s, const struct server_cfg *srv);
const char *config_switch_lacks(const struct args *args);
void run_config_switch(struct session *s, const struct server_cfg *srv);
void run_config_update(struct session *s, const struct server_cfg *srv);
void run_put_wal(struct session *s, const struct server_cfg *srv);
const char *keep_lacks(const struct args *args);
void run_keep(struct session *s, const struct server_cfg *srv);
void run_list_files(struct session *s, const struct server_cfg *srv);
void run_rebuild_xlogdb(struct session *s, const struct server_cfg *srv);
void run_check_wal_archive(struct session *s, const struct server_cfg *srv);
void run_replication_status(struct session *s, const struct server_cfg *srv);
void run_list_processes(struct session *s, const struct server_cfg *srv);
void run_terminate_process(struct session *s, const struct server_cfg *srv);
void run_lock_directory_cleanup(struct session *s, const struct server_cfg *srv);
void run_help(struct session *s, const struct server_cfg *srv);

#endif
