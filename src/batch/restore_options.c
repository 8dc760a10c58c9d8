/* SPDX-License-Identifier: PostgreSQL */
#include "restore_options.h"

#include "cfg/option.h"
#include "cfg/server.h"

#include <string.h>

#define ON_THAT_HOST                                                                           \
    "Restore on that host itself, with the catalogue mounted there, or copy what a local "     \
    "restore made."

static const struct {
    const char *option;
    const char *value; /* refused only with this one; NULL: with any */
    const char *why, *hint;
} refused[] = {
    {"remote-ssh-command", NULL, "a restore onto another host is not offered by this version",
     ON_THAT_HOST},
    {"staging-location", "remote",
     "--staging-location as remote requires --remote-ssh-command to be set",
     "Leave it out: nothing is staged."},
    {"network-compression", NULL, "Network compression can only be used with remote recovery.",
     "Leave it out: nothing goes over the network."},
    {"delta-restore", NULL, "delta restore is not offered by this version",
     "Restore into an empty directory; or --in-place, which renames aside what is there."},
    {"snapshot-recovery-instance", NULL, "snapshot backups are not offered by this version",
     "Leave it out: backups of other kinds need no machine."},
};

static const struct {
    const char *option, *why;
} no_effect[] = {
    {"staging-path", "backups are unpacked straight to their place"},
    {"local-staging-path", "backups are unpacked straight to their place"},
    {"recovery-staging-path", "backups are unpacked straight to their place"},
    {"combine-mode", "pg_combinebackup is not used"},
    {"jobs-start-batch-period", "rsync is not used"},
    {"jobs-start-batch-size", "rsync is not used"},
    {"recovery-option-port", "the restored server fetches its WAL on this host"},
    {"snapshot-recovery-zone", "it concerns snapshot backups"},
    {"gcp-zone", "it concerns snapshot backups"},
    {"azure-resource-group", "it concerns snapshot backups"},
    {"aws-region", "it concerns snapshot backups"},
};

static bool none_refused(struct session *s)
{
    struct err err;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct arg_value *v = arg_value(&s->args, refused[i].option);

        if (v->given && (!refused[i].value || strcmp(v->text, refused[i].value) == 0)) {
            err_set(&err, ERR_UNSAFE, refused[i].hint, "", "%s", refused[i].why);
            session_fail(s, &err);
            return false;
        }
    }
    return true;
}

/* Barman refuses these, whether they are needed or not. */
static bool paths_ok(struct session *s)
{
    static const struct {
        const char *option, *name;
    } path[] = {{"staging-path", "staging path"},
                {"recovery-staging-path", "recovery staging path"},
                {"local-staging-path", "local staging path"}};

    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        const char *text = arg_text(&s->args, path[i].option);

        if (text && text[0] != '/') {
            console_say(&s->console, SAY_ERROR,
                        "Cannot parse %s: Invalid value : '%s' (must be an absolute path)",
                        path[i].name, text);
            return false;
        }
    }
    return true;
}

/* HOST:PATH, as rsync has it, would be a directory of that name on this host. */
static bool destination_ok(struct session *s)
{
    struct err err;

    if (!strchr(s->args.operand[2], ':') || arg_given(&s->args, "in-place")) {
        return true;
    }
    err_set(&err, ERR_UNSAFE, "Name a directory of this host.", "",
            "The destination directory parameter cannot contain the ':' character");
    session_fail(s, &err);
    return false;
}

bool restore_options_ok(struct session *s, const struct server_cfg *srv)
{
    if (!none_refused(s) || !paths_ok(s) || !destination_ok(s)) {
        return false;
    }
    for (size_t i = 0; i < sizeof no_effect / sizeof no_effect[0]; i++) {
        if (arg_given(&s->args, no_effect[i].option)) {
            console_say(&s->console, SAY_WARN, "--%s does nothing for server '%s': %s",
                        no_effect[i].option, srv->name, no_effect[i].why);
        }
    }
    if (cfg_csv_has(srv->recovery_options, "delta-restore") &&
        !arg_given(&s->args, "no-delta-restore")) {
        console_say(&s->console, SAY_WARN,
                    "'delta-restore' in recovery_options of server '%s' does nothing: the "
                    "destination must be empty",
                    srv->name);
    }
    return true;
}
