"""What is kept outlives the process, and what the disk does to it is told and survived."""
import resource
import sqlite3
import threading

import pytest
from client import status_of
from proxyd import Proxyd, eventually, free_port, site


def changed(document, number):
    return {**document, "defaults": {"timeouts": {"connect": f"{number}s"}}}


def spoil(path, page):
    """Overwrites a page in the middle of the file."""
    with open(path, "r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xa5" * 4096)


def test_a_damaged_database_is_set_aside_and_the_last_good_copy_serves(origin, tmp_path):
    port, database = free_port(), tmp_path / "proxyd.db"
    document = site(port, origin.address)
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        proxyd.apply(changed(document, 9))
    assert (tmp_path / "backup-0.db").exists()
    spoil(database, 2)
    damaged = database.read_bytes()
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        assert status_of(port) == 200
        assert proxyd.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "9s"
        kept = [path for path in tmp_path.glob("proxyd.db.damaged-*") if not path.name.endswith(("-wal", "-shm"))]
        assert len(kept) == 1 and kept[0].read_bytes() == damaged
        told = proxyd.attention()["store-degraded"]
        assert told["severity"] == "error" and str(kept[0]) in told["message"] and "backup-" in told["message"]
        status, body = proxyd.api("GET", "/readyz", parse=False)
        assert status == 200 and body.startswith("degraded: the database was damaged")
        proxyd.apply(changed(document, 8))
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        assert proxyd.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "8s"


@pytest.mark.parametrize("content", [b"", b"no database at all\n" * 1000], ids=["empty", "nonsense"])
def test_a_file_that_is_no_database_gives_way_to_the_last_good_copy(origin, tmp_path, content):
    port = free_port()
    document = site(port, origin.address)
    with Proxyd(document, state=str(tmp_path)):
        pass
    (tmp_path / "proxyd.db").write_bytes(content)
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        assert proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"] == 1
        assert "store-degraded" in proxyd.attention() and status_of(port) == 200


def test_a_damaged_copy_is_passed_over_for_an_older_one(origin, tmp_path):
    port = free_port()
    document = site(port, origin.address)
    for number in (1, 2):
        with Proxyd(document, state=str(tmp_path)) as proxyd:
            proxyd.apply(changed(document, number))
    copies = sorted(tmp_path.glob("backup-*.db"), key=lambda path: path.stat().st_mtime)
    assert len(copies) >= 2
    for path in (tmp_path / "proxyd.db", copies[-1]):
        path.write_bytes(b"gone" * 4096)
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        assert copies[-2].name in proxyd.attention()["store-degraded"]["message"] and status_of(port) == 200


def test_a_copy_is_made_without_a_graceful_end(origin, tmp_path):
    proxyd = Proxyd(site(free_port(), origin.address), state=str(tmp_path))
    eventually(lambda: (tmp_path / "backup-0.db").exists())
    assert ((tmp_path / "backup-0.db").stat().st_mode & 0o777) == 0o600
    proxyd.kill()
    proxyd.stop()


def test_the_store_is_for_its_owner_alone(origin, tmp_path):
    with Proxyd(site(free_port(), origin.address), state=str(tmp_path)):
        for name in ("proxyd.db", "proxyd.db-wal", "proxyd.db-shm"):
            assert ((tmp_path / name).stat().st_mode & 0o777) == 0o600, name


def test_a_full_disk_fails_the_change_with_507_and_traffic_goes_on(origin, tmp_path):
    port = free_port()
    document = site(port, origin.address)
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        pids = proxyd.pids()
        # No file of the master may grow: what a full disk does to it.
        former = resource.prlimit(proxyd.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        status, answer = proxyd.api("PUT", "/api/v1/config", changed(document, 9))
        assert status == 507 and answer["type"].endswith("store-full")
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/one:drain", {})[0] == 507
        assert proxyd.metric("proxyd_db_errors_total") >= 2
        assert status_of(port) == 200 and proxyd.api("GET", "/readyz", parse=False)[0] == 200
        assert "defaults" not in proxyd.api("GET", "/api/v1/config")[1]
        assert proxyd.api("GET", "/api/v1/upstreams/app/targets/one")[1]["state"] == "up"
        resource.prlimit(proxyd.process.pid, resource.RLIMIT_FSIZE, former)
        assert proxyd.apply(changed(document, 9))["revision"] == 2 and proxyd.pids() == pids


def test_a_locked_store_fails_the_change_with_503_and_traffic_goes_on(origin, tmp_path):
    port = free_port()
    document = site(port, origin.address)
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        locker = sqlite3.connect(tmp_path / "proxyd.db", isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        answers = []
        change = threading.Thread(target=lambda: answers.append(proxyd.api("PUT", "/api/v1/config", changed(document, 9))))
        change.start()
        while change.is_alive():
            assert status_of(port) == 200
        assert answers[0][0] == 503 and answers[0][1]["type"].endswith("store-busy")
        locker.execute("ROLLBACK")
        locker.close()
        assert "defaults" not in proxyd.api("GET", "/api/v1/config")[1]
        assert proxyd.apply(changed(document, 9))["revision"] == 2


def target(proxyd, name="one"):
    return proxyd.api("GET", f"/api/v1/upstreams/app/targets/{name}")[1]


def test_overrides_outlive_a_restart_and_a_kill(origin, tmp_path):
    port = free_port()
    document = site(port, origin.address)
    document["upstreams"]["app"]["targets"]["two"] = {"address": origin.address}
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/two:maintenance", {"reason": "new disk"})[0] == 200
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/one:weight", {"weight": 50})[0] == 200
    proxyd = Proxyd(document, state=str(tmp_path))
    assert target(proxyd, "two")["state"] == "maintenance" and target(proxyd)["effective_weight"] == 50
    proxyd.kill()
    proxyd.stop()
    with Proxyd(document, state=str(tmp_path)) as proxyd:
        assert target(proxyd, "two")["state"] == "maintenance" and target(proxyd)["effective_weight"] == 50
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/two:ready", {})[0] == 200
        assert target(proxyd, "two")["state"] == "up"


def test_an_override_goes_with_what_it_names(origin, tmp_path):
    port = free_port()
    one, two = site(port, origin.address), site(port, origin.address)
    two["upstreams"]["app"]["targets"]["two"] = {"address": origin.address}
    with Proxyd(two, state=str(tmp_path)) as proxyd:
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/two:drain", {})[0] == 202
        assert target(proxyd, "two")["state"] == "draining"
        proxyd.apply(one)
        proxyd.apply(two)
        assert target(proxyd, "two")["state"] == "up"
    with sqlite3.connect(tmp_path / "proxyd.db") as database:
        assert database.execute("SELECT count(*) FROM overrides").fetchone() == (0,)
    database.close()


def test_an_override_expires_by_itself(origin):
    with Proxyd(site(free_port(), origin.address)) as proxyd:
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/one:drain", {"for": "1s"})[0] == 202
        eventually(lambda: target(proxyd)["state"] == "up")
        eventually(lambda: "has expired" in proxyd.logs(), what="the line that says so")
