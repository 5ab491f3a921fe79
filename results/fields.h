/* Every column of a result, once: struct, JSON, CSV and results/README.md all follow from these
 * lists.
 *
 * TEXT(name, length, help), COUNT(name, unit, help): a whole number, REAL(name, unit, help).
 * A figure that was not measured is UINT64_MAX or NaN in C and null in JSON. Units are in the names
 * unless they are bytes or a plain count. */
#ifndef RESULTS_FIELDS_H
#define RESULTS_FIELDS_H

/* One line of cells.jsonl: what one process measured. */
#define CELL_FIELDS(TEXT, COUNT, REAL)                                                             \
    TEXT(allocator, 512, "the allocator spec as it was asked for")                                 \
    TEXT(trace, 256, "the trace's name")                                                           \
    TEXT(pass, 16,                                                                                 \
         "throughput, latency, memory or verify of a replay; program or watch: the real program, " \
         "undisturbed or watched")                                                                 \
    COUNT(repetition, "", "from 0")                                                                \
    COUNT(turns, "",                                                                               \
          "processes that replayed for it; the line is that of the lower quartile of their times") \
    TEXT(status, 96, "ok, or what happened: crashed, timed out, skipped, failed")                  \
    TEXT(detail, 512, "the sentence that goes with a status other than ok, or a warning")          \
    TEXT(touch, 12, "what the replay wrote into each block: none, first, page, all or recorded")   \
    TEXT(pace, 12, "how fast the memory pass replayed: full or as-recorded")                       \
    TEXT(order, 12,                                                                                \
         "how the threads of the verify pass called: parallel (at once) or as-recorded (one at a " \
         "time)")                                                                                  \
    COUNT(threads_recorded, "", "threads in the trace")                                            \
    COUNT(threads_replayed, "", "threads that replayed them")                                      \
    COUNT(processes_replayed, "",                                                                  \
          "processes that replayed, one thread each; 1: threads of one process")                   \
    COUNT(handovers, "",                                                                           \
          "operations on blocks that another thread had used before in the same window")           \
    COUNT(waits, "", "those that came too early, and waited for the other thread")                 \
    REAL(wait_share, "", "share of the threads' time spent in these waits")                        \
    REAL(idle_share, "", "share of the threads' time in which they were done before the last one") \
    TEXT(realloc, 12, "native, or emulated by alloc, copy, free")                                  \
    TEXT(allocator_object, 256,                                                                    \
         "the object that owns malloc in the worker, or the built-in backend")                     \
    TEXT(build_id, 64, "of that object")                                                           \
    COUNT(operations, "", "operations replayed")                                                   \
    COUNT(allocations, "", "malloc, calloc and aligned allocations that succeeded")                \
    COUNT(reallocations, "", "reallocs that succeeded")                                            \
    COUNT(reallocs_in_place, "", "those that left the block where it was; memory pass only")       \
    COUNT(frees, "", "frees of live blocks")                                                       \
    COUNT(failed_allocations, "", "calls that returned NULL")                                      \
    TEXT(decoding, 20,                                                                             \
         "where the trace was decoded: between windows of the replay, with the clock stopped")     \
    COUNT(elapsed_ns, "ns",                                                                        \
          "the timed region: the whole replay loop, decoding left out, and taken_ns")              \
    COUNT(taken_ns, "ns",                                                                          \
          "the replay's one thread was ready in it, but other programs had its core")              \
    COUNT(delayed_ns, "ns",                                                                        \
          "the replay's threads or processes, all together, were ready, but waited for a core: "   \
          "for other programs, or for each other where there are fewer cores; told, but only "     \
          "taken_ns is left out of elapsed_ns")                                                    \
    REAL(ns_per_op, "ns",                                                                          \
         "elapsed_ns / operations; throughput pass, and latency pass where calls are sampled")     \
    TEXT(clock, 8,                                                                                 \
         "what times single calls: counter (time-stamp counter) or system; latency pass only")     \
    COUNT(latency_sample, "", "one call in so many was timed, 1 all; latency pass only")           \
    REAL(                                                                                          \
        clock_cost_ns, "ns",                                                                       \
        "what is told for calls that do nothing: stamps, loop and an empty call, in this process") \
    REAL(p50_ns, "ns",                                                                             \
         "latency of an operation, clock cost included; a percentile beyond which no operation "   \
         "lies is unknown; latency pass only")                                                     \
    REAL(p90_ns, "ns", "the same, 90th percentile")                                                \
    REAL(p99_ns, "ns", "the same, 99th percentile")                                                \
    REAL(p999_ns, "ns", "the same, 99.9th percentile")                                             \
    REAL(p9999_ns, "ns", "the same, 99.99th percentile")                                           \
    REAL(p99999_ns, "ns", "the same, 99.999th percentile")                                         \
    REAL(max_ns, "ns", "the slowest operation")                                                    \
    REAL(own_max_ns, "ns",                                                                         \
         "the slowest that was as slow in a second replay, or waited for a lock: without "         \
         "interrupts and other programs")                                                          \
    COUNT(calls_taken, "",                                                                         \
          "timed calls in which other work got the core, by the kernel's own mark; latency pass "  \
          "only")                                                                                  \
    COUNT(calls_slept, "",                                                                         \
          "timed calls in which the thread gave its core away to wait, as a rule for a lock; "     \
          "likewise")                                                                              \
    COUNT(peak_rss_bytes, "bytes",                                                                 \
          "peak resident size of the worker less its own at the start (VmHWM, reset before the "   \
          "first event)")                                                                          \
    COUNT(peak_vsz_bytes, "bytes",                                                                 \
          "peak address space of the worker less its own at the start (VmPeak)")                   \
    COUNT(base_rss_bytes, "bytes", "resident size of the worker just before the first event")      \
    COUNT(base_heap_bytes, "bytes",                                                                \
          "of that, in mappings like a heap's: what the allocator had set up for itself")          \
    COUNT(peak_live_bytes, "bytes",                                                                \
          "max R: requested bytes live at once, the floor for any allocator")                      \
    COUNT(peak_usable_bytes, "bytes", "max U: bytes the live blocks could hold")                   \
    COUNT(peak_held_bytes, "bytes", "max H: writable private mappings made after start")           \
    COUNT(peak_resident_bytes, "bytes", "max P over the samples: resident bytes of the heap")      \
    COUNT(end_held_bytes, "bytes", "H after the last event")                                       \
    COUNT(end_resident_bytes, "bytes", "P after the last event")                                   \
    REAL(rss_over_live, "", "peak_rss_bytes / peak_live_bytes")                                    \
    REAL(internal_fragmentation, "", "1 - R/U at the peak of R")                                   \
    REAL(external_fragmentation, "", "1 - U/H at the same moment")                                 \
    REAL(residency, "", "P/H at the same moment")                                                  \
    REAL(jw1, "", "Johnstone & Wilson #1: mean of H/L, less 1")                                    \
    REAL(jw2, "", "#2: H/L at the first argmax of L, less 1")                                      \
    REAL(jw3, "", "#3: H/L at the first argmax of H, less 1")                                      \
    REAL(jw4, "", "#4: max H / max L, less 1: the distance to the floor")                          \
    REAL(jw_area, "", "sum of H / sum of L, less 1")                                               \
    COUNT(                                                                                         \
        holes, "",                                                                                 \
        "free extents of at least 16 bytes between live blocks at that moment, seen from outside") \
    COUNT(hole_bytes, "bytes", "what they hold")                                                   \
    COUNT(largest_hole_bytes, "bytes", "the largest of them")                                      \
    REAL(holes_per_block, "", "holes / live blocks; by Knuth's rule p/2, at most one half")        \
    COUNT(seam_bytes, "bytes", "gaps too short for a block: headers and padding")                  \
    COUNT(empty_bytes, "bytes", "held mappings without a live block: free, or bookkeeping")        \
    REAL(page_occupancy, "", "live share of the resident pages at that moment")                    \
    REAL(dead_pages, "", "share of the resident pages without a live byte")                        \
    REAL(huge_coverage, "", "AnonHugePages / Anonymous of the process then")                       \
    COUNT(walk_free_blocks, "", "free blocks at that moment by the heap's own walk")               \
    COUNT(walk_free_bytes, "bytes", "what they hold")                                              \
    COUNT(walk_meta_bytes, "bytes", "bookkeeping in the heap by its walk: headers, tables")        \
    COUNT(robson_bytes, "bytes",                                                                   \
          "Robson's bound for max L and the largest request: what the best policy may need at "    \
          "worst")                                                                                 \
    COUNT(first_fit_bound_bytes, "bytes", "what first fit may need at worst")                      \
    COUNT(best_fit_bound_bytes, "bytes", "what best fit may need at worst")                        \
    COUNT(page_faults, "", "minor and major faults in the replay")                                 \
    COUNT(major_faults, "", "those that had to read")                                              \
    COUNT(context_switches, "", "voluntary and involuntary, in the replay")                        \
    COUNT(involuntary_switches, "",                                                                \
          "those of them that took the core away: other work, not the allocator")                  \
    COUNT(migrations, "", "times the kernel moved the replay to another core")                     \
    TEXT(counters, 192,                                                                            \
         "what the hardware counters count: user and kernel, user only, or not available, why "    \
         "and what to do about it; throughput pass only")                                          \
    REAL(cycles_per_op, "",                                                                        \
         "processor cycles an operation, replay loop included; throughput pass only")              \
    REAL(instructions_per_op, "", "instructions an operation, likewise")                           \
    REAL(cache_misses_per_op, "", "misses of the last-level cache an operation, likewise")         \
    REAL(tlb_misses_per_op, "", "loads an operation that missed the data TLB, likewise")           \
    COUNT(samples, "", "samples taken along the trace; memory pass only")                          \
    REAL(sampling_share, "", "share of the pass spent sampling")                                   \
    COUNT(verified_blocks, "",                                                                     \
          "blocks whose contents, alignment and place were checked; verify pass")                  \
    COUNT(faults_found, "", "blocks that were wrong; verify pass")                                 \
    COUNT(wall_ns, "ns", "the whole worker process, from start to exit")                           \
    COUNT(cpu_ns, "ns",                                                                            \
          "user and system time, all threads: of the timed region of a replay, or of the whole "   \
          "real "                                                                                  \
          "program with its children")                                                             \
    COUNT(heap_bytes, "bytes", "peak resident size of the real program's heap; watched only")      \
    COUNT(own_bytes, "bytes", "resident then of what the program mapped beside its allocator")     \
    COUNT(stack_bytes, "bytes", "resident then of its stacks")                                     \
    COUNT(data_bytes, "bytes", "resident then of its zeroed data")                                 \
    COUNT(file_bytes, "bytes", "resident then of its code, data, mapped files, shared memory")     \
    COUNT(absent_bytes, "bytes", "mapped then by the allocator, but not resident")                 \
    COUNT(processes, "", "other processes that the real program started")                          \
    COUNT(looks, "", "times that its memory was taken apart while it was watched")

/* One row of the table that `bench run` and `bench report` print: an allocator over one trace. */
#define ROW_FIELDS(TEXT, COUNT, REAL)                                                              \
    TEXT(run, 256, "the run's folder, without what leads to it")                                   \
    TEXT(trace, 256, "the trace's name")                                                           \
    TEXT(allocator, 512, "the allocator spec")                                                     \
    COUNT(real, "", "1, or 0 for what only shows the floor (null) or is not for timing (checked)") \
    TEXT(status, 96, "ok, or what happened")                                                       \
    TEXT(detail, 512, "the sentence that goes with it, or a warning")                              \
    COUNT(operations, "", "as in cells")                                                           \
    REAL(ns_per_op, "ns", "median over the repetitions")                                           \
    REAL(relative, "", "ns_per_op over that of the fastest real allocator that frees")             \
    REAL(relative_low, "", "lower end of its 95 % bootstrap interval")                             \
    REAL(relative_high, "", "upper end of it")                                                     \
    REAL(spread, "", "(largest - smallest) / median of ns_per_op over the repetitions")            \
    REAL(p50_ns, "ns", "median latency, clock cost included")                                      \
    REAL(p99_ns, "ns", "99th percentile")                                                          \
    REAL(p999_ns, "ns", "99.9th percentile")                                                       \
    REAL(p9999_ns, "ns", "99.99th percentile")                                                     \
    REAL(p99999_ns, "ns", "99.999th percentile")                                                   \
    REAL(max_ns, "ns", "slowest operation of all repetitions")                                     \
    REAL(own_max_ns, "ns",                                                                         \
         "median of what the slowest call took that was as slow in a second replay")               \
    REAL(clock_cost_ns, "ns", "what is told for calls that do nothing")                            \
    REAL(p50_net_ns, "ns",                                                                         \
         "p50_ns less clock_cost_ns: what the call itself took; 0: no more than one that does "    \
         "nothing")                                                                                \
    REAL(p99_net_ns, "ns", "p99_ns less clock_cost_ns")                                            \
    REAL(p999_net_ns, "ns", "p999_ns less clock_cost_ns")                                          \
    REAL(p9999_net_ns, "ns", "p9999_ns less clock_cost_ns")                                        \
    REAL(p99999_net_ns, "ns", "p99999_ns less clock_cost_ns")                                      \
    REAL(max_net_ns, "ns", "max_ns less clock_cost_ns")                                            \
    REAL(own_max_net_ns, "ns", "own_max_ns less clock_cost_ns")                                    \
    COUNT(peak_rss_bytes, "bytes", "as in cells")                                                  \
    COUNT(peak_vsz_bytes, "bytes", "as in cells")                                                  \
    REAL(rss_over_live, "", "as in cells")                                                         \
    COUNT(peak_held_bytes, "bytes", "as in cells")                                                 \
    COUNT(peak_resident_bytes, "bytes", "as in cells")                                             \
    COUNT(peak_live_bytes, "bytes", "as in cells")                                                 \
    REAL(internal_fragmentation, "", "as in cells")                                                \
    REAL(external_fragmentation, "", "as in cells")                                                \
    REAL(jw1, "", "as in cells")                                                                   \
    REAL(jw2, "", "as in cells")                                                                   \
    REAL(jw3, "", "as in cells")                                                                   \
    REAL(jw4, "", "as in cells")                                                                   \
    REAL(jw_area, "", "as in cells")                                                               \
    COUNT(holes, "", "as in cells")                                                                \
    COUNT(hole_bytes, "bytes", "as in cells")                                                      \
    COUNT(largest_hole_bytes, "bytes", "as in cells")                                              \
    REAL(holes_per_block, "", "as in cells")                                                       \
    COUNT(seam_bytes, "bytes", "as in cells")                                                      \
    COUNT(empty_bytes, "bytes", "as in cells")                                                     \
    COUNT(walk_meta_bytes, "bytes", "as in cells")                                                 \
    REAL(page_occupancy, "", "as in cells")                                                        \
    REAL(dead_pages, "", "as in cells")                                                            \
    REAL(huge_coverage, "", "as in cells")                                                         \
    COUNT(robson_bytes, "bytes", "as in cells")                                                    \
    REAL(cycles_per_op, "",                                                                        \
         "median of processor cycles an operation, where the machine counts them")                 \
    REAL(instructions_per_op, "", "median of instructions an operation")                           \
    REAL(cache_misses_per_op, "", "median of misses of the last-level cache an operation")         \
    REAL(tlb_misses_per_op, "", "median of data TLB misses an operation")                          \
    COUNT(page_faults, "", "of the memory pass")                                                   \
    REAL(context_switches, "", "median of the timed pass, of all its threads or processes")        \
    REAL(involuntary_switches, "", "likewise")                                                     \
    REAL(migrations, "", "likewise")                                                               \
    REAL(delayed_ns, "ns", "likewise, as in cells")                                                \
    REAL(calls_taken, "", "median of the latency pass, as in cells")                               \
    REAL(calls_slept, "", "likewise")                                                              \
    COUNT(failed_allocations, "", "calls that returned NULL")                                      \
    COUNT(faults_found, "", "blocks found wrong by the verify pass")                               \
    COUNT(repetitions, "", "timed repetitions that finished")                                      \
    COUNT(threads_recorded, "", "as in cells")                                                     \
    COUNT(threads_replayed, "", "as in cells, of the timed passes")                                \
    COUNT(processes_replayed, "", "as in cells, of the timed passes")                              \
    REAL(wait_share, "", "median over the repetitions, as in cells")                               \
    REAL(idle_share, "", "median over the repetitions, as in cells")                               \
    COUNT(frees, "", "1, or 0 for what never gives memory back and is no competitor")

/* How well the replay foretold the real program on one allocator: a row of fidelity.json. */
#define FIDELITY_FIELDS(TEXT, COUNT, REAL)                                                         \
    TEXT(trace, 256, "the program's name")                                                         \
    TEXT(allocator, 512, "the allocator spec")                                                     \
    TEXT(status, 96, "ok, or what happened to the program or its replay")                          \
    TEXT(detail, 512, "the sentence that goes with it")                                            \
    TEXT(touch, 12, "what the replay wrote into each block")                                       \
    REAL(heap_bytes, "bytes", "peak resident size of the program's heap: median of the runs")      \
    REAL(heap_spread, "", "(largest - smallest) / median of it")                                   \
    TEXT(pace, 12, "how fast that was")                                                            \
    REAL(replayed_bytes, "bytes",                                                                  \
         "peak resident size in the replay, with what the allocator had set up before its first "  \
         "event: what was foretold")                                                               \
    REAL(error, "", "replayed_bytes / heap_bytes - 1")                                             \
    REAL(cpu_ns, "ns", "processor time of the undisturbed program: median of the runs")            \
    REAL(cpu_spread, "", "(largest - smallest) / median of it")                                    \
    REAL(replayed_ns, "ns", "the same of the replay, without the program's own work: median")      \
    REAL(peak_rss_bytes, "bytes", "peak resident size of the whole program: median")               \
    REAL(own_bytes, "bytes", "at the heap's peak: mapped by the program itself")                   \
    REAL(stack_bytes, "bytes", "then: stacks")                                                     \
    REAL(data_bytes, "bytes", "then: zeroed data")                                                 \
    REAL(file_bytes, "bytes", "then: code, data, mapped files, shared memory")                     \
    REAL(live_bytes, "bytes", "most requested bytes live at once")                                 \
    REAL(untouched_bytes, "bytes",                                                                 \
         "what the program had not touched of its blocks of 32 KiB and more at its heap's peak "   \
         "(one run of it, with each of them in a mapping of its own)")                             \
    REAL(paced_bytes, "bytes",                                                                     \
         "replayed_bytes of a replay at the program's pace; only where the error was to be "       \
         "explained")                                                                              \
    REAL(unsampled_bytes, "bytes",                                                                 \
         "replayed_bytes of the throughput pass, in which nothing is sampled: median")             \
    REAL(bare_bytes, "bytes",                                                                      \
         "the same of a replay that writes only the first byte of each block; there too")          \
    TEXT(why, 512, "where the error exceeds 10 %: what is known of its cause")                     \
    COUNT(threads, "", "threads in the recording")                                                 \
    COUNT(processes, "", "other processes that the program started")                               \
    COUNT(repetitions, "", "runs of the program that ended well")

/* The parts of a footprint: they add up to rss_bytes. */
#define BREAKDOWN_PARTS(COUNT)                                                                     \
    COUNT(payload, "bytes", "requested bytes of live blocks (R), as far as resident")              \
    COUNT(rounding, "bytes", "what live blocks could hold beyond that (U - R), resident")          \
    COUNT(free_in_live_pages, "bytes",                                                             \
          "free space on resident pages on which a live block lies; headers too where metadata "   \
          "is not told")                                                                           \
    COUNT(free_pages, "bytes", "resident pages on which blocks lay and none does now: cached")     \
    COUNT(unused_pages, "bytes",                                                                   \
          "resident pages on which no block ever lay: the allocator's tables, or memory prepared " \
          "in advance")                                                                            \
    COUNT(lazy_free, "bytes", "pages without a block that the kernel may take back (MADV_FREE)")   \
    COUNT(metadata, "bytes", "headers and tables, where metadata_told; else 0, being in others")   \
    COUNT(rest_of_process, "bytes", "what is not the heap's: the replay's tables, code, stacks")

/* Beside them, not resident. */
#define BREAKDOWN_BESIDE(COUNT)                                                                    \
    COUNT(touched_not_yet, "bytes", "requested bytes of live blocks without memory behind them")   \
    COUNT(swapped, "bytes", "pages of the heap in the swap")                                       \
    COUNT(returned, "bytes", "mapped pages on which blocks lay, given back to the kernel")         \
    COUNT(reserved, "bytes", "address space of the heap that was never resident for a block")

/* What the rest of the process is. */
#define BREAKDOWN_REST(COUNT)                                                                      \
    COUNT(rest_harness, "bytes", "of rest_of_process: the replay's own memory and stack")          \
    COUNT(rest_code, "bytes", "of it: code and constants of programs and libraries")               \
    COUNT(rest_data, "bytes", "of it: data of libraries (an allocator's own too) and the loader")

/* What the heap's own walk says, to be held against the parts. */
#define BREAKDOWN_INSIDE(COUNT)                                                                    \
    COUNT(inside_blocks, "", "live blocks by the heap's own walk; null where it has none")         \
    COUNT(inside_used, "bytes", "resident bytes of its live blocks")                               \
    COUNT(inside_free, "bytes", "resident bytes of its free blocks")                               \
    COUNT(inside_metadata, "bytes", "resident bytes of its tables")

/* One line of split.jsonl: where the footprint of one replay went at one moment. */
#define BREAKDOWN_FIELDS(TEXT, COUNT, REAL)                                                        \
    TEXT(allocator, 512, "the allocator spec")                                                     \
    TEXT(trace, 256, "the trace's name")                                                           \
    TEXT(at, 64, "the moment as it was asked for: peak-rss, peak-live, end, an event, a time")     \
    TEXT(without, 512, "what was left out of the replay, empty: nothing")                          \
    TEXT(status, 96, "ok, or what happened")                                                       \
    TEXT(detail, 512, "the sentence that goes with it, or a warning")                              \
    TEXT(touch, 12, "what the replay wrote into each block")                                       \
    COUNT(event, "", "the moment: after so many events of the trace")                              \
    COUNT(time_ns, "ns", "the time stamp of the last event, where the trace has times")            \
    BREAKDOWN_PARTS(COUNT)                                                                         \
    COUNT(sum, "bytes", "of these parts")                                                          \
    COUNT(rss_bytes, "bytes", "resident size of the process, read from smaps_rollup")              \
    COUNT(metadata_told, "", "1 where the heap's walk tells what is metadata, else 0")             \
    COUNT(rounding_told, "", "1 where the allocator tells usable sizes, else 0")                   \
    BREAKDOWN_BESIDE(COUNT)                                                                        \
    COUNT(live_bytes, "bytes", "R: payload and touched_not_yet and what of it is swapped")         \
    COUNT(usable_bytes, "bytes", "U")                                                              \
    COUNT(live_blocks, "", "live blocks")                                                          \
    COUNT(live_pages, "", "resident pages on which a live block lies")                             \
    COUNT(sparse_pages, "", "those of which less than a quarter is live payload")                  \
    COUNT(huge_bytes, "bytes", "of the heap, in huge pages")                                       \
    COUNT(base_rss_bytes, "bytes", "resident size just before the first event")                    \
    COUNT(peak_rss_bytes, "bytes", "the highest RSS of the replay that looked for the peak")       \
    BREAKDOWN_REST(COUNT)                                                                          \
    BREAKDOWN_INSIDE(COUNT)

#define FIELD_TEXT(name, length, help) char name[length];
#define FIELD_COUNT(name, unit, help) uint64_t name;
#define FIELD_REAL(name, unit, help) double name;

#endif
