"""fidelity.py RUNS PROGRAM...: the page that tests/bench/fidelity writes, from the runs it made."""
import json
import pathlib
import statistics
import sys

POLICIES = (("none", "full"), ("first", "full"), ("page", "full"), ("all", "full"), ("recorded", "full"),
            ("recorded", "as-recorded"))
WITHIN = 0.10


def cells(folder):
    return [json.loads(line) for line in (folder / "cells.jsonl").open()]


def size(number):
    return "-" if number is None else f"{number / 2**20:.2f}"


def percent(share, sign="+"):
    return "-" if share is None else f"{100 * share:{sign}.1f} %"


def known(values):
    return [value for value in values if value is not None]


class Program:
    def __init__(self, runs, name):
        self.name = name
        result = json.loads((runs / name / "fidelity.json").read_text())
        self.rows, self.orders = result["rows"], result["orders"]
        self.real = {row["allocator"]: row["heap_bytes"] for row in self.rows if row["heap_bytes"]}
        self.policies = {(touch, pace): self.read_policy(runs, f"{touch}-{pace}")
                         for touch, pace in POLICIES}
        self.run = json.loads((runs / name / "run.json").read_text())

    def read_policy(self, runs, policy):
        return {cell["allocator"]: (cell["peak_rss_bytes"] + cell["base_heap_bytes"]) / self.real[cell["allocator"]] - 1
                for cell in cells(runs / self.name / "policies" / policy)
                if cell["status"] == "ok" and cell["allocator"] in self.real}

    def order(self, errors):
        """Pairs that really differ by more than 5 %, and those that the errors leave in order."""
        names = [name for name in self.real if name in errors]
        pairs = same = 0
        for i, a in enumerate(names):
            for b in names[:i]:
                if abs(self.real[a] - self.real[b]) > 0.05 * min(self.real[a], self.real[b]):
                    pairs += 1
                    replayed = [self.real[name] * (1 + errors[name]) for name in (a, b)]
                    same += (replayed[0] < replayed[1]) == (self.real[a] < self.real[b])
        return pairs, same


def print_heaps(programs):
    print("| program | allocator | heap MiB | spread | replayed MiB | error | untouched MiB | own MiB | whole RSS MiB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for program in programs:
        for row in program.rows:
            print(f"| {program.name} | {row['allocator']} | {size(row['heap_bytes'])} | {percent(row['heap_spread'], '')} |"
                  f" {size(row['replayed_bytes'])} | {percent(row['error'])} | {size(row['untouched_bytes'])} |"
                  f" {size(row['own_bytes'])} | {size(row['peak_rss_bytes'])} |"
                  + ("" if row["status"] == "ok" else f" {row['status']}"))


def print_orders(programs):
    print("| program | pairs whose heaps differ by more than 5 % | foretold in order | pairs that differ in time | foretold in order | CPU ms (slowest, fastest) | replay ms (slowest, fastest) |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for program in programs:
        memory, time = program.orders["memory"], program.orders["time"]
        cpu = known([row["cpu_ns"] for row in program.rows])
        replay = known([row["replayed_ns"] for row in program.rows])
        print(f"| {program.name} | {memory['pairs']} | {memory['same']} | {time['pairs']} | {time['same']} |"
              f" {max(cpu) / 1e6:.0f}, {min(cpu) / 1e6:.0f} | {max(replay) / 1e6:.0f}, {min(replay) / 1e6:.0f} |")


def print_policies(programs):
    print("| touch | pace | median error | mean of its size | worst | within 10 % | pairs in order |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for touch, pace in POLICIES:
        errors = [error for program in programs for error in program.policies[touch, pace].values()]
        orders = [program.order(program.policies[touch, pace]) for program in programs]
        print(f"| {touch} | {pace} | {percent(statistics.median(errors))} |"
              f" {percent(statistics.mean(map(abs, errors)), '')} | {percent(max(errors, key=abs))} |"
              f" {sum(abs(error) <= WITHIN for error in errors)} of {len(errors)} |"
              f" {sum(same for _, same in orders)} of {sum(pairs for pairs, _ in orders)} |")


def print_reasons(programs):
    for program in programs:
        for row in program.rows:
            if row["why"]:
                print(f"- {program.name}, {row['allocator']} ({percent(row['error'])}): {row['why']}.")


def main():
    runs = pathlib.Path(sys.argv[1])
    programs = [Program(runs, name) for name in sys.argv[2:]]
    machine = programs[0].run["machine"]
    errors = known([row["error"] for program in programs for row in program.rows])
    print("# How well replays foretell real programs\n")
    print("Written by `tests/bench/fidelity`, which runs `bench fidelity` on the programs of"
          " [workloads/traces](../../workloads/traces/README.md).\n")
    print(f"{len(programs)} programs on {len(programs[0].rows)} allocators, {programs[0].run['repeat']} runs each;"
          f" {machine.get('cpu')}, {machine.get('cores')} cores, {machine.get('kernel')}, {machine.get('libc')}."
          f" The foretold peak of the heap is within 10 % in {sum(abs(e) <= WITHIN for e in errors)} of {len(errors)}"
          f" cases; the median of the error's size is {percent(statistics.median(map(abs, errors)), '')}.\n")
    print("*heap*: peak resident size of the real program's heap, median of its runs. *untouched*: what it had not touched"
          " of its blocks of 32 KiB and more. The replay touches of those what the recorder saw touched. *own*: what it mapped itself beside its allocator.\n")
    print_heaps(programs)
    print("\n## Orders\n")
    print("Heaps that differ by more than 5 %; processor times whose medians do and whose runs do not overlap.\n")
    print_orders(programs)
    print("\n## Touch policy and pace\n")
    print("The same recordings replayed under every policy, against the same real runs.\n")
    print_policies(programs)
    print("\n## Where the error exceeds 10 %\n")
    print_reasons(programs)


main()
