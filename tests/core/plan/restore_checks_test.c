/* SPDX-License-Identifier: PostgreSQL */
#include "plan/restore.h"

#include "harness.h"

/* As many tablespaces as somebody may have: nothing that refuses is lost. */
static void more_than_fit(void **state)
{
    static struct restore_checks checks;

    (void)state;
    for (int i = 0; i < RESTORE_CHECKS_MAX + 10; i++) {
        restore_check_add(&checks, "destination", VERDICT_OK, "free", "");
    }
    restore_check_add(&checks, "destination", VERDICT_REFUSED, "taken", "Leave.");
    restore_check_add(&checks, "space", VERDICT_OK, "room", "");
    assert_int_equal(checks.n, RESTORE_CHECKS_MAX);
    assert_int_equal(checks.refused, 1);
    assert_string_equal(checks.check[RESTORE_CHECKS_MAX - 1].sentence, "taken");
    assert_string_equal(checks.check[RESTORE_CHECKS_MAX - 2].sentence, "free");
}

TEST_MAIN(ONE(more_than_fit))
