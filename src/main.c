/* SPDX-License-Identifier: PostgreSQL */
/* barkeep - backup and recovery for PostgreSQL. */
#include "base/sys.h"
#include "batch/session.h"

int main(int argc, char **argv)
{
    sys_keep_memory();
    return batch_main(argc, argv);
}
