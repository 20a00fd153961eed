"""Campaigns on the cache of a running server, in short: many objects purged, hit ratios, workers killed under a load."""
import pytest
from killed_workers import may_kill_often
from many_stored import ManyStored, few
from ratio_load import RatioLoad
from slow_answers import SUBJECTS, SlowAnswers


def test_many_objects_of_a_tag_are_gone_for_every_worker_also_when_the_master_dies_behind_the_answer():
    with ManyStored(1000, 2, "64MiB") as site:
        site.store(few() + site.many())
        assert set(site.stored_on_each_worker(site.many(500)).values()) == {500}
        site.purge("many", "soft")
        assert site.objects() >= 1000, "soft keeps them"
        site.purge("many")
        assert set(site.stored_on_each_worker(site.many(500)).values()) == {0}
        assert set(site.stored_on_each_worker(few()).values()) == {len(few())}, "of another tag"
        site.store(site.many())
        assert min(site.stored_on_each_worker(site.many(10)).values()) > 0
        assert site.purge_and_kill_the_master("many", site.many(10)) == 0


def test_an_answer_that_a_purge_overtook_is_never_used_again():
    slow = SlowAnswers()
    assert not any(slow.outrun(subject) for subject in SUBJECTS)
    assert slow.outrun({"tags": ["another"]}), "what no purge concerns is used"
    slow.stop()


def test_the_server_hits_what_its_policy_hits_offline():
    with RatioLoad(keys=2000, requests=8000, memory=64 << 20) as load:
        served = load.run()
        assert abs(served - load.simulated(*load.kept())) < 2.5   # so few requests differ by chance


@pytest.mark.skipif(not may_kill_often(), reason="this build starts workers again too slowly")
def test_workers_that_are_killed_cost_little_of_the_hit_ratio_and_no_octet():
    with RatioLoad(keys=1000, requests=4000, memory=32 << 20, environment={"PROXYD_TEST_NO_BACK_OFF": "1"}) as load:
        undisturbed = load.run()
    with RatioLoad(keys=1000, requests=4000, memory=32 << 20, environment={"PROXYD_TEST_NO_BACK_OFF": "1"}) as load:
        assert abs(load.run(kills=8) - undisturbed) < 3   # so few requests differ by chance
