"""proxyctl with targets that come and go by the API: the forms that scripts rely on, and their exit codes."""
import threading

import pytest
from client import Client, exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site

TARGETS = "/api/v1/upstreams/app/targets"


@pytest.fixture
def world():
    origins = [Origin(lambda request, n=n: ok(f"{n}".encode())) for n in range(3)]
    port = free_port()
    document = site(port, "")
    document["upstreams"] = {"app": {"membership": "dynamic"}, "declared": {"targets": {"one": {"address": "127.0.0.1:1"}}}}
    with Proxyd(document) as proxyd:
        yield proxyd, [origin.address for origin in origins], port, origins
    for origin in origins:
        origin.stop()


def names(proxyd):
    return [one["id"] for one in proxyd.api("GET", "/api/v1/upstreams/app")[1]["targets"]]


def test_a_target_is_added_set_and_removed_without_a_revision(world):
    proxyd, addresses, port, _ = world
    added = proxyd.proxyctl("upstream", "target", "add", "app", addresses[0], "--id", "zero", "--weight", "7", "--lease", "90s")
    assert (added.returncode, added.stdout) == (0, "target 'zero' of 'app' is added\n"), added
    again = proxyd.proxyctl("upstream", "target", "add", "app", addresses[0], "--id", "zero", "--weight", "7", "--lease", "90s")
    assert (again.returncode, again.stdout) == (0, "target 'zero' of 'app' is there already, nothing was changed\n"), again
    other = proxyd.proxyctl("upstream", "target", "add", "app", addresses[1], "--id", "zero")
    assert other.returncode == 6 and "target set app zero" in other.stderr
    assert proxyd.proxyctl("upstream", "target", "add", "app", addresses[1]).returncode == 0
    assert names(proxyd) == sorted([addresses[1].replace(":", "-"), "zero"])
    changed = proxyd.proxyctl("upstream", "target", "set", "app", "zero", "--weight", "9", "--backup")
    assert (changed.returncode, changed.stdout) == (0, "target 'zero' of 'app' is changed\n"), changed
    shown = proxyd.proxyctl("upstream", "show", "app").stdout
    assert "membership dynamic" in shown and "zero: lease of 90s until " in shown, shown
    for form in ("table", "wide"):
        listed = proxyd.proxyctl("upstream", "list", "-o", form).stdout
        assert "MEMBERSHIP" in listed and "  declared" in listed and "  dynamic" in listed, listed
    assert "MEMBERSHIP" not in proxyd.proxyctl("upstream", "show", "declared").stdout
    removed = proxyd.proxyctl("upstream", "target", "remove", "app", "zero", "--yes")
    assert (removed.returncode, removed.stdout) == (0, "target 'zero' of 'app' is removed\n"), removed
    last = proxyd.proxyctl("upstream", "target", "remove", "app", names(proxyd)[0], "--yes")
    assert last.returncode == 6 and "--force" in last.stderr
    assert proxyd.api("GET", "/api/v1/status")[1]["revision"]["revision"] == 1


def test_a_declared_one_still_makes_a_revision_and_takes_no_lease(world):
    proxyd, addresses, _, _ = world
    added = proxyd.proxyctl("upstream", "target", "add", "declared", addresses[0], "--id", "zero")
    assert added.stdout == "target 'zero' of 'declared' is added, revision 2\n"
    refused = proxyd.proxyctl("upstream", "target", "add", "declared", addresses[1], "--id", "two", "--lease", "90s")
    assert refused.returncode == 7 and "membership: dynamic" in refused.stderr
    synced = proxyd.proxyctl("upstream", "target", "sync", "declared", addresses[0], "--yes")
    assert synced.returncode == 6 and "hint: add and remove them one by one" in synced.stderr, synced


def test_a_set_is_put_and_who_would_be_removed_is_asked_about(world):
    proxyd, addresses, port, _ = world
    ids = [address.replace(":", "-") for address in addresses]
    put = proxyd.proxyctl("upstream", "target", "sync", "app", addresses[0], addresses[1])
    assert put.returncode == 0 and put.stdout.startswith("targets of 'app': added "), put
    asked = proxyd.proxyctl("upstream", "target", "sync", "app", addresses[1], addresses[2])
    assert asked.returncode == 2 and "--yes" in asked.stderr and ids[0] in asked.stderr and sorted(names(proxyd)) == sorted(ids[:2])
    done = proxyd.proxyctl("upstream", "target", "sync", "app", addresses[1], addresses[2], "--yes")
    assert (done.returncode, done.stdout) == (0, f"targets of 'app': added {ids[2]}; kept {ids[1]}; removed {ids[0]}\n"), done
    assert sorted(names(proxyd)) == sorted(ids[1:])
    few = proxyd.proxyctl("upstream", "target", "sync", "app", addresses[0], "--min-up", "2", "--yes")
    assert few.returncode == 6 and "min_up=2" in few.stderr and sorted(names(proxyd)) == sorted(ids[1:])
    wrong = proxyd.proxyctl("upstream", "target", "sync", "app", "nonsense", "--yes")
    assert wrong.returncode == 7 and "/targets/0/address" in wrong.stderr
    assert proxyd.proxyctl("upstream", "target", "sync", "ap", addresses[0], "--yes").returncode == 5
    assert proxyd.proxyctl("upstream", "target", "sync", "app").returncode == 2


def test_what_a_set_cuts_is_told_with_9(world):
    proxyd, addresses, port, origins = world
    origins[0].answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", threading.Event()]
    assert proxyd.proxyctl("upstream", "target", "sync", "app", addresses[0]).returncode == 0
    with Client(port, timeout=30) as client:
        client.send(get())
        eventually(lambda: proxyd.api("GET", "/api/v1/upstreams/app")[1]["targets"][0]["in_flight"] == 1)
        done = proxyd.proxyctl("upstream", "target", "sync", "app", addresses[1], "--drain", "1s", "--yes")
        assert done.returncode == 9 and "1 request was cut, not ended after 1s" in done.stderr, done
    assert exchange(port).body == b"1"
