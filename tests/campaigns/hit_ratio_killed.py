#!/usr/bin/python3
"""hit_ratio_killed.py [KILLS] [REQUESTS]: the load of hit_ratio_served.py, undisturbed and once more with workers killed
by SIGKILL at any places of it (a build with PROXYD_TEST_HOOKS). Fails when the hit ratio differs by more than a point or
one content was wrong."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from killed_workers import may_kill_often
from ratio_load import RatioLoad

MOST = 1.0   # points
if not may_kill_often():
    sys.exit("this build starts workers again too slowly: build the asan preset, and set PROXYD_BUILD=build/asan")
kills, requests = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((1, 300), (2, 200_000)))
ratios = []
for count in (0, kills):
    with RatioLoad(keys=20_000, requests=requests, memory=128 << 20, environment={"PROXYD_TEST_NO_BACK_OFF": "1"}) as load:
        ratios.append(load.run(count))
        print(f"{requests} requests, {load.kills} kills: {ratios[-1]:.2f} % hits, {load.cut} requests cut and asked again, 0 wrong", flush=True)
assert abs(ratios[0] - ratios[1]) <= MOST, f"{ratios[1] - ratios[0]:+.2f} points"
