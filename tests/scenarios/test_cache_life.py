"""The cache's region: as old as the master, shared by all workers, whatever becomes of one of them."""
import os
import resource
import signal
import subprocess

import pytest
from client import status_of
from killed_workers import KilledWorkers, may_kill_often
from origin import Origin
from proxyd import BUILD, Proxyd, eventually, free_port, site


@pytest.fixture(scope="module")
def origin():
    return Origin()


def cached_site(port, origin, **cache):
    document = site(port, origin.address, cache="pages")
    return {**document, "cache": cache, "cache_policies": {"pages": {}}}


def region(pid):
    """Which piece of memory the process has for the cache."""
    with open(f"/proc/{pid}/maps") as maps:
        rows = [line.split() for line in maps if "memfd:proxyd-cache" in line]
    assert rows, "it has a cache"
    return rows[0][4]


def wakes(pid):
    folder = f"/proc/{pid}/fd"
    return sum(os.readlink(f"{folder}/{number}") == "anon_inode:[eventfd]" for number in os.listdir(folder))


def test_a_worker_that_was_killed_comes_back_to_the_region_that_it_left(origin):
    port = free_port()
    with Proxyd(cached_site(port, origin), workers=2, arguments=("--cache", "64MiB")) as proxyd:
        of_all = region(proxyd.process.pid)
        for _ in range(3):
            pids = proxyd.pids()
            assert [region(pid) for pid in pids] == [of_all] * 2
            assert all(wakes(pid) >= 256 for pid in pids)
            os.kill(pids[0], signal.SIGKILL)
            eventually(lambda: pids[0] not in proxyd.pids() and len(proxyd.pids()) == 2 and all(w["state"] == "running" for w in proxyd.workers()))
        assert status_of(port) == 200


def test_generations_of_workers_that_are_killed_while_another_starts_leave_a_slot_that_serves(origin):
    port = free_port()
    with Proxyd(cached_site(port, origin), workers=1, arguments=("--cache", "8MiB")) as proxyd:
        for _ in range(2):
            pid = proxyd.pids()[0]
            proxyd.api("POST", "/api/v1/workers/{}:restart".format(proxyd.workers()[0]["slot"]), {})
            eventually(lambda: any(w["pid"] not in (0, pid) for w in proxyd.workers()))
            for worker in proxyd.pids():
                os.kill(worker, signal.SIGKILL)
            eventually(lambda: [w["state"] for w in proxyd.workers()] == ["running"])
        assert status_of(port) == 200


@pytest.mark.parametrize("wrong, why", [
    ("7MiB", "must lie between 8MiB and 1TiB"), ("2TiB", "must lie between 8MiB and 1TiB"), ("512", "is no size"), ("off", "is no size")])
def test_a_ceiling_that_no_cache_can_have_is_refused(wrong, why, tmp_path):
    ended = subprocess.run([BUILD / "bin/proxyd", "run", "--check", "--state-dir", tmp_path, "--cache", wrong], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 7 and f"cache_ceiling '{wrong}' {why}" in ended.stderr


@pytest.mark.parametrize("ceiling", ["8MiB", "1TiB"])
def test_the_least_and_the_largest_ceiling_serve(ceiling, origin):
    port = free_port()
    with Proxyd(cached_site(port, origin), arguments=("--cache", ceiling)):
        assert status_of(port) == 200


def test_a_region_that_cannot_be_made_ends_the_start_by_its_size_and_the_reason(origin, tmp_path):
    def no_large_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))

    ended = subprocess.run(
        [BUILD / "bin/proxyd", "run", "--state-dir", tmp_path, "--run-dir", tmp_path, "--admin", "off", "--cache", "2GiB"],
        capture_output=True, text=True, timeout=30, preexec_fn=no_large_files)
    assert ended.returncode == 1
    assert "the cache of cache_ceiling 2GiB cannot be made" in ended.stderr and "File too large" in ended.stderr


def test_a_system_that_lets_a_process_open_few_files_is_named(tmp_path):
    ended = subprocess.run(
        [BUILD / "bin/proxyd", "run", "--state-dir", tmp_path, "--run-dir", tmp_path, "--admin", "off"],
        capture_output=True, text=True, timeout=30, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    assert ended.returncode == 1 and "RLIMIT_NOFILE" in ended.stderr and "256 files" in ended.stderr


def test_memory_above_the_ceiling_is_refused_and_the_former_revision_serves_on(origin):
    port = free_port()
    document = cached_site(port, origin, memory="32MiB")
    with Proxyd(document, arguments=("--cache", "64MiB")) as proxyd:
        for way in ("/api/v1/config", "/api/v1/config?dry_run=true"):
            status, answer = proxyd.api("PUT", way, cached_site(port, origin, memory="128MiB"))
            assert status == 422 and answer["type"].endswith("activation-failed")
            assert answer["errors"][0]["pointer"] == "/cache/memory" and "128MiB is above cache_ceiling, 64MiB" in answer["errors"][0]["message"]
        assert proxyd.api("GET", "/api/v1/config")[1]["cache"]["memory"] == "32MiB"
        assert proxyd.apply(cached_site(port, origin, memory="64MiB"))["revision"] == 2


def test_a_first_document_with_memory_above_the_ceiling_ends_the_start(origin, tmp_path):
    with Proxyd(cached_site(free_port(), origin, memory="128MiB"), state=str(tmp_path), arguments=("--cache", "64MiB"), ready=False) as proxyd:
        assert proxyd.ended() != 0
        assert "128MiB is above cache_ceiling, 64MiB" in proxyd.logs()


def test_a_ceiling_below_what_the_stored_revision_says_serves_and_says_so(origin, tmp_path):
    port = free_port()
    document = cached_site(port, origin, memory="128MiB")
    with Proxyd(document, state=str(tmp_path), arguments=("--cache", "128MiB")) as proxyd:
        assert proxyd.attention() == {}
    checked = subprocess.run([BUILD / "bin/proxyd", "run", "--check", "--state-dir", tmp_path, "--cache", "64MiB"], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 7 and "/cache/memory" in checked.stderr
    with Proxyd(document, state=str(tmp_path), arguments=("--cache", "64MiB")) as proxyd:
        assert status_of(port) == 200
        assert "128MiB is above cache_ceiling, 64MiB" in proxyd.attention()["above-ceiling"]["message"]
        proxyd.apply(cached_site(port, origin))
        assert proxyd.attention() == {}


@pytest.mark.skipif(not may_kill_often(), reason="this build starts workers again too slowly")
def test_workers_killed_under_load_leave_no_wrong_octet_no_outrun_purge_and_no_lost_block():
    run = KilledWorkers()
    for _ in range(15):
        run.kill()
    run.stop()
    assert run.complete > 100 and run.hits > 0 and run.purges > 0
