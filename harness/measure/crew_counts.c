/* What the kernel counts of the crew. */
#include "harness/measure/crew.h"

static void crew_add_process(struct proc_counts *sum, pid_t process)
{
    struct proc_counts counts;
    proc_counts_of(process, &counts);
    sum->minor_faults += counts.minor_faults;
    sum->major_faults += counts.major_faults;
    sum->context_switches += counts.context_switches;
    sum->involuntary_switches += counts.involuntary_switches;
    sum->delayed_ns += counts.delayed_ns;
    sum->cpu_ns += counts.cpu_ns;
}

/* All but the delays are of the whole process already. */
void crew_counts(const struct crew *crew, struct proc_counts *counts)
{
    proc_counts(crew->delays, counts);
    for (unsigned i = 1; i < crew->count; i++)
        if (crew->processes)
            crew_add_process(counts, crew->lanes[i].process);
        else
            counts->delayed_ns += proc_delayed_ns(crew->lanes[i].number);
}

uint64_t crew_migrations(const struct crew *crew)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->count; i++) {
        uint64_t migrations = proc_migrations(crew->lanes[i].number);
        if (migrations == UINT64_MAX)
            return UINT64_MAX;
        sum += migrations;
    }
    return sum;
}
