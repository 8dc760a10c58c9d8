/* SPDX-License-Identifier: PostgreSQL */
/* The log of a started copy, its postmaster.pid, our facts, and a configuration file. */
#include "base/bug.h"
#include "engine/copy_in.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct copy_pid_file pid;
    struct copy_facts facts;
    struct copy_notes notes;
    struct copy_log log;
    struct err err = {0};
    struct arena a;
    const char *value;

    arena_init(&a, 1 << 26);
    copy_log_parse(&a, text, &log);
    BUG_IF(!log.stage || strlen(copy_log_hint(&log)) > size + 200);
    if (copy_pid_file_parse(text, &pid)) {
        BUG_IF(pid.pid <= 0 || pid.port > 65535);
    }
    if (copy_facts_parse(&a, text, "facts", &facts, &err)) {
        BUG_IF(facts.spaces > COPY_SPACES_MAX || facts.users > COPY_USERS_MAX);
        (void)copy_facts_text(&a, &facts);
    }
    value = copy_conf_value(&a, text, "restore_command");
    BUG_IF(value && strlen(value) > size);
    copy_notes_parse(&a, text, &notes);
    arena_release(&a);
    return 0;
}
