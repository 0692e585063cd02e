#!/usr/bin/env python3
"""OpsFlux and the bare reference under the same workloads, on one machine, in one run.

  run.py [--tickets 100000,1000000] [--databases sqlite,postgres] [--connections 1,16,50] [--seconds 6]
         [--workloads W1,W2,W2T,W3,W4,W5,W6]

`cargo xtask bench` builds both programs, starts a PostgreSQL whose address it gives in
BENCH_POSTGRES, and calls this. Every figure is kept in target/bench/results.json; what is printed at the end are CPU times a request (the best
of the connection counts) and their ratios to the reference. A database whose audit and feed rows do not equal its
writes afterwards has no figures.
"""
import argparse
import json
import os
import subprocess
import sys

from load import WORKLOADS, LoadFailed, measure
from servers import WORK, BenchFailed, Limits, OpsFlux

# CPU per request against the reference's, on SQLite.
GOALS = {"W1": 4.0, "W2": 2.0, "W3": 5.0, "W4": 5.0, "W6": 3.0}
ROW_RULE, GROWTH, POSTGRES, P95 = 1.5, 1.3, 1.5, 5.0
FIRST_ANSWER_MS, MEMORY_MIB = 500.0, 150.0


def say(text=""):
    print(text, flush=True)


def progress(done, total):
    if done % 20_000 == 0 or done == total:
        say(f"    {done:,} of {total:,} tickets")


def work_through(target, options, results, tickets):
    for workload in target.workloads(options.workloads):
        for connections in options.connections:
            figures = measure(target, workload, connections, options.seconds)
            results.append(dict(figures, tickets=tickets))
            say("  {workload:4} c={connections:<3} {rps:9.1f}/s  p50 {p50:7.2f}  p95 {p95:7.2f}  p99 {p99:7.2f} ms"
                "  CPU {cpu_ms:.4f} ms  own {own_mib:.0f} MiB  resident {resident_mib:.0f} MiB".format(**figures))


def reference(options, results, tickets):
    say(f"limits, {tickets:,} tickets")
    limits = Limits(tickets)
    try:
        work_through(limits.target, options, results, tickets)
    finally:
        limits.stop()


def new_database(address, name):
    """Makes a database; `address` has `{database}` where the name goes."""
    subprocess.run(["psql", address.replace("{database}", "postgres"), "-qc", f"CREATE DATABASE {name}"], check=True)
    return address.replace("{database}", name)


def opsflux(options, results, starts, tickets, database):
    say(f"OpsFlux on {database}, {tickets:,} tickets")
    url = None
    if database == "postgres":
        url = os.environ.get("BENCH_POSTGRES")
        if not url:
            raise BenchFailed("BENCH_POSTGRES names no database server")
        url = new_database(url, f"bench_{tickets}")
    server = OpsFlux(tickets, url, encrypted=database == "sqlite-encrypted")
    try:
        server.fill(progress)
        starts[f"{database} {tickets}"] = server.restart()
        say(f"  first answer {server.server.first_answer_ms:.0f} ms after start")
        before = server.books()
        work_through(server.target(), options, results, tickets)
        say("  as a technician, who sees a tenth of the tickets")
        work_through(server.target(technician=True), options, results, tickets)
        after = server.books()
        if after is None:
            say("  an encrypted file: its books are not read")
            return
        writes, audit, feed = (now - then for now, then in zip(after, before))
        say(f"  {writes:,} writes, {audit:,} audit rows, {feed:,} feed rows")
        if not writes == audit == feed:
            raise BenchFailed("audit and feed rows do not equal the writes: no figures")
    finally:
        server.stop()


class Table:
    """What is asked of the results, each line with its goal and whether it is met."""

    def __init__(self, results, starts):
        self.results, self.starts, self.missed = results, starts, 0

    def cpu(self, target, workload, tickets):
        found = [r["cpu_ms"] for r in self.of(target, workload, tickets)]
        return min(found) if found else None

    def of(self, target, workload, tickets):
        return [r for r in self.results
                if (r["target"], r["workload"], r["tickets"]) == (target, workload, tickets)]

    def line(self, what, value, base, goal):
        if value is None or not base:
            return
        ratio = value / base
        verdict = "" if goal is None else ("met" if ratio <= goal else "MISSED")
        self.missed += verdict == "MISSED"
        allowed = "" if goal is None else f"(at most {goal:g} x)"
        say(f"  {what:52} {value:9.4f} / {base:9.4f} = {ratio:6.2f} x {allowed:18} {verdict}")

    def show(self, sizes):
        for size in sizes:
            self.against_reference(size)
        if len(sizes) > 1:
            say(f"\nCPU ms a request, {sizes[-1]:,} tickets against {sizes[0]:,}")
            for workload in WORKLOADS:
                self.line(f"{workload} sqlite", self.cpu("sqlite", workload, sizes[-1]),
                          self.cpu("sqlite", workload, sizes[0]), GROWTH)
        self.bounds()
        say(f"\n{self.missed} goals missed" if self.missed else "\nevery goal met")

    def against_reference(self, size):
        say(f"\nCPU ms a request, {size:,} tickets")
        for workload, meaning in WORKLOADS.items():
            own = self.cpu("sqlite", workload, size)
            self.line(f"{workload} sqlite against the reference: {meaning}"[:52], own,
                      self.cpu("limits", workload, size), GOALS.get(workload))
            self.line(f"{workload} row rule against none", self.cpu("sqlite, technician", workload, size), own, ROW_RULE)
            self.line(f"{workload} encrypted against plain", self.cpu("sqlite-encrypted", workload, size), own, None)
            self.line(f"{workload} postgres against sqlite", self.cpu("postgres", workload, size), own, POSTGRES)
        say(f"\np95 at 50 connections in ms, {size:,} tickets")
        for workload in WORKLOADS:
            own, bare = ([r["p95"] for r in self.of(t, workload, size) if r["connections"] == 50]
                         for t in ("sqlite", "limits"))
            if own and bare:
                self.line(f"{workload} sqlite against the reference", own[0], bare[0], P95)

    def bounds(self):
        say("\nStart and memory")
        for name, first in self.starts.items():
            self.bound(f"{name}: first answer after start, ms", first, FIRST_ANSWER_MS)
        for target in ("sqlite", "postgres"):
            own = [r["own_mib"] for r in self.results if r["target"].startswith(target)]
            if own:
                self.bound(f"{target}: memory without mapped pages, MiB", max(own), MEMORY_MIB)

    def bound(self, what, value, most):
        self.missed += value > most
        say(f"  {what:52} {value:9.1f} (at most {most:g}) {'met' if value <= most else 'MISSED'}")


def arguments():
    def listing(of):
        return lambda text: [of(part) for part in text.split(",") if part]

    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", type=listing(int), default=[100_000, 1_000_000])
    parser.add_argument("--databases", type=listing(str), default=["sqlite", "postgres"],
                        help="sqlite, sqlite-encrypted (the same with OPSFLUX_ENCRYPTION=on), postgres")
    parser.add_argument("--connections", type=listing(int), default=[1, 16, 50])
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--workloads", type=listing(str), default=list(WORKLOADS))
    return parser.parse_args()


def main():
    options, results, starts = arguments(), [], {}
    try:
        for tickets in options.tickets:
            reference(options, results, tickets)
            for database in options.databases:
                opsflux(options, results, starts, tickets, database)
    except (BenchFailed, LoadFailed) as error:
        say(f"bench: {error}")
        return 1
    with open(os.path.join(WORK, "results.json"), "w") as file:
        json.dump({"results": results, "starts": starts}, file, indent=1)
    Table(results, starts).show(options.tickets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
