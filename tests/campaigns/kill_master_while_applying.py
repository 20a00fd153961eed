#!/usr/bin/python3
"""kill_master_while_applying.py [KILLS]: kills the master with SIGKILL in the middle of a change, at each step in turn
(a build with PROXYD_TEST_HOOKS) and at moments of chance, and starts it again on the same store. After each: exactly one
revision active and served by every worker, no acknowledged one lost, the dead master's workers gone."""
import collections
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from killed_apply import STEPS, KilledApply, has_steps

kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
steps = [*STEPS, None] if has_steps() else [None]
with tempfile.TemporaryDirectory(prefix="proxyd-campaign-") as folder:
    run, counts = KilledApply(folder), collections.Counter()
    for number in range(kills):
        step, before = steps[number % len(steps)], run.number
        acknowledged = run.kill(step)
        counts[step or "any moment", "new" if run.number > before else "old", "acknowledged" if acknowledged else "no answer"] += 1
    run.stop()
for (step, revision, answer), count in sorted(counts.items()):
    print(f"{count:4} kills at {step:12} {revision} revision in force, {answer}")
print(f"{kills} kills, revision {run.number} in force, {len(run.acknowledged)} acknowledged, none lost")
