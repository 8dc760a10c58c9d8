/* SPDX-License-Identifier: PostgreSQL */
/* fmt.h - numbers for people, in Barman's spelling (its output is parsed by scripts) and, for
 * the screen, in three digits.
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stdint.h>

#define FMT_CAP 64

/* Barman: "272 B", "14.9 GiB", sign kept; base 1024, one decimal from KiB on. */
const char *fmt_size(int64_t bytes, char out[FMT_CAP]);
/* Of a computed one: below 1 KiB cut off, "1.6 KiB" of 1587.8. */
const char *fmt_size_real(double bytes, char out[FMT_CAP]);

/* Barman: "2 days, 4 hours, 1 second", "less than one second", negative ends in " ago". */
const char *fmt_duration(int64_t ns, char out[FMT_CAP]);

/* The screen: "14.9 G", three digits; "37 s", "4h 14m", "3 d". */
const char *fmt_bytes(uint64_t bytes, char out[FMT_CAP]);
const char *fmt_span(int64_t ns, char out[FMT_CAP]);

/* Python's str(float): shortest text that reads back as the same double, always with a '.' or
 * an exponent. */
const char *fmt_py_float(double v, char out[FMT_CAP]);

/* The inverse: the double nearest to digits, point and exponent that the caller has checked. */
double fmt_read_float(const char *text);

/* "4C/9A0000F8" */
const char *fmt_lsn(uint64_t lsn, char out[FMT_CAP]);

#endif
