#!/usr/bin/python3
"""hit_ratio_served.py [REQUESTS]: one Zipf load of equal objects of 64 KiB through the running server and through
bench/hit_ratio, which drives the same policy class, with the octets that the server kept. Fails when they differ by more
than 0.5 points or one content was wrong."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from ratio_load import RatioLoad

MOST = 0.5   # points
requests = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
with RatioLoad(keys=40_000, requests=requests, memory=256 << 20) as load:
    served = load.run()
    weight, kept = load.kept()
    simulated, whole = load.simulated(weight, kept), load.simulated(weight, load.memory)
    print(f"{requests} requests, {load.keys} keys: {served:.2f} % served, {simulated:.2f} % simulated with the {kept} octets that were kept; 0 wrong")
    print(f"({whole:.2f} % simulated with all of the cache's memory, {load.memory} octets, of which index and reserve take their part)")
    assert abs(served - simulated) <= MOST, f"{served - simulated:+.2f} points"
