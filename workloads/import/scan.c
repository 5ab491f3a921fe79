/* What is longer than usual. */
#include "workloads/import/scan.h"

/* Columns are made of them: eight at a time. */
void scan_blanks_long(struct scan *scan)
{
    do {
        uint64_t others = bytes_get64((const uint8_t *)scan->at) ^ UINT64_C(0x2020202020202020);
        size_t count = others ? (size_t)__builtin_ctzll(others) / 8 : 8, left = scan_left(scan);
        scan->at += count < left ? count + !count : left;
    } while (scan_is_blank(scan));
}

/* Digits one by one. */
static bool scan_decimal_any(struct scan *scan, uint64_t *value)
{
    uint64_t sum = 0;
    const char *at = scan->at;
    for (; at < scan->end && (unsigned)(*at - '0') < 10; at++)
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (unsigned)(*at - '0'), &sum))
            return false;
    scan->at = at;
    *value = sum;
    return true;
}

/* Up to fifteen at once. */
bool scan_decimal_long(struct scan *scan, uint64_t *value)
{
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t first, second;
    digits_count(scan->at, 8, &first);
    unsigned count = digits_count(scan->at + 8, scan_left(scan) - 8, &second);
    if (count == 8)
        return scan_decimal_any(scan, value);
    scan->at += 8 + count;
    *value = digits_sum(first) * tens[count] + (count ? digits_first(second, count) : 0);
    return true;
}

bool scan_hex_long(struct scan *scan, uint64_t *value)
{
    uint64_t sum = 0;
    const char *at = scan->at;
    for (unsigned worth; at < scan->end && (worth = digits_hex_worth(*at)) < 16; at++) {
        if (sum >> 60)
            return false;
        sum = sum << 4 | worth;
    }
    scan->at = at;
    *value = sum;
    return true;
}
