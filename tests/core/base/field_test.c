/* SPDX-License-Identifier: PostgreSQL */
/* Members of a struct as numbers in text, and back. */
#include "base/field.h"

#include "harness.h"

struct all {
    bool yes;
    enum field_kind choice;
    int32_t i32;
    uint32_t u32, port;
    int64_t i64;
    uint64_t u64;
    double seconds;
};

#define AT(member) offsetof(struct all, member)

static const struct field yes = {"yes", FIELD_BOOL, AT(yes), 0},
                          choice = {"choice", FIELD_ENUM, AT(choice), 3},
                          i32 = {"i32", FIELD_I32, AT(i32), 0},
                          u32 = {"u32", FIELD_U32, AT(u32), 0},
                          port = {"port", FIELD_U32, AT(port), 65535},
                          i64 = {"i64", FIELD_I64, AT(i64), 0},
                          u64 = {"u64", FIELD_U64, AT(u64), 0},
                          seconds = {"seconds", FIELD_SECONDS, AT(seconds), 0};

static const struct row {
    const char *label;
    const struct field *field;
    const char *text;
    bool ok;
    const char *back; /* what is written of it; NULL: the text */
} rows[] = {
    {"yes", &yes, "1", true, NULL},
    {"no is nothing to say", &yes, "0", true, ""},
    {"last choice", &choice, "3", true, NULL},
    {"lowest of 32 bits", &i32, "-2147483648", true, NULL},
    {"highest of 32 bits", &u32, "4294967295", true, NULL},
    {"last port", &port, "65535", true, NULL},
    {"lowest of 64 bits", &i64, "-9223372036854775808", true, NULL},
    {"highest of 64 bits", &u64, "18446744073709551615", true, NULL},
    {"milliseconds", &seconds, "1500", true, NULL},

    {"two is not yes", &yes, "2", false, NULL},
    {"choice behind the last", &choice, "4", false, NULL},
    {"choice below the first", &choice, "-1", false, NULL},
    {"over 31 bits", &i32, "2147483648", false, NULL},
    {"below 31 bits", &i32, "-2147483649", false, NULL},
    {"over 32 bits", &u32, "4294967296", false, NULL},
    {"sign of a natural", &u32, "-1", false, NULL},
    {"port behind the last", &port, "65536", false, NULL},
    {"over 63 bits", &i64, "9223372036854775808", false, NULL},
    {"over 64 bits", &u64, "18446744073709551616", false, NULL},
    {"no digit", &u64, "", false, NULL},
    {"hex", &u64, "0x10", false, NULL},
    {"blank in front", &u64, " 1", false, NULL},
    {"fraction", &seconds, "1.5", false, NULL},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct all all = {0};
    char back[FMT_CAP];

    assert_int_equal(field_take_number(r->field, str_of(r->text), &all), r->ok);
    assert_string_equal(field_number(r->field, &all, back), !r->ok    ? ""
                                                            : r->back ? r->back
                                                                      : r->text);
}

TEST_MAIN(ROWS(rows, check_row))
