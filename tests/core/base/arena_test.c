/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/arena.h"

#include "harness.h"

static void zeroed_and_aligned(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t size = 1; size < 20000; size = size * 3 + 1) {
        unsigned char *p = arena_alloc(&a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
        }
        memset(p, 0xA5, size);
    }
    arena_release(&a);
}

static void mark_and_reset_keep_what_was_before(void **state)
{
    struct arena a;
    struct arena_mark mark;
    char *kept;
    size_t used;

    (void)state;
    arena_init(&a, 0);
    kept = arena_strdup(&a, "kept");
    used = a.used;
    mark = arena_mark(&a);
    for (int turn = 0; turn < 1000; turn++) {
        assert_non_null(arena_alloc(&a, 100000));
        assert_non_null(arena_fmt(&a, "turn %d", turn));
        arena_reset(&a, mark);
        assert_int_equal(a.used, used);
    }
    assert_string_equal(kept, "kept");
    arena_release(&a);
}

static void maximum_is_refused(void **state)
{
    struct arena a;
    struct err err = {0};

    (void)state;
    arena_init(&a, 1000);
    assert_non_null(arena_alloc(&a, 900));
    assert_null(arena_alloc(&a, 200));
    assert_true(a.failed);
    assert_false(arena_err(&a, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    arena_release(&a);
}

static void overflow_is_refused(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_null(arena_array(&a, SIZE_MAX / 2, 16));
    assert_null(arena_alloc(&a, SIZE_MAX - 3));
    arena_release(&a);
}

static void torture_fails_the_growth(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    arena_fail_after(2);
    assert_non_null(arena_alloc(&a, 4000));
    assert_null(arena_alloc(&a, 100000));
    assert_non_null(arena_alloc(&a, 100000));
    arena_fail_after(0);
    arena_release(&a);
}

TEST_MAIN(ONE(zeroed_and_aligned), ONE(mark_and_reset_keep_what_was_before),
          ONE(maximum_is_refused), ONE(overflow_is_refused), ONE(torture_fails_the_growth))
