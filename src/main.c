/* SPDX-License-Identifier: PostgreSQL */
/* barkeep - backup and recovery for PostgreSQL. */
#include "batch/session.h"

int main(int argc, char **argv)
{
    return batch_main(argc, argv);
}
