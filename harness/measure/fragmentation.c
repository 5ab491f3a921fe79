/* Fragmentation figures as pure formulas. */
#include "harness/measure/fragmentation.h"

#include <math.h>

static double excess(uint64_t held, uint64_t live)
{
    return live ? (double)held / (double)live - 1 : NAN;
}

static size_t first_argmax(const uint64_t *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

struct johnstone_wilson johnstone_wilson(const uint64_t *live, const uint64_t *held, size_t count)
{
    if (count == 0)
        return (struct johnstone_wilson){NAN, NAN, NAN, NAN, NAN};
    double ratios = 0, live_sum = 0, held_sum = 0;
    size_t counted = 0;
    for (size_t i = 0; i < count; i++) {
        live_sum += (double)live[i];
        held_sum += (double)held[i];
        if (live[i]) {
            ratios += (double)held[i] / (double)live[i];
            counted++;
        }
    }
    size_t peak_live = first_argmax(live, count), peak_held = first_argmax(held, count);
    return (struct johnstone_wilson){
        .mean = counted ? ratios / (double)counted - 1 : NAN,
        .at_peak_live = excess(held[peak_live], live[peak_live]),
        .at_peak_held = excess(held[peak_held], live[peak_held]),
        .peaks = excess(held[peak_held], live[peak_live]),
        .area = live_sum > 0 ? held_sum / live_sum - 1 : NAN,
    };
}

double bound_robson(double live, double ratio)
{
    return live * (1 + log2(ratio) / 2) - ratio + 1;
}

double bound_first_fit(double live, double ratio)
{
    return live * (1 + ceil(log2(ratio)));
}

double bound_best_fit(double live, double ratio)
{
    return live * (ratio - 2);
}

static uint64_t order_pages(const uint64_t *blocks, size_t orders, size_t from)
{
    uint64_t pages = 0;
    for (size_t i = from; i < orders; i++)
        pages += blocks[i] << i;
    return pages;
}

int free_orders_unusable(const uint64_t *blocks, size_t orders, unsigned order)
{
    uint64_t free_pages = order_pages(blocks, orders, 0);
    if (free_pages == 0)
        return 0;
    return (int)((free_pages - order_pages(blocks, orders, order)) * 1000 / free_pages);
}

int free_orders_index(const uint64_t *blocks, size_t orders, unsigned order)
{
    uint64_t free_blocks = 0, free_pages = order_pages(blocks, orders, 0);
    for (size_t i = 0; i < orders; i++)
        free_blocks += blocks[i];
    if (free_blocks == 0)
        return 0;
    if (order_pages(blocks, orders, order) > 0)
        return -1000;
    return (int)(1000 - (1000 + (free_pages * 1000 >> order)) / free_blocks);
}
