/* results/README.md, from the same lists as the code. */
#include "results/document.h"

#include "results/breakdown.h"

static const char *const document_types[] = {"text", "count", "number"};

static void document_fields(FILE *out, const struct field *fields, size_t count)
{
    fputs("| name | type | unit | meaning |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "| `%s` | %s | %s | %s |\n", fields[i].name, document_types[fields[i].type],
                fields[i].unit, fields[i].help);
}

static void document_worst(FILE *out)
{
    fputs(
        "\n## A line of latency/CELL.worst.csv\n\n"
        "The 64 slowest calls of the cell, the slowest first. Two further replays in fresh "
        "processes do the same calls again: one with the clock and the count of page faults, one "
        "with the system calls traced. Each call is made by the thread that made it, but one at a "
        "time in the recorded order, so that waiting for another thread does not come again.\n\n"
        "| column | meaning |\n| --- | --- |\n"
        "| `latency_ns` | what the call took, clock cost included |\n"
        "| `event` | its place in the trace, from 0, as `bench trace dump` numbers them |\n"
        "| `thread` | that made it, as recorded |\n"
        "| `operation` | malloc, calloc, realloc, aligned or free |\n"
        "| `size` | bytes asked for; of a free, of the block it frees |\n"
        "| `switches` | involuntary context switches among the operations that were decoded "
        "together with it |\n"
        "| `again_ns` | what the same call took in a further replay |\n"
        "| `page_faults` | in the call, in that replay |\n"
        "| `system_calls` | in the call, in the traced replay; empty where the system forbids "
        "tracing |\n"
        "| `system_call_names` | the first six kinds of them, as `munmap:1` |\n"
        "| `cause` | `not the allocator`: less than half of it the second time (an interrupt, "
        "other "
        "work on the core or in its host; in a threaded replay also waiting for other threads); "
        "`lock`: futex or sched_yield; `system call`; "
        "`page fault`; `the allocator's own work`: slow again without any of them; `not known` "
        "|\n",
        out);
}

static void document_introduction(FILE *out)
{
    fputs("# Run folders\n\n"
          "This file is written by `build/tests/results-readme` from `results/fields.h`.\n\n"
          "`bench run` writes a folder of plain files. `bench report`, `bench plot` and `bench "
          "compare` read nothing else, so a run can be copied to another machine and shown there "
          "without its traces. A figure that was not measured is `null` in JSON and an empty field "
          "in CSV. Sizes are bytes, times nanoseconds.\n\n",
          out);
}

static void document_files(FILE *out)
{
    fputs(
        "| file | holds |\n| --- | --- |\n"
        "| `run.json` | what was asked (`command`, `allocators`, `traces`, `passes`, `repeat`, "
        "`touch`, `seed`), when (`started`), on what (`machine`, and what made figures doubtful "
        "there: `preflight`) and by which version "
        "(`heapbench`) |\n"
        "| `cells.jsonl` | one line a finished cell, appended in one write and synced: after a "
        "kill everything finished is there |\n"
        "| `series/CELL.csv` | samples along the trace (memory pass) |\n"
        "| `latency/CELL.hgrm` | percentile table as HdrHistogram's plotters read it: value in "
        "ns, percentile, count up to it, 1/(1-percentile) (latency pass) |\n"
        "| `latency/CELL.csv` | the same by kind of operation and size class; a percentile that "
        "no operation lies beyond is empty |\n"
        "| `latency/CELL.worst.csv` | the slowest calls and what is behind them, see below |\n"
        "| `heapmap/CELL.json` | how much of each stretch of address space was live and resident "
        "over time, see below (memory pass) |\n"
        "| `pagemap/CELL.MOMENT.json` | the same page by page at five moments, see below |\n"
        "| `census/CELL.json` | holes, pages and size classes at five moments, see below |\n"
        "| `traces/TRACE.json` | the trace's statistics: its `events`, `threads`, peaks, and "
        "histograms of `sizes` (`size` is the lower end of a bin, every power of two in four), "
        "`lifetimes` (in `operations`), and `lifetimes_by_size` (both by powers of two) |\n"
        "| `fidelity.json` | how well the replays foretold the real program (`bench fidelity`) |\n"
        "| `split.jsonl` | where the footprint went, one line a moment (`bench explain`) |\n"
        "| `plots/` | figures drawn by `bench plot` |\n\n"
        "`CELL` is `TRACE.ALLOCATOR.PASS.REPETITION`; characters that are not safe in a file's "
        "name are `_` there and a hash is added.\n",
        out);
}

static void document_cells(FILE *out)
{
    fputs("\n## A line of cells.jsonl\n\n", out);
    document_fields(out, cell_fields, cell_field_count);
}

static void document_rows(FILE *out)
{
    fputs(
        "\n## A row of the table\n\n"
        "`bench run --json` and `bench report --format json` print `{\"rows\": [...]}` with these, "
        "`bench report --format csv` has them as columns. Medians are over the repetitions whose "
        "status is ok.\n\n",
        out);
    document_fields(out, row_fields, row_field_count);
}

static void document_fidelity(FILE *out)
{
    fputs(
        "\n## A row of fidelity.json\n\n"
        "`bench fidelity` writes `rows`, one an allocator, and `orders`: of the pairs of "
        "allocators "
        "that really differ in `memory` (by more than 5 %) and in `time` (by more than the noise), "
        "how many the replay put in the same order.\n\n",
        out);
    document_fields(out, fidelity_fields, fidelity_field_count);
}

static void document_split(FILE *out)
{
    fputs(
        "\n## A line of split.jsonl\n\n"
        "`bench explain` appends these; of an allocator, a trace and a moment the last one counts. "
        "`bench explain --json` prints `{\"moments\": [...]}` with the same fields, those of the "
        "`parts`, of what is `not_resident`, of the `rest` and of the view from `inside` each in "
        "an object of their own. `holders` is a list of the blocks on pages of which less than a "
        "quarter is live: `blocks` of `size_low` to `size_high` bytes from `site` and `thread`, "
        "with the `pages` that they lie on and the bytes of these that they keep resident "
        "(`resident_bytes`, pages being shared equally among their blocks; `alone_bytes`: pages "
        "on which nothing else lies). Their ages are a median and the oldest, in events and, "
        "where the trace has times, in `_ns`.\n\n",
        out);
    document_fields(out, breakdown_fields, breakdown_field_count);
}

static void document_series(FILE *out)
{
    fputs("\n## A line of series/CELL.csv\n\n"
          "| column | meaning |\n| --- | --- |\n"
          "| `event` | operations done |\n"
          "| `time_ns` | of the trace, where it has times |\n"
          "| `allocated` | bytes requested so far in all |\n"
          "| `live` | R: requested bytes live |\n"
          "| `usable` | U: what the live blocks could hold |\n"
          "| `held` | H: bytes the heap holds from the system |\n"
          "| `resident` | P: resident bytes of the heap |\n"
          "| `lazyfree` | bytes the kernel may take back, where read |\n"
          "| `rss`, `vsz` | of the whole process |\n"
          "| `blocks` | live blocks |\n",
          out);
}

static void document_heap_map(FILE *out)
{
    fputs("\n## heapmap/CELL.json\n\n"
          "`events` are the operations done at each column; each of the `rows`, in order of "
          "`address`, is a stretch of `bytes` of address space. `live` and `resident` are the "
          "shares of it that lay in live blocks (as requested) and in resident pages, a letter a "
          "column: `A` nothing, `z` all, `B` … `Z`, `a` … `y` the fiftieths between; `-` not "
          "known. A number before a letter repeats it: `3A2y`. In Python: "
          "`re.findall(\"([0-9]*)([A-Za-z-])\", live)`. Stretches in which nothing was ever live "
          "or resident are left out, so a jump of the address is a gap.\n",
          out);
}

static void document_page_map(FILE *out)
{
    fputs(
        "\n## pagemap/CELL.MOMENT.json\n\n"
        "The same at one moment, after `event` operations: each row begins at its `address`, and "
        "a letter is a cell of `bytes` (a page, or several where there are many), side by side.\n",
        out);
}

static void document_census(FILE *out)
{
    fputs(
        "\n## census/CELL.json\n\n"
        "`moments`, each with its `moment` (`25%`, `50%`, `75%` of the operations, "
        "`peak-live`, `end`) and `event`. It is taken from outside, by the same method for every "
        "allocator: from the blocks' addresses and usable sizes, the mappings and their pages.\n\n"
        "| name | holds |\n| --- | --- |\n"
        "| `blocks`, `live`, `usable`, `held` | blocks, R, U and H |\n"
        "| `holes` | extents of at least 16 bytes between live blocks in held mappings: "
        "`count`, `bytes`, `largest`, `outside_largest` (1 - largest / bytes); `sizes`: how many "
        "and how much by `size`, the lower end of a bin, every power of two in four |\n"
        "| `holes.unusable` | for blocks of `size`: `unusable`, the share of the free bytes that "
        "they cannot use, 1 - sum of floor(e/size)*size / T over the extents e and their sum T; "
        "`too_small`, the weaker 1 - sum of the e of at least `size` / T |\n"
        "| `seam_bytes` | gaps shorter than that: headers and padding |\n"
        "| `empty_bytes` | mappings without a live block: free memory or bookkeeping, which "
        "cannot be told apart from outside |\n"
        "| `pages` | `resident` pages of the heap, the `live_bytes` on them, and how many "
        "`by_live_share`: no live byte, up to a tenth, up to two … below all, all |\n"
        "| `classes` | blocks by usable size, every power of two in four: `smallest` and "
        "`largest` usable size, `blocks`, the bytes `requested` and `usable`; the slack of a "
        "class is usable - requested |\n"
        "| `anonymous`, `huge` | bytes of the process in anonymous and in huge pages |\n"
        "| `walk_free`, `walk_meta_bytes` | for a heap that can be walked, its free blocks (as "
        "`holes`; they may lie in memory that was given back) and its bookkeeping |\n",
        out);
}

void document_write(FILE *out)
{
    document_introduction(out);
    document_files(out);
    document_cells(out);
    document_rows(out);
    document_fidelity(out);
    document_split(out);
    document_series(out);
    document_worst(out);
    document_heap_map(out);
    document_page_map(out);
    document_census(out);
}
