"""Listeners that come and go, and connections that are open meanwhile."""
import contextlib
import os
import signal

import pytest
from client import Client, get, status_of
from origin import Origin
from proxyd import Proxyd, eventually, free_port, site


@pytest.fixture
def origin():
    origin = Origin()
    yield origin
    origin.stop()


def test_open_connections_go_on_when_their_listener_gets_another_name(origin):
    port = free_port()
    document = site(port, origin.address)
    with Proxyd(document) as proxyd, Client(port) as client:
        client.send(get())
        assert client.response().status == 200
        document["listeners"] = {"renamed": {"address": f"127.0.0.1:{port}"}}
        document["hosts"]["all"]["listeners"] = ["renamed"]
        proxyd.apply(document)
        client.send(get())
        assert client.response().status == 200
        assert proxyd.metric("proxyd_downstream_connections", listener="renamed") == 1


def test_open_connections_of_a_listener_that_is_removed_end(origin):
    port, other = free_port(), free_port()
    document = site(port, origin.address)
    document["listeners"]["other"] = {"address": f"127.0.0.1:{other}"}
    with Proxyd(document) as proxyd, Client(port) as stays, Client(other) as goes:
        for client in (stays, goes):
            client.send(get())
            assert client.response().status == 200
        del document["listeners"]["other"]
        proxyd.apply(document)
        assert goes.is_closed()
        stays.send(get())
        assert stays.response().status == 200


def test_a_ready_route_says_no_as_soon_as_the_master_does_while_requests_are_still_taken(origin):
    port = free_port()
    document = site(port, origin.address)
    document["hosts"]["all"]["routes"].insert(0, {"name": "ready", "match": {"path": "/ready"}, "ready": True})
    with Proxyd(document, environment={"PROXYD_SHUTDOWN_DELAY": "60s"}) as proxyd, Client(port) as prober, Client(port) as client:
        prober.send(get(b"/ready"))
        assert prober.response().status == 200
        proxyd.signal(signal.SIGTERM)

        def says_no():
            prober.send(get(b"/ready"))
            return prober.response().status == 503

        eventually(says_no)
        client.send(get())
        assert client.response().status == 200
        proxyd.signal(signal.SIGTERM)
        assert proxyd.ended() == 0


def test_a_worker_that_is_slow_to_forget_a_rehearsal_keeps_no_address_from_the_change(origin):
    """`proxyctl apply` tries each change before it makes it."""
    port, other = free_port(), free_port()
    document = site(port, origin.address)
    with Proxyd(document, workers=2) as proxyd:
        slow = proxyd.pids()[0]
        os.kill(slow, signal.SIGSTOP)
        try:
            document["listeners"]["other"] = {"address": f"127.0.0.1:{other}"}
            status, answer = proxyd.api("PUT", "/api/v1/config?dry_run=true", document)
            assert status == 200, answer
            proxyd.apply(document)
            assert status_of(other) == 200
        finally:
            with contextlib.suppress(ProcessLookupError):   # its watchdog may have ended it
                os.kill(slow, signal.SIGCONT)
