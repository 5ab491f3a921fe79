/* A log-linear histogram of HdrHistogram's scheme. */
#include "harness/measure/histogram.h"

#include <inttypes.h>
#include <math.h>

enum { HALF = HISTOGRAM_SUB_BUCKETS / 2, HALF_LOG2 = 10 };
_Static_assert(1 << HALF_LOG2 == HALF, "half of the sub-buckets is a power of two");

size_t histogram_index(uint64_t value)
{
    if (value > HISTOGRAM_HIGHEST)
        value = HISTOGRAM_HIGHEST;
    unsigned bucket = 63 - (unsigned)__builtin_clzll(value | (HISTOGRAM_SUB_BUCKETS - 1));
    bucket -= HALF_LOG2;
    /* The lower half of every bucket but the first is covered by the one before it. */
    return (size_t)(((uint64_t)bucket << HALF_LOG2) + (value >> bucket));
}

static unsigned histogram_shift(size_t index)
{
    return index < HISTOGRAM_SUB_BUCKETS ? 0 : (unsigned)(index >> HALF_LOG2) - 1;
}

uint64_t histogram_lowest(size_t index)
{
    unsigned shift = histogram_shift(index);
    return ((uint64_t)index - ((uint64_t)shift << HALF_LOG2)) << shift;
}

uint64_t histogram_highest(size_t index)
{
    return histogram_lowest(index) + ((uint64_t)1 << histogram_shift(index)) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->counts[histogram_index(value)]++;
    histogram->total++;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_add(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    if (from->max > into->max)
        into->max = from->max;
}

static uint64_t histogram_value(const struct histogram *histogram, size_t index)
{
    uint64_t highest = histogram_highest(index);
    return highest < histogram->max ? highest : histogram->max;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percentile)
{
    uint64_t wanted = (uint64_t)(percentile / 100 * (double)histogram->total + 0.5);
    if (wanted == 0)
        wanted = 1;
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted)
            return histogram_value(histogram, i);
    }
    return histogram->max;
}

bool histogram_reaches(const struct histogram *histogram, double percentile)
{
    /* 100 - 99.999 is a little more than 0.001. */
    static const double rounding = 1e-6;
    return (double)histogram->total * (100 - percentile) / 100 >= 1 - rounding;
}

static double histogram_middle(size_t index)
{
    return (double)histogram_lowest(index) + (double)((uint64_t)1 << histogram_shift(index)) / 2;
}

static double histogram_representative(size_t index)
{
    return index < HISTOGRAM_SUB_BUCKETS ? (double)index : histogram_middle(index);
}

double histogram_mean(const struct histogram *histogram)
{
    double sum = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++)
        if (histogram->counts[i])
            sum += (double)histogram->counts[i] * histogram_representative(i);
    return histogram->total ? sum / (double)histogram->total : 0;
}

static double histogram_deviation(const struct histogram *histogram)
{
    double mean = histogram_mean(histogram), sum = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++)
        if (histogram->counts[i]) {
            double off = histogram_representative(i) - mean;
            sum += (double)histogram->counts[i] * off * off;
        }
    return histogram->total ? sqrt(sum / (double)histogram->total) : 0;
}

/* The step doubles its fineness each time the distance to 100 % halves. */
static double histogram_next_percentile(double percentile, unsigned ticks)
{
    double halvings = floor(log2(100 / (100 - percentile))) + 1;
    return percentile + 100 / (ticks * exp2(halvings));
}

static void histogram_print_lines(FILE *out, const struct histogram *histogram, unsigned ticks)
{
    double due = 0;
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS && seen < histogram->total; i++) {
        seen += histogram->counts[i];
        double reached = 100 * (double)seen / (double)histogram->total;
        while (histogram->counts[i] && due <= reached && due < 100) {
            fprintf(out, "%12.3f %14.12f %10" PRIu64 " %14.2f\n",
                    (double)histogram_value(histogram, i), due / 100, seen, 1 / (1 - due / 100));
            /* Once everything is counted, only the line for 100 % is left to say. */
            if (seen == histogram->total)
                break;
            due = histogram_next_percentile(due, ticks);
        }
    }
}

void histogram_print(FILE *out, const struct histogram *histogram, unsigned ticks)
{
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    histogram_print_lines(out, histogram, ticks);
    if (histogram->total)
        fprintf(out, "%12.3f %14.12f %10" PRIu64 "\n", (double)histogram->max, 1.0,
                histogram->total);
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", histogram_mean(histogram),
            histogram_deviation(histogram));
    fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", (double)histogram->max,
            histogram->total);
    fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", HISTOGRAM_BUCKETS,
            HISTOGRAM_SUB_BUCKETS);
}
