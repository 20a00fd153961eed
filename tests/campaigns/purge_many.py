#!/usr/bin/python3
"""purge_many.py [OBJECTS] [WORKERS]: fills the cache with so many objects of one tag (1,000,000) and purges the tag.
Fails when a purge of them takes 1 ms, or longer than one of ten objects; when a worker serves one of a large sample
afterwards, or one does whose master was killed behind the answer; when what was asked for before a purge is used after
it. Build the release first; it takes 2 GiB of memory for each million."""
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from many_stored import FEW, ManyStored, few
from slow_answers import SUBJECTS, SlowAnswers

MOST, SAME = 1.0, 0.1   # ms
REPEATED = 500
objects, workers = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((1, 1_000_000), (2, 4)))
sample = min(objects, 100_000)


def medians(site, *how):
    """Of one tag and the other by turns, so that both meet what else the machine does."""
    took = [(site.purge("few", *how), site.purge("many", *how)) for _ in range(REPEATED)]
    return [statistics.median(one) for one in zip(*took)]


with ManyStored(objects, workers, f"{max(64, objects // 500)}MiB") as site:
    site.store(few() + site.many())
    assert set(site.stored_on_each_worker(site.many(sample)).values()) == {sample}
    dry, soft = medians(site, "hard", "?dry_run=true"), medians(site, "soft")
    assert site.objects() >= objects, "they are stale, and all of them still stored"
    first = site.purge("many")
    served = site.stored_on_each_worker(site.many(sample))
    hard = medians(site)
    for what, (of_few, of_many) in (("dry run", dry), ("soft", soft), ("hard", hard)):
        print(f"{what}: {of_few:.3f} ms for {FEW} objects, {of_many:.3f} ms for {objects} (medians of {REPEATED})")
    print(f"the first hard one of {objects}: {first:.3f} ms; of {sample} each worker serves afterwards: {served}", flush=True)
    assert not any(served.values())
    assert all(of_many < MOST and of_many < of_few + SAME for of_few, of_many in (soft, hard)), "too slow"
    asked = site.many(50)
    site.store(asked)
    stored = sum(site.stored_on_each_worker(asked).values())
    left = site.purge_and_kill_the_master("many", asked)
    print(f"they serve {stored} of {workers} times 50 before a purge whose master is killed behind the answer, {left} after it", flush=True)
    assert stored > 0 and left == 0
slow = SlowAnswers(workers)
outrun = [slow.outrun(subject) for subject in SUBJECTS * 10]
print(f"{len(outrun)} purges 100 ms after the origin was asked, which answered after 500 ms: {sum(outrun)} of the answers were used again")
assert not any(outrun)
slow.stop()
