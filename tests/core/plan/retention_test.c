/* SPDX-License-Identifier: PostgreSQL */
#include "plan/retention.h"

#include "harness.h"

static const struct row {
    const char *label;
    const char *text;
    const char *printed; /* NULL: refused */
    const char *why;
} rows[] = {
    {"redundancy", "REDUNDANCY 2", "REDUNDANCY 2"},
    {"lower case", "redundancy 2", "REDUNDANCY 2"},
    {"mixed case", "ReDundancy 2", "REDUNDANCY 2"},
    {"none are kept", "REDUNDANCY 0", "REDUNDANCY 0"},
    {"leading zeros", "REDUNDANCY 0010", "REDUNDANCY 10"},
    {"largest", "REDUNDANCY 999999", "REDUNDANCY 999999"},
    {"blanks around", "  REDUNDANCY 2\t", "REDUNDANCY 2"},
    {"blanks between", "REDUNDANCY \t 2", "REDUNDANCY 2"},
    {"days", "RECOVERY WINDOW OF 7 DAYS", "RECOVERY WINDOW OF 7 DAYS"},
    {"one day", "recovery window of 1 day", "RECOVERY WINDOW OF 1 DAYS"},
    {"seven day", "recovery window of 7 day", "RECOVERY WINDOW OF 7 DAYS"},
    {"weeks", "RECOVERY WINDOW OF 4 weeks", "RECOVERY WINDOW OF 4 WEEKS"},
    {"week", "RECOVERY WINDOW OF 1 WEEK", "RECOVERY WINDOW OF 1 WEEKS"},
    {"months", "Recovery Window Of 12 Months", "RECOVERY WINDOW OF 12 MONTHS"},
    {"month", "RECOVERY WINDOW OF 1 MONTH", "RECOVERY WINDOW OF 1 MONTHS"},
    {"no time at all", "RECOVERY WINDOW OF 0 DAYS", "RECOVERY WINDOW OF 0 DAYS"},
    {"the longest there is", "RECOVERY WINDOW OF 999999 MONTHS",
     "RECOVERY WINDOW OF 999999 MONTHS"},
    {"days, weeks and months", "KEEP 7 DAILY, 5 WEEKLY, 12 MONTHLY",
     "KEEP 7 DAILY, 5 WEEKLY, 12 MONTHLY"},
    {"all terms in another order", "keep 3 yearly,12 monthly , 7 Daily, 5 weekly",
     "KEEP 7 DAILY, 5 WEEKLY, 12 MONTHLY, 3 YEARLY"},
    {"one term", "KEEP 4 WEEKLY", "KEEP 4 WEEKLY"},
    {"largest terms", "KEEP 999999 DAILY, 999999 WEEKLY, 999999 MONTHLY, 999999 YEARLY",
     "KEEP 999999 DAILY, 999999 WEEKLY, 999999 MONTHLY, 999999 YEARLY"},
    {"terms in several lines", "KEEP 7 DAILY,\n  5 WEEKLY", "KEEP 7 DAILY, 5 WEEKLY"},
    {"goes on in the next line", "RECOVERY WINDOW\nOF 7\nDAYS", "RECOVERY WINDOW OF 7 DAYS"},

    {"empty", "", NULL, "begin"},
    {"blanks only", " \t\n", NULL, "begin"},
    {"a number alone", "2", NULL, "begin"},
    {"another word", "RETAIN 2", NULL, "begin"},
    {"keep nothing", "KEEP", NULL, "number"},
    {"keep a number", "KEEP 2", NULL, "followed by DAILY"},
    {"keep zero", "KEEP 0 DAILY", NULL, "begin with 1"},
    {"keep zero in the middle", "KEEP 2 DAILY, 0 WEEKLY", NULL, "begin with 1"},
    {"keep a word", "KEEP DAILY", NULL, "number"},
    {"keep too many", "KEEP 1000000 DAILY", NULL, "number"},
    {"keep hours", "KEEP 2 HOURLY", NULL, "followed by DAILY"},
    {"keep days", "KEEP 2 DAYS", NULL, "followed by DAILY"},
    {"keep twice", "KEEP 2 DAILY, 3 DAILY", NULL, "only once"},
    {"no comma", "KEEP 2 DAILY 3 WEEKLY", NULL, "comma"},
    {"comma at the end", "KEEP 2 DAILY,", NULL, "number"},
    {"comma at the begin", "KEEP , 2 DAILY", NULL, "number"},
    {"two commas", "KEEP 2 DAILY,, 3 WEEKLY", NULL, "number"},
    {"semicolon", "KEEP 2 DAILY; 3 WEEKLY", NULL, "followed by DAILY"},
    {"word cut", "REDUNDANC 2", NULL, "begin"},
    {"word too long", "REDUNDANCYS 2", NULL, "begin"},
    {"quotes stay", "'REDUNDANCY 2'", NULL, "begin"},
    {"policy of WAL", "MAIN", NULL, "begin"},
    {"no number", "REDUNDANCY", NULL, "number"},
    {"no blank", "REDUNDANCY2", NULL, "begin"},
    {"negative", "REDUNDANCY -1", NULL, "number"},
    {"plus", "REDUNDANCY +1", NULL, "number"},
    {"fraction", "REDUNDANCY 1.5", NULL, "number"},
    {"hexadecimal", "REDUNDANCY 0x2", NULL, "number"},
    {"a word for a number", "REDUNDANCY two", NULL, "number"},
    {"too large", "REDUNDANCY 1000000", NULL, "number"},
    {"wraps at 64 bits", "REDUNDANCY 18446744073709551617", NULL, "number"},
    {"a unit too many", "REDUNDANCY 2 DAYS", NULL, "after its end"},
    {"a comment behind", "REDUNDANCY 2 ; two", NULL, "after its end"},
    {"digits of another script", "REDUNDANCY \xd9\xa2", NULL, "number"},
    {"no window", "RECOVERY", NULL, "WINDOW OF"},
    {"window misspelt", "RECOVERY WINDOWS OF 7 DAYS", NULL, "WINDOW OF"},
    {"no of", "RECOVERY WINDOW 7 DAYS", NULL, "WINDOW OF"},
    {"of without a number", "RECOVERY WINDOW OF DAYS", NULL, "number"},
    {"window without a unit", "RECOVERY WINDOW OF 7", NULL, "unit"},
    {"unit without a blank", "RECOVERY WINDOW OF 7DAYS", NULL, "number"},
    {"hours", "RECOVERY WINDOW OF 7 HOURS", NULL, "unit"},
    {"years", "RECOVERY WINDOW OF 1 YEAR", NULL, "unit"},
    {"unit cut", "RECOVERY WINDOW OF 7 DAY.", NULL, "unit"},
    {"two policies", "RECOVERY WINDOW OF 7 DAYS REDUNDANCY 2", NULL, "after its end"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct retention r = {.n = 77};
    struct err err = {0};
    char text[RETENTION_CAP];

    if (row->printed) {
        assert_true(retention_parse(str_of(row->text), &r, &err));
        assert_int_equal(err.code, ERR_NONE);
        assert_string_equal(retention_print(&r, text), row->printed);
        assert_true(retention_parse(str_of(text), &r, &err));
        assert_string_equal(retention_print(&r, text), row->printed);
        return;
    }
    assert_false(retention_parse(str_of(row->text), &r, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.why, row->why));
    assert_int_equal(r.n, 77);
}

static void fields(void **state)
{
    struct retention r;
    struct err err;

    (void)state;
    assert_true(retention_parse(STR_LIT("recovery window of 3 weeks"), &r, &err));
    assert_int_equal(r.kind, RETENTION_WINDOW);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.unit, RETENTION_WEEKS);
    assert_true(retention_parse(STR_LIT("redundancy 5"), &r, &err));
    assert_int_equal(r.kind, RETENTION_REDUNDANCY);
    assert_int_equal(r.n, 5);
}

static const struct wal_row {
    const char *label, *text, *printed; /* printed NULL: refused */
} wal_rows[] = {
    {"main", "main", "MAIN"},
    {"main in blanks", "  MAIN ", "MAIN"},
    {"window", "recovery window of 10 days", "RECOVERY WINDOW OF 10 DAYS"},
    {"wal: empty", "", NULL},
    {"wal: main and more", "MAIN 2", NULL},
    {"wal: redundancy", "REDUNDANCY 2", NULL},
    {"wal: keep", "KEEP 2 DAILY", NULL},
    {"wal: window without a number", "RECOVERY WINDOW OF DAYS", NULL},
};

static void check_wal_row(void **state)
{
    const struct wal_row *row = *state;
    struct retention r = {.n = 77};
    struct err err = {0};
    char text[RETENTION_CAP];

    assert_int_equal(retention_parse_wal(str_of(row->text), &r, &err), row->printed != NULL);
    if (row->printed) {
        assert_string_equal(retention_print(&r, text), row->printed);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_int_equal(r.n, 77);
    }
}

/* A view ends where it says, and a NUL is no blank. */
static void bounds(void **state)
{
    struct retention r;
    struct err err;

    (void)state;
    assert_true(retention_parse(str_n("REDUNDANCY 25", 12), &r, &err));
    assert_int_equal(r.n, 2);
    assert_false(retention_parse(str_n("REDUNDANCY 2\0", 13), &r, &err));
    assert_false(retention_parse(str_n("REDUNDANCY\0002", 12), &r, &err));
    assert_false(retention_parse(str_of(NULL), &r, &err));
}

TEST_MAIN(ROWS(rows, check_row), ROWS(wal_rows, check_wal_row), ONE(fields), ONE(bounds))
