/* SPDX-License-Identifier: PostgreSQL */
#include "command.h"

#include <string.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define OPERANDS(a) .operand = (a), .operands = COUNT(a)
#define OPTIONS(a)  .option = (a), .options = COUNT(a)
/* Run for each server named, if not these rules say otherwise: inactive, disabled, passive. */
#define FOR_SERVERS(i, d, p)                                                                   \
    .needs = NEEDS_SERVER, .inactive = RULE_##i, .disabled = RULE_##d, .passive = RULE_##p

#define THE_SERVER                                                                             \
    {                                                                                          \
        OPERAND_SERVER, "SERVER", "name of the server, as its section is called",              \
            "server_name"                                                                      \
    }
#define THE_SERVERS                                                                            \
    {                                                                                          \
        OPERAND_SERVERS, "SERVER", "names of servers, or 'all'", "server_name"                 \
    }
#define THE_BACKUP                                                                             \
    {                                                                                          \
        OPERAND_TEXT, "BACKUP_ID",                                                             \
            "id or name of a backup, or latest, oldest, last-failed, latest-full", "backup_id" \
    }

/* clang-format off */
const struct arg_option global_options[] = {
    {"help", "h", ARG_FLAG, NULL, "show this help and exit"},
    {"version", "v", ARG_FLAG, NULL, "show the version and exit"},
    {"config", "c", ARG_TEXT, "FILE", "read this configuration (otherwise $BARMAN_CONFIG_FILE, ~/.barman.conf, /etc/barman.conf, /etc/barman/barman.conf)"},
    {"color", "", ARG_CHOICE, "never|always|auto", "whether to use colours (auto: when stdout and stderr are terminals)", .theirs = "--color/--colour"},
    {"colour", "", ARG_CHOICE, "never|always|auto", "the same", .theirs = "--color/--colour"},
    {"log-level", "", ARG_CHOICE, "NOTSET|DEBUG|INFO|WARNING|ERROR|CRITICAL", "least level that goes to the log file, instead of log_level"},
    {"quiet", "q", ARG_FLAG, NULL, "print warnings and errors only"},
    {"debug", "d", ARG_FLAG, NULL, "print debug messages on stderr"},
    {"format", "f", ARG_CHOICE, "console|json", "print lines as they come, or one JSON document at the end"},
    {"batch", "", ARG_FLAG, NULL, "never ask, colour or draw", .ours = true},
    {"theme", "", ARG_TEXT, "NAME", "colours of the console: dark, light, safe, mono, or one of your own", .ours = true},
    {"symbols", "", ARG_CHOICE, "block|ascii", "what the console draws with, instead of what the locale can show", .ours = true},
    {"job", "", ARG_POS, "N", "run as this job, whose directory was made beforehand", .ours = true},
};
const size_t global_option_count = COUNT(global_options);

static const struct operand one_server[] = {THE_SERVER};
static const struct operand many_servers[] = {THE_SERVERS};
static const struct operand server_backup[] = {THE_SERVER, THE_BACKUP};
static const struct operand server_wal[] = {
    THE_SERVER,
    {OPERAND_TEXT, "WAL_NAME", "name of a segment or history file", "wal_name"},
};
static const struct operand restore_operands[] = {
    THE_SERVER,
    {OPERAND_TEXT, "BACKUP_ID", "id or name of a backup, latest, oldest, ..., or 'auto': the one that fits the target", "backup_id"},
    {OPERAND_TEXT, "DESTINATION", "directory that becomes the new PGDATA: empty, or missing", "destination_directory"},
};
static const struct operand server_copy[] = {
    THE_SERVER,
    {OPERAND_TEXT, "DESTINATION", "directory that restore made"},
};
static const struct operand server_task[] = {
    THE_SERVER,
    {OPERAND_TEXT, "TASK", "receive-wal, archive-wal, backup, cron, sync-backup or sync-wal", "task"},
};
static const struct operand server_model[] = {
    THE_SERVER,
    {OPERAND_MAYBE, "MODEL", "name of a model; left out with --reset", "model_name"},
};
static const struct operand update_operands[] = {
    {OPERAND_TEXT, "JSON", "list of objects with scope, server_name or model_name, and options", "json_changes"},
};
static const struct operand server_layout[] = {
    THE_SERVER,
    {OPERAND_TEXT, "LAYOUT", "'current': as Barman 3.17 has it; 'legacy': for Barman up to 3.12"},
};
static const struct operand help_operands[] = {
    {OPERAND_COMMAND, "COMMAND", "the command to explain"},
};

static const struct arg_option minimal_option[] = {
    {"minimal", "", ARG_FLAG, NULL, "print names only"},
};
static const struct arg_option backup_options[] = {
    {"immediate-checkpoint", "", ARG_FLAG, NULL, "ask for a fast checkpoint at the start"},
    {"no-immediate-checkpoint", "", ARG_FLAG, NULL, "wait for a spread checkpoint"},
    {"name", "", ARG_TEXT, "NAME", "a name that other commands take instead of the id"},
    {"wait", "w", ARG_FLAG, NULL, "wait until the last WAL segment it needs is archived"},
    {"wait-timeout", "", ARG_NONNEG, "SECONDS", "but not longer than this (0: any)"},
    {"retry-times", "", ARG_NONNEG, "N", "how often a failed copy is tried again"},
    {"retry-sleep", "", ARG_NONNEG, "SECONDS", "pause between the attempts"},
    {"no-retry", "", ARG_FLAG, NULL, "the same as --retry-times 0"},
    {"bwlimit", "", ARG_NONNEG, "KBPS", "most KiB a second (0: any)"},
    {"keepalive-interval", "", ARG_NONNEG, "SECONDS", "signs of life on the connection while nothing comes over it (0: none)"},
    {"check-timeout", "", ARG_NONNEG, "SECONDS", "longest time the checks before it may take (0: any; otherwise check_timeout)"},
    {"incremental", "", ARG_TEXT, "BACKUP_ID", "on top of that backup; not taken by this version, which says so"},
    {"reuse-backup", "", ARG_MAYBE, "link|copy|off", "what rsync takes from the backup before"},
    {"jobs", "j", ARG_POS, "N", "files rsync copies at once"},
    {"jobs-start-batch-period", "", ARG_POS, "SECONDS", "in which a batch of rsync jobs starts"},
    {"jobs-start-batch-size", "", ARG_POS, "N", "rsync jobs started in a batch"},
    {"manifest", "", ARG_FLAG, NULL, "make a manifest for an rsync backup; others have the server's"},
    {"no-manifest", "", ARG_FLAG, NULL, "make none"},
    {"manifest-checksums", "", ARG_CHOICE, "crc32c|sha256", "what the server writes into the manifest", .ours = true},
};
static const struct arg_option get_wal_options[] = {
    {"output-directory", "o", ARG_TEXT, "DIR", "write DIR/WAL_NAME instead of stdout"},
    {"partial", "P", ARG_FLAG, NULL, "also serve what is received of a segment so far"},
    {"gzip", "zx", ARG_FLAG, NULL, "compress what is written"},
    {"bzip2", "j", ARG_FLAG, NULL, "compress what is written by bzip2"},
    {"keep-compression", "", ARG_FLAG, NULL, "write the file as it is stored"},
    {"peek", "p", ARG_POS, "N", "print up to N names there are from WAL_NAME on, and no WAL"},
    {"test", "t", ARG_FLAG, NULL, "only say whether WAL could be had"},
};
static const struct arg_option restore_options[] = {
    {"target-time", "", ARG_TEXT, "TIME", "stop before the first commit after this time"},
    {"target-xid", "", ARG_TEXT, "XID", "stop after this transaction"},
    {"target-lsn", "", ARG_TEXT, "LSN", "stop after this position"},
    {"target-name", "", ARG_TEXT, "NAME", "stop at this restore point"},
    {"target-immediate", "", ARG_FLAG, NULL, "stop as soon as the backup is consistent"},
    {"target-tli", "", ARG_TEXT, "TLI", "follow this timeline: a number, current, latest"},
    {"exclusive", "", ARG_FLAG, NULL, "stop before the target instead of after it"},
    {"target-action", "", ARG_CHOICE, "pause|shutdown|promote", "what the server does at the target"},
    {"standby-mode", "", ARG_FLAG, NULL, "come up as a standby"},
    {"tablespace", "", ARG_LIST, "NAME:LOCATION", "put this tablespace elsewhere; may be given again"},
    {"staging-wal-directory", "", ARG_TEXT, "DIR", "where copied WAL goes (DESTINATION/barman_wal)"},
    {"get-wal", "", ARG_FLAG, NULL, "let the server fetch its WAL with 'get-wal' instead of copying it"},
    {"no-get-wal", "", ARG_FLAG, NULL, "copy the WAL, whatever recovery_options say"},
    {"recovery-conf-filename", "", ARG_TEXT, "FILE", "file for the recovery settings (postgresql.auto.conf)"},
    {"jobs", "j", ARG_POS, "N", "files copied at once (parallel_jobs)"},
    {"retry-times", "", ARG_NONNEG, "N", "how often to go on after an I/O error"},
    {"retry-sleep", "", ARG_NONNEG, "SECONDS", "pause between the attempts"},
    {"no-retry", "", ARG_FLAG, NULL, "the same as --retry-times 0"},
    {"bwlimit", "", ARG_NONNEG, "KBPS", "most KiB a second (0: any)"},
    {"jobs-start-batch-period", "", ARG_POS, "SECONDS", "in which a batch of rsync jobs starts: no rsync runs here"},
    {"jobs-start-batch-size", "", ARG_POS, "N", "rsync jobs started in a batch"},
    {"staging-path", "", ARG_TEXT, "DIR", "where Barman unpacks before it copies; nothing is staged here"},
    {"staging-location", "", ARG_CHOICE, "local|remote", "on which host"},
    {"local-staging-path", "", ARG_TEXT, "DIR", "old name of --staging-path"},
    {"recovery-staging-path", "", ARG_TEXT, "DIR", "old name of --staging-path"},
    {"combine-mode", "", ARG_CHOICE, "copy|link|clone|copy-file-range", "how an incremental backup is combined"},
    {"delta-restore", "", ARG_FLAG, NULL, "into a directory with an older state; not offered"},
    {"no-delta-restore", "", ARG_FLAG, NULL, "into an empty directory, whatever recovery_options say"},
    {"remote-ssh-command", "", ARG_TEXT, "COMMAND", "onto another host; not offered"},
    {"network-compression", "", ARG_FLAG, NULL, "compress what goes to another host"},
    {"no-network-compression", "", ARG_FLAG, NULL, "do not"},
    {"recovery-option-port", "", ARG_TEXT, "PORT", "port that a server on another host fetches its WAL from"},
    {"snapshot-recovery-instance", "", ARG_TEXT, "NAME", "machine with the disks of a snapshot backup; not offered"},
    {"snapshot-recovery-zone", "", ARG_TEXT, "ZONE", "old name of --gcp-zone"},
    {"gcp-zone", "", ARG_TEXT, "ZONE", "where the disks of a snapshot backup are"},
    {"azure-resource-group", "", ARG_TEXT, "NAME", "the same, in Azure"},
    {"aws-region", "", ARG_TEXT, "REGION", "the same, in AWS"},
    {"accept-corruption", "", ARG_FLAG, NULL, "also a backup in which the server found damaged pages", .ours = true},
    {"dry-run", "", ARG_FLAG, NULL, "only check and print the plan", .ours = true},
    {"in-place", "", ARG_FLAG, NULL, "DESTINATION is the server's own data directory: what is there is renamed aside first", .ours = true},
};
static const struct arg_option start_copy_options[] = {
    {"port", "", ARG_POS, "N", "listen on this port of 127.0.0.1 too, for roles with a password"},
};
static const struct arg_option compare_options[] = {
    {"table", "", ARG_LIST, "SCHEMA.NAME", "count this table; may be given again (the largest ones)"},
    {"database", "", ARG_TEXT, "NAME", "in this database (that of conninfo)"},
    {"timeout", "", ARG_POS, "SECONDS", "for one count; then the estimate is shown (60)"},
};
static const struct arg_option convert_options[] = {
    {"dry-run", "", ARG_FLAG, NULL, "only say what would change", .ours = true},
};
static const struct arg_option check_options[] = {
    {"nagios", "", ARG_FLAG, NULL, "answer in the form of a Nagios plug-in; exit status 2 when something is wrong"},
    {"check-timeout", "", ARG_NONNEG, "SECONDS", "give up after this time (0: never; otherwise check_timeout)"},
};
static const struct arg_option delete_options[] = {
    {"dry-run", "", ARG_FLAG, NULL, "only say what would go, and why", .ours = true},
};
static const struct arg_option cron_options[] = {
    {"dry-run", "", ARG_FLAG, NULL, "only say what retention would remove, and why", .ours = true},
    {"keep-descriptors", "", ARG_FLAG, NULL, "what is started keeps stdout and stderr"},
};
static const struct arg_option receive_options[] = {
    {"create-slot", "", ARG_FLAG, NULL, "create the replication slot, then exit"},
    {"if-not-exists", "", ARG_FLAG, NULL, "with --create-slot: an existing slot is fine"},
    {"drop-slot", "", ARG_FLAG, NULL, "drop the replication slot, then exit"},
    {"stop", "", ARG_FLAG, NULL, "stop the receiver that runs for this server"},
    {"reset", "", ARG_FLAG, NULL, "go on at the slot's position, leaving what lies between"},
};
static const struct arg_option switch_options[] = {
    {"force", "", ARG_FLAG, NULL, "do a CHECKPOINT first, so that there is something to close"},
    {"archive", "", ARG_FLAG, NULL, "wait until the closed segment is archived"},
    {"archive-timeout", "", ARG_NONNEG, "SECONDS", "but not longer than this (30; 0: no limit)"},
};
static const struct arg_option verify_options[] = {
    {"jobs", "j", ARG_POS, "N", "files read at once (parallel_jobs)", .ours = true},
};
static const struct arg_option config_switch_options[] = {
    {"reset", "", ARG_FLAG, NULL, "no model any more"},
};
static const struct arg_option diagnose_options[] = {
    {"show-config-source", "", ARG_FLAG, NULL, "say of each option which file it is from"},
};
static const struct arg_option put_wal_options[] = {
    {"test", "t", ARG_FLAG, NULL, "only say whether WAL could be taken"},
};
static const struct arg_option keep_options[] = {
    {"target", "", ARG_CHOICE, "full|standalone", "keep it with all WAL after it, or with what it needs to be consistent"},
    {"release", "r", ARG_FLAG, NULL, "take the mark away"},
    {"status", "s", ARG_FLAG, NULL, "say how it is kept"},
};
static const struct arg_option list_files_options[] = {
    {"target", "", ARG_CHOICE, "standalone|data|wal|full", "data: its files; standalone: and the WAL it needs; wal: the WAL up to the next backup; full: data and wal (standalone)"},
    {"list-empty-directories", "", ARG_FLAG, NULL, "list empty directories too"},
};
static const struct arg_option check_archive_options[] = {
    {"timeline", "", ARG_POS, "TLI", "WAL of timelines before this one may be there"},
};
static const struct arg_option replication_options[] = {
    {"minimal", "", ARG_FLAG, NULL, "one line a client"},
    {"target", "", ARG_CHOICE, "all|hot-standby|wal-streamer", "only these clients (all)"},
    {"source", "", ARG_CHOICE, "backup-host|wal-host", "ask the server of conninfo or of wal_conninfo (backup-host)"},
};

const struct command command_table[] = {
    {.name = "archive-wal", .help = "move received WAL files into the archive",
     .about = "Takes the WAL files that wait in the streaming and incoming directories, checks "
              "them, compresses them when 'compression' says so, and files them in the archive. "
              "cron does this every minute.",
     OPERANDS(one_server), FOR_SERVERS(SKIP, REFUSE, RUN),
     .run = run_archive_wal},
    {.name = "backup", .help = "take a base backup",
     .about = "Copies a running cluster over the replication protocol. Somebody must be taking "
              "its WAL (receive-wal or an archive_command), or the backup refuses to begin.",
     OPERANDS(many_servers), OPTIONS(backup_options), FOR_SERVERS(SKIP, REFUSE, SKIP),
     .is_job = true, .draws = true, .abreast = AT_WORK, .run = run_backup},
    {.name = "check", .help = "see whether servers are ready to be backed up",
     .about = "One line a question, OK or FAILED. Exit status 1 when a check of an active "
              "server failed.",
     OPERANDS(many_servers), OPTIONS(check_options), FOR_SERVERS(RUN, RUN, RUN),
     .abreast = AT_LOOKS, .run = run_check},
    {.name = "check-backup", .help = "see whether a backup has all the WAL it needs",
     .about = "A backup that waits for WAL becomes DONE when its last segment is archived, and "
              "FAILED when one in the middle is missing.",
     OPERANDS(server_backup), FOR_SERVERS(SKIP, REFUSE, RUN),
     .run = run_check_backup},
    {.name = "check-wal-archive", .help = "see whether a new server may archive here",
     .about = "The archive must be empty, or with --timeline hold older timelines only. Exit "
              "status 1 when it does not.",
     OPERANDS(one_server), OPTIONS(check_archive_options), FOR_SERVERS(SKIP, REFUSE, RUN),
     .run = run_check_wal_archive},
    {.name = "compare-copy", .ours = true, .help = "count rows in a started copy and in the server",
     .about = "Side by side, table by table, read-only on both sides. A count that takes longer "
              "than --timeout gives way to the planner's estimate, marked '~'.",
     OPERANDS(server_copy), OPTIONS(compare_options), FOR_SERVERS(RUN, REFUSE, RUN),
     .draws = true, .run = run_compare_copy},
    {.name = "config-switch", .help = "put a model over a server's configuration",
     .about = "The model's options count instead of the server's, until another model is chosen "
              "or --reset. receive-wal is started again.",
     OPERANDS(server_model), OPTIONS(config_switch_options), FOR_SERVERS(RUN, RUN, RUN),
     .lacks = config_switch_lacks, .run = run_config_switch},
    {.name = "config-update", .help = "change options in the configuration files",
     .about = "Each change goes to the file that has the option, or to .barman.auto.conf. "
              "Everything is checked first; what was interrupted is finished by the next call or "
              "by cron.",
     OPERANDS(update_operands), .needs = NEEDS_CONFIG, .run = run_config_update},
    {.name = "convert-layout", .ours = true, .help = "bring a catalogue into the layout of another Barman",
     .about = "Moves the facts about backups and the list of WAL to where that Barman looks for "
              "them, in its words; no backup is copied. A legacy catalogue can hold neither "
              "incremental nor encrypted backups. Interrupted, it goes on when the same command "
              "is given again.",
     OPERANDS(server_layout), OPTIONS(convert_options), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .run = run_convert_layout},
    {.name = "cron", .help = "start what should be running; call it every minute",
     .about = "For each server: archive-wal when WAL waits for it, receive-wal when "
              "streaming_archiver is on and none runs, check-backup for a backup that waits for "
              "WAL. Each runs on its own; cron does not wait for it. Then it deletes the backups "
              "that retention_policy calls obsolete and the WAL that wal_retention_policy wants "
              "no longer, and finishes deletes that were interrupted.",
     OPTIONS(cron_options), .needs = NEEDS_CONFIG, .abreast = AT_WORK, .run = run_cron},
    {.name = "delete", .help = "delete a backup and the WAL only it needs",
     .about = "Refuses a backup with a keep mark, and one that minimum_redundancy counts on. On "
              "a terminal the backup's id has to be typed first; --batch does not ask.",
     OPERANDS(server_backup), OPTIONS(delete_options), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .run = run_delete},
    {.name = "diagnose", .help = "print everything that is known, for whoever is asked for help",
     .about = "One JSON document: configuration, what the servers say, backups, the last WAL of "
              "each timeline. Passwords are left out.",
     OPTIONS(diagnose_options), .needs = NEEDS_CONFIG, .in_conflict = true,
     .run = run_diagnose},
    {.name = "drop-copy", .ours = true, .help = "stop a copy and remove it",
     .about = "With its tablespaces. Only what start-copy has started: any other directory is "
              "refused, and so is the server's own. On a terminal the directory's name has to be "
              "typed first; --batch does not ask. An interrupted drop goes on when the same "
              "command is given again.",
     OPERANDS(server_copy), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .draws = true, .run = run_drop_copy},
    {.name = "estimate-size", .ours = true, .help = "tell what a backup would take, and whether it fits",
     .about = "The cluster by tablespace, a full backup, the WAL that comes meanwhile, an "
              "incremental backup where the server can tell (17 and later with summarize_wal), and "
              "the room there is. Exit status: 0 a full backup fits, 1 it does not.",
     OPERANDS(one_server), FOR_SERVERS(RUN, REFUSE, SKIP),
     .run = run_estimate_size},
    {.name = "generate-manifest", .help = "make the backup_manifest of an rsync backup",
     .about = "So that verify-backup and pg_verifybackup can read the backup against it later. A "
              "backup that has a manifest is refused.",
     OPERANDS(server_backup), FOR_SERVERS(SKIP, REFUSE, RUN),
     .is_job = true, .draws = true, .run = run_generate_manifest},
    {.name = "get-wal", .help = "write one WAL file to stdout or into a directory",
     .about = "What a restore_command calls. Exit status: 0 written, 1 not there, 3 impossible "
              "name or the output cannot be opened.",
     OPERANDS(server_wal), OPTIONS(get_wal_options), FOR_SERVERS(RUN, REFUSE, RUN),
     .run = run_get_wal},
    {.name = "help", .help = "explain a command",
     .about = "Without a command: the list of commands.",
     OPERANDS(help_operands), .needs = NEEDS_NOTHING, .run = run_help},
    {.name = "keep", .help = "keep a backup whatever the retention policy says",
     .about = "One of --target, --release and --status has to be given. Only a backup that is "
              "DONE and not incremental can be kept.",
     OPERANDS(server_backup), OPTIONS(keep_options), FOR_SERVERS(SKIP, REFUSE, RUN),
     .lacks = keep_lacks, .run = run_keep},
    {.name = "list-backups", .alias = "list-backup", .help = "list the backups of servers",
     .about = "Newest first, whatever their status. 'WAL Size' is what came after the backup, "
              "up to the next one.",
     OPERANDS(many_servers), OPTIONS(minimal_option), FOR_SERVERS(RUN, RUN, RUN),
     .run = run_list_backups},
    {.name = "list-files", .help = "list the files of a backup",
     .about = "Absolute paths, one a line. The WAL of 'standalone' is listed whether it is there "
              "or not.",
     OPERANDS(server_backup), OPTIONS(list_files_options), FOR_SERVERS(RUN, RUN, RUN),
     .run = run_list_files},
    {.name = "list-processes", .alias = "list-process", .help = "list what runs for a server",
     .about = "Process number and task of everybody who holds one of the server's locks.",
     OPERANDS(one_server), FOR_SERVERS(SKIP, REFUSE, RUN),
     .run = run_list_processes},
    {.name = "list-servers", .alias = "list-server", .help = "list the configured servers",
     .about = "One line a server, with its description.", OPTIONS(minimal_option),
     .needs = NEEDS_CONFIG, .run = run_list_servers},
    {.name = "lock-directory-cleanup", .help = "remove lock files that nobody holds",
     .about = "In barman_lock_directory. cron does this too.", .needs = NEEDS_CONFIG,
     .run = run_lock_directory_cleanup},
    {.name = "promote-copy", .ours = true, .help = "end the recovery of a copy where it stands",
     .about = "The copy can be written afterwards. It stays as harmless as it was started: to keep "
              "it, stop it and start it with a configuration of its own.",
     OPERANDS(server_copy), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .run = run_promote_copy},
    {.name = "put-wal", .help = "take WAL files from stdin into the incoming directory",
     .about = "What barman-wal-archive calls over SSH: a tar stream with WAL files and their "
              "SHA256SUMS or MD5SUMS. Exit status 0 only when all are safe on disk.",
     OPERANDS(one_server), OPTIONS(put_wal_options), FOR_SERVERS(REFUSE, REFUSE, RUN),
     .run = run_put_wal},
    {.name = "rebuild-xlogdb", .help = "make the list of archived WAL anew",
     .about = "From the files in the archive. The list is replaced in one step.",
     OPERANDS(many_servers), FOR_SERVERS(SKIP, REFUSE, RUN),
     .abreast = AT_WORK, .run = run_rebuild_xlogdb},
    {.name = "receive-wal", .help = "receive WAL over the replication protocol until stopped",
     .about = "Writes what the server sends to the streaming directory, tells the server how far "
              "it is safe on disk, and files finished segments in the archive. It connects again "
              "when the connection is lost. cron starts it.",
     OPERANDS(one_server), OPTIONS(receive_options), FOR_SERVERS(SKIP, REFUSE, SKIP),
     .lifts = "create-slot,drop-slot,stop,reset", .is_job = true, .run = run_receive_wal},
    {.name = "replication-status", .help = "show who streams from servers, and how far",
     .about = "Standbys and WAL streamers with their positions, most synchronous first.",
     OPERANDS(many_servers), OPTIONS(replication_options), FOR_SERVERS(SKIP, REFUSE, SKIP),
     .abreast = AT_LOOKS, .run = run_replication_status},
    {.name = "restore", .alias = "recover", .help = "bring a backup back, up to a moment",
     .about = "Makes a new PGDATA out of a backup and its WAL, including what was received of "
              "the last, unfinished segment. Everything is checked before a byte is copied; "
              "--dry-run stops there. A restore that was interrupted goes on when the same "
              "command is given again.",
     OPERANDS(restore_operands), OPTIONS(restore_options), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .draws = true, .run = run_restore},
    {.name = "show-backup", .alias = "show-backups", .help = "show what is known of a backup",
     .about = "Where it comes from, its size, its WAL, and its neighbours.",
     OPERANDS(server_backup), FOR_SERVERS(RUN, RUN, RUN),
     .run = run_show_backup},
    {.name = "show-copy", .ours = true, .help = "show how a copy stands",
     .about = "Whether it runs, what it has replayed, its log, and a command that connects to it.",
     OPERANDS(server_copy), FOR_SERVERS(RUN, RUN, RUN),
     .run = run_show_copy},
    {.name = "show-servers", .alias = "show-server", .help = "show all that is known of servers",
     .about = "Every option with the value it has, and what the server says about itself. "
              "Passwords are left out.",
     OPERANDS(many_servers), FOR_SERVERS(RUN, RUN, RUN),
     .abreast = AT_LOOKS, .run = run_show_servers},
    {.name = "start-copy", .ours = true, .help = "start a restored cluster to look at it",
     .about = "Harmlessly: with a configuration of its own, no archiving, no preloaded library, no "
              "replication or subscription, and no way in but a private socket. Waits until it has "
              "come to its target. Interrupted, it stops the server and leaves the files.",
     OPERANDS(server_copy), OPTIONS(start_copy_options), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .draws = true, .run = run_start_copy},
    {.name = "status", .help = "show what servers and their backups are like",
     .about = "Version, WAL position, archiving, backups and redundancy, a line each.",
     OPERANDS(many_servers), FOR_SERVERS(RUN, RUN, RUN),
     .abreast = AT_LOOKS, .run = run_status},
    {.name = "stop-copy", .ours = true, .help = "stop a copy and leave its files",
     .about = "start-copy starts it again where it stood.",
     OPERANDS(server_copy), FOR_SERVERS(RUN, REFUSE, RUN),
     .is_job = true, .run = run_stop_copy},
    {.name = "switch-wal", .alias = "switch-xlog", .help = "have servers close their WAL segment",
     .about = "So that what was written so far can be archived.",
     OPERANDS(many_servers), OPTIONS(switch_options), FOR_SERVERS(SKIP, REFUSE, SKIP),
     .abreast = AT_LOOKS, .run = run_switch_wal},
    {.name = "terminate-process", .help = "stop what runs for a server",
     .about = "Sends SIGINT to the process of that task and waits ten seconds for its end.",
     OPERANDS(server_task), FOR_SERVERS(SKIP, REFUSE, RUN),
     .run = run_terminate_process},
    {.name = "verify-backup", .alias = "verify", .help = "read a backup and compare checksums",
     .about = "Reads every file of the backup against its manifest, and every record of the WAL "
              "it needs.",
     OPERANDS(server_backup), OPTIONS(verify_options), FOR_SERVERS(RUN, RUN, RUN),
     .draws = true, .run = run_verify_backup},
};
/* clang-format on */
const size_t command_count = COUNT(command_table);

const struct command *command_find(struct str name)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        if (str_eq(name, c->name) || (c->alias && str_eq(name, c->alias))) {
            return c;
        }
    }
    return NULL;
}

#define WORD_MAX 40

size_t word_distance(struct str a, struct str b)
{
    size_t row[3][WORD_MAX + 1];

    a.n = a.n > WORD_MAX ? WORD_MAX : a.n;
    b.n = b.n > WORD_MAX ? WORD_MAX : b.n;
    for (size_t j = 0; j <= b.n; j++) {
        row[0][j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);

            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            now[j] = best;
        }
    }
    return row[a.n % 3][b.n];
}

const char *command_near(struct str word)
{
    const char *best = NULL;
    size_t least = word.n / 3 + 2; /* a third of the letters and one more may be wrong */

    for (size_t i = 0; i < command_count; i++) {
        const char *names[2] = {command_table[i].name, command_table[i].alias};

        for (size_t k = 0; k < 2 && names[k]; k++) {
            size_t d = word_distance(word, str_of(names[k]));
            if (d < least) {
                least = d;
                best = names[k];
            }
        }
    }
    return best;
}
