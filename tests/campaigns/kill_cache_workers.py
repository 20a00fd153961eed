#!/usr/bin/python3
"""kill_cache_workers.py [KILLS]: kills workers of a running server with SIGKILL (a build with PROXYD_TEST_HOOKS) under
hits, fills, validations and purges. Every octet that a client is given is checked, no purge is outrun, and in the end
the cache can be emptied to the last block."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from killed_workers import KilledWorkers, may_kill_often

if not may_kill_often():
    sys.exit("this build starts workers again too slowly: build the asan preset, and set PROXYD_BUILD=build/asan")
run = KilledWorkers()
for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 300):
    run.kill()
cache = run.stop()
print(f"{run.kills} kills: {run.complete} answers whole ({run.hits} of them stored ones), {run.cut} cut, {run.purges} purges, none wrong")
print({key: cache[key] for key in ("taken_over", "repairs", "lock_busy", "evicted", "expired", "purged", "no_room")})
