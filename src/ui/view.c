/* SPDX-License-Identifier: PostgreSQL */
#include "view.h"

const struct view_ops view_table[VIEW_COUNT] = {
    {VIEW_OVERVIEW, "overview", overview_draw, overview_act, NULL},
    {VIEW_BACKUP, "backup", backup_draw, backup_act, backup_enter},
    {VIEW_WAL, "WAL", wal_draw, wal_act, wal_enter},
    {VIEW_JOBS, "jobs", jobs_draw, jobs_act, jobs_enter},
    {VIEW_WHEN, "restore: when", when_draw, when_act, when_enter},
    {VIEW_WHERE, "restore: where", where_draw, where_act, where_enter},
    {VIEW_PLAN, "restore: plan", plan_draw, plan_act, plan_enter},
    {VIEW_RUN, "restore: run", run_draw, run_act, run_enter},
    {VIEW_CHECK, "restore: check", check_draw, check_act, check_enter},
};
