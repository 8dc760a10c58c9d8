/* SPDX-License-Identifier: PostgreSQL */
/* Barman's forms were read off its own output, the Python floats off repr(). */
#include "base/fmt.h"

#include "base/clock.h"
#include "harness.h"

static const struct size_row {
    const char *label;
    int64_t bytes;
    const char *text;
} size_rows[] = {
    {"0 B", 0, "0 B"},
    {"last in bytes", 1023, "1023 B"},
    {"first in KiB", 1024, "1.0 KiB"},
    {"negative bytes", -272, "-272 B"},
    {"negative KiB", -2048, "-2.0 KiB"},
    {"a segment", 16777216, "16.0 MiB"},
    {"rounded", 1600, "1.6 KiB"},
    {"GiB", INT64_C(15998754321), "14.9 GiB"},
    {"EiB", INT64_MAX, "8.0 EiB"},
};

static void check_size(void **state)
{
    const struct size_row *r = *state;
    char out[FMT_CAP];

    assert_string_equal(fmt_size(r->bytes, out), r->text);
}

/* Python: "%.1f %s" of a float, "%d B" below 1024. */
static void computed_size(void **state)
{
    char out[FMT_CAP];

    (void)state;
    assert_string_equal(fmt_size_real(1587.9, out), "1.6 KiB");
    assert_string_equal(fmt_size_real(1587.2, out), "1.6 KiB");
    assert_string_equal(fmt_size_real(1587.0, out), "1.5 KiB");
    assert_string_equal(fmt_size_real(1023.99, out), "1023 B");
    assert_string_equal(fmt_size_real(-0.5, out), "0 B");
    assert_string_equal(fmt_size_real(-1587.9, out), "-1.6 KiB");
}

static const struct duration_row {
    const char *label;
    int64_t ns;
    const char *text;
} duration_rows[] = {
    {"nothing", 0, "less than one second"},
    {"a second", NS_PER_S, "1 second"},
    {"zero units left out", 3601 * NS_PER_S, "1 hour, 1 second"},
    {"all", 2 * 86400 * NS_PER_S + 7384 * NS_PER_S, "2 days, 2 hours, 3 minutes, 4 seconds"},
    {"past", -61 * NS_PER_S, "1 minute, 1 second ago"},
};

static void check_duration(void **state)
{
    const struct duration_row *r = *state;
    char out[FMT_CAP];

    assert_string_equal(fmt_duration(r->ns, out), r->text);
}

static const struct float_row {
    const char *label;
    double v;
    const char *text;
} float_rows[] = {
    {"whole", 3.0, "3.0"},
    {"tenth", 0.1, "0.1"},
    {"mtime", 1795355034.364561, "1795355034.364561"},
    {"copy time", 0.532482, "0.532482"},
    {"large whole", 1795355034.0, "1795355034.0"},
    {"small", 1e-05, "1e-05"},
    {"not exact", 1.1 + 2.2, "3.3000000000000003"},
};

static void check_float(void **state)
{
    const struct float_row *r = *state;
    char out[FMT_CAP];

    assert_string_equal(fmt_py_float(r->v, out), r->text);
}

static const struct bytes_row {
    const char *label;
    uint64_t bytes;
    const char *text;
} bytes_rows[] = {
    {"bytes", 999, "999 B"},
    {"carry into K", 1000, "0.98 K"},
    {"three digits", 16777216, "16.0 M"},
    {"hundreds", UINT64_C(220000000000), "205 G"},
    {"largest", UINT64_MAX, "16.0 E"},
};

static void check_bytes(void **state)
{
    const struct bytes_row *r = *state;
    char out[FMT_CAP];

    assert_string_equal(fmt_bytes(r->bytes, out), r->text);
}

static void spans_and_positions(void **state)
{
    char out[FMT_CAP];

    (void)state;
    assert_string_equal(fmt_span(37 * NS_PER_S, out), "37 s");
    assert_string_equal(fmt_span(95 * NS_PER_S, out), "1m 35s");
    assert_string_equal(fmt_span((4 * 3600 + 14 * 60) * NS_PER_S, out), "4h 14m");
    assert_string_equal(fmt_span(3 * 86400 * NS_PER_S, out), "3 d");
    assert_string_equal(fmt_lsn(UINT64_C(0x4C9A0000F8), out), "4C/9A0000F8");
    assert_string_equal(fmt_lsn(0, out), "0/0");
}

TEST_MAIN(ROWS(size_rows, check_size), ROWS(duration_rows, check_duration),
          ROWS(float_rows, check_float), ROWS(bytes_rows, check_bytes),
          ONE(spans_and_positions), ONE(computed_size))
