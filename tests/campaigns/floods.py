#!/usr/bin/python3
"""Floods of HTTP/2 beside a client that asks for a hundred things a second.

    PROXYD_BUILD=build/release tests/campaigns/floods.py [--seconds 30] [--rounds 5] [--over h2c|tls] [--connections 1] [FLOOD ...]

A round is so many seconds without and as many with the flood, from an attacker with so many connections at once, each
of which comes again as soon as it is told to go. Two workers, as on a machine of two processors, which should have
nothing else to do. Fails when a request of the client failed, when more than a hundred requests of one attacking
connection ran at the origin at once, when a worker died, or when the client's p99 with the flood is, by the median of
the rounds, more than twice that without and more than 5 ms above it."""
import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacker import FLOODS   # noqa: E402
from flooded_site import FloodedSite   # noqa: E402

MOST_RATIO = 2
MOST_ABOVE = 0.005   # seconds
UNTIMED = {"late-reset", "late-overflow"}   # hundreds of requests that do run, which is a load and no flood: there for the count


def judge(flood, quiet, flooded):
    """Prints what came of a flood; what is wrong with it."""
    ratio = statistics.median(loud.p99 / calm.p99 for calm, loud in zip(quiet, flooded))
    above = statistics.median(loud.p99 - calm.p99 for calm, loud in zip(quiet, flooded))
    calmed, cut_off, octets = (sum(one.attacker[what] for one in flooded) for what in ("calmed", "cut_off", "octets"))
    print(f"{flood}: p99 {ratio:.2f} of that without, {1000 * above:+.2f} ms (without {[round(1000 * one.p99, 1) for one in quiet]}, with "
          f"{[round(1000 * one.p99, 1) for one in flooded]}); {calmed} connections told to calm down and {cut_off} cut off after "
          f"{octets / max(calmed + cut_off, 1):.0f} octets each, at most {max(one.descriptors for one in flooded)} descriptors of a worker in the end, at "
          f"most {max(one.most_running for one in flooded)} requests of one at the origin", flush=True)
    slow = [f"p99 is {ratio:.2f} times what it is without, and {1000 * above:.1f} ms more"] if ratio > MOST_RATIO and above > MOST_ABOVE else []
    return slow if flood not in UNTIMED else []


def run(floods, seconds, rounds, over, connections):
    failures = []
    with tempfile.TemporaryDirectory() as folder, FloodedSite(folder, over=over) as site:
        for flood in floods:
            quiet, flooded = [], []
            for _ in range(rounds):
                quiet.append(site.round(seconds))
                flooded.append(site.round(seconds, flood, connections))
            found = [fault for one in quiet + flooded for fault in one.faults(int(seconds * site.RATE))]
            found += judge(flood, quiet, flooded) if all(one.p99 for one in quiet + flooded) else []
            failures += [f"{flood}: {fault}" for fault in found]
        if not site.workers_are_the_same():
            failures.append("a worker was replaced")
    print("\n".join(failures) or "floods: nobody noticed")
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--over", choices=("h2c", "tls"), default="h2c")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("floods", nargs="*", metavar="FLOOD", help=f"of {', '.join(FLOODS)}; all of them when none is named")
    given = parser.parse_args()
    sys.exit(run(given.floods or list(FLOODS), given.seconds, given.rounds, given.over, given.connections))
