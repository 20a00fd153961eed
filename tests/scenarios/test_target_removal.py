"""A target that is removed while requests are at it: what does not end within the drain is cut and counted."""
import contextlib
import json
import os
import signal
import socket
import threading

import pytest
from admin import AdminProxyd
from client import Client, Closed, get
from origin import Origin, ok
from proxyd import eventually, free_port, site

ONE, TWO = "/api/v1/upstreams/app/targets/one", "/api/v1/upstreams/app/targets/two"
MANY = b"x" * 50_000_000   # more than all buffers on the way hold
UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
LASTING = {   # what target one sends of an answer that does not end; that of /whole does when the world's `never` comes
    "/length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    "/until-close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart",
    "/length-flood": b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n",
    "/chunked-flood": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3938700\r\n",
    "/whole": b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npart",
    "/tunnel": SWITCHED + b"part",
    "/tunnel-flood": SWITCHED,
}


class World:
    """Target two gets requests only when one can't have them."""

    def __init__(self, address=None, workers=2, defaults={}, **where):
        self.never, self.later = threading.Event(), threading.Event()
        self.one = Origin(early=lambda request: [LASTING.get(request.target, b""), MANY if "flood" in request.target else b"", self.never,
                                                 b"rest" if request.target == "/whole" else b""], **where)
        self.two = Origin(lambda request: [self.later, ok(b"two")] if request.target == "/later" else ok(b"two"))
        self.port = free_port()
        document = site(self.port, address or self.one.address)
        document["upstreams"]["app"]["targets"]["two"] = {"address": self.two.address, "backup": True}
        document["defaults"] = defaults
        self.proxyd = AdminProxyd(document, workers=workers)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.never.set()
        self.later.set()
        self.proxyd.nothing_undocumented() if not what[0] else print(self.proxyd.logs())
        self.proxyd.stop()
        self.one.stop()
        self.two.stop()

    def in_flight(self, place):
        return self.proxyd.root("GET", place).json["in_flight"]

    def begin(self, octets, place=ONE):
        """A request that has come to its target."""
        before = self.in_flight(place)
        client = Client(self.port, timeout=20)
        client.send(octets)
        eventually(lambda: self.in_flight(place) == before + 1)
        return client

    @contextlib.contextmanager
    def rehearsal(self):
        """A removal whose drain is over and that is being looked into, which lasts as long as a worker is silent: not the
        one that has the request. Gives the operation's place."""
        busy = self.proxyd.root("GET", ONE).json["in_flight_by_worker"][0]["slot"]
        silent = next(worker["pid"] for worker in self.proxyd.workers() if worker["slot"] != busy)
        begun = self.proxyd.root("DELETE", ONE + "?drain=2s")
        assert begun.status == 202, begun
        os.kill(silent, signal.SIGSTOP)
        try:
            eventually(lambda: self.proxyd.root("GET", begun.fields["Location"]).json["progress"].get("step") == "rehearsal")
            yield begun.fields["Location"]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(silent, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_what_has_not_ended_when_a_target_is_removed_is_cut_and_no_client_takes_it_for_whole(tmp_path, kind):
    with World(**({"path": tmp_path / "one"} if kind == "unix" else {})) as world, contextlib.ExitStack() as ending:
        def begin(*request):
            return ending.enter_context(world.begin(*request))

        assert world.proxyd.root("POST", ONE + ":maintenance", {}).status == 200
        elsewhere = begin(get(b"/later"), TWO)
        assert world.proxyd.root("POST", ONE + ":ready", {}).status == 200
        lasting = {path: begin(get(path.encode(), *(UPGRADE if "tunnel" in path else ()))) for path in LASTING}
        for path, client in lasting.items():
            assert client.head()[0] == (101 if "tunnel" in path else 200), path
        waiting = begin(get(b"/silent"))
        unsafe = begin(b"POST /silent HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc")
        sending = begin(b"POST /silent HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\nabc")
        removed = world.proxyd.root("DELETE", ONE + "?drain=100ms&wait=20s")
        assert removed.status == 200 and removed.json["cut"] == len(lasting) + 3 and removed.json["in_flight"] == 0, removed
        assert removed.json["changes"][0]["op"] == "remove" and world.proxyd.root("GET", ONE).status == 404
        for path, client in lasting.items():
            with pytest.raises(Closed):
                client.exactly(len(MANY))
            assert not client.buffer.endswith(b"\r\n0\r\n\r\n"), path
        assert waiting.response().body == b"two", "what may be sent again is, to another target"
        assert unsafe.response().status == 502 and sending.response().status == 502
        assert world.proxyd.metric("proxyd_upstream_in_flight", target="one") == 0
        world.later.set()
        assert elsewhere.response().body == b"two"


def test_a_request_that_still_connects_is_cut_and_goes_elsewhere():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as ending:
        def fill():
            probe = ending.enter_context(socket.socket())
            probe.settimeout(0.3)
            return probe.connect_ex(full.getsockname()) != 0

        eventually(fill, what="a queue that is full")
        with World(address=f"127.0.0.1:{full.getsockname()[1]}", defaults={"timeouts": {"connect": "1h"}}) as world, world.begin(get()) as client:
            removed = world.proxyd.root("DELETE", ONE + "?drain=100ms&wait=20s")
            assert removed.status == 200 and removed.json["cut"] == 1 and removed.json["in_flight"] == 0, removed
            assert client.response().body == b"two"


def test_what_a_draining_worker_still_does_at_a_target_is_cut_too():
    with World(workers=1) as world, world.begin(get(b"/length")) as client:
        pid = world.proxyd.pids()[0]
        assert world.proxyd.root("POST", "/api/v1/workers/0:restart").status == 202
        eventually(lambda: {worker["state"] for worker in world.proxyd.workers() if worker["pid"] == pid} == {"draining"})
        removed = world.proxyd.root("DELETE", ONE + "?drain=100ms&wait=20s")
        assert removed.status == 200 and removed.json["cut"] == 1 and removed.json["in_flight"] == 0, removed
        with pytest.raises(Closed):
            client.response()


def test_nothing_is_cut_for_a_removal_that_would_fail():
    with World() as world:
        tag = world.proxyd.root("GET", ONE).fields["ETag"]
        with world.begin(get(b"/length")) as client:
            begun = world.proxyd.root("DELETE", ONE + "?drain=8s", If_Match=tag)
            assert begun.status == 202
            assert world.proxyd.root("PATCH", ONE, {"weight": 7}).status == 200
            over = world.proxyd.root("GET", begun.fields["Location"] + "?wait=20s").json
            assert over["state"] == "failed" and "cut" not in over["result"], over
            assert world.proxyd.root("GET", ONE).json["state"] == "up" and world.in_flight(ONE) == 1
            assert client.head()[0] == 200


def test_a_removal_that_is_cancelled_while_it_is_looked_into_cuts_nothing():
    with World() as world, world.begin(get(b"/whole")) as client:
        with world.rehearsal() as place:
            cancelled = world.proxyd.root("POST", place + ":cancel").json
        assert cancelled["state"] == "cancelled" and cancelled["result"] == {"cancelled": True}, cancelled
        assert world.proxyd.root("GET", ONE).json["state"] == "up" and world.in_flight(ONE) == 1
        world.never.set()
        assert client.response().body == b"partrest"


def test_what_ends_by_itself_while_a_removal_is_looked_into_was_not_cut():
    with World() as world, world.begin(get(b"/whole")) as client:
        with world.rehearsal() as place:
            world.never.set()
            assert client.response().body == b"partrest"
            eventually(lambda: world.in_flight(ONE) == 0)
        over = world.proxyd.root("GET", place + "?wait=20s").json
        assert over["state"] == "done" and over["result"]["cut"] == 0 and over["result"]["in_flight"] == 0, over


def test_a_target_that_is_to_be_kept_is_when_it_is_not_idle_in_time():
    with World() as world, world.begin(get(b"/whole")) as client:
        assert world.proxyd.root("DELETE", ONE + "?keep=true&force=true").type == "malformed"
        kept = world.proxyd.root("DELETE", ONE + "?drain=100ms&keep=true&wait=20s")
        assert kept.status == 409 and kept.type == "not-drained" and kept.json["in_flight"] == 1, kept
        assert world.proxyd.root("GET", ONE).json["state"] == "draining" and world.in_flight(ONE) == 1
        world.never.set()
        assert client.response().body == b"partrest"
        assert world.proxyd.root("DELETE", ONE + "?drain=10s&keep=true&wait=20s").json["cut"] == 0


def test_a_removal_by_force_cuts_at_once_and_counts():
    with World() as world, world.begin(get(b"/length")) as download, world.begin(get(b"/tunnel", *UPGRADE)):
        removed = world.proxyd.proxyctl("upstream", "target", "remove", "app", "one", "--force", "--yes", "-o", "json")
        assert removed.returncode == 9 and "2 requests were cut, as --force does" in removed.stderr, removed
        answer = json.loads(removed.stdout)
        assert answer["cut"] == 2 and answer["in_flight"] == 0 and answer["changes"][0]["op"] == "remove", answer
        with pytest.raises(Closed):
            download.response()


def test_proxyctl_says_how_many_requests_a_removal_cut_and_with_keep_cuts_none():
    with World() as world, world.begin(get(b"/length")) as download, world.begin(get(b"/tunnel", *UPGRADE)) as tunnel:
        remove = ["upstream", "target", "remove", "app", "one", "--drain", "200ms", "--yes"]
        kept = world.proxyd.proxyctl(*remove, "--keep")
        assert kept.returncode == 8 and "is kept, draining: after 200ms there are still 2 requests in flight" in kept.stderr, kept
        assert world.in_flight(ONE) == 2
        removed = world.proxyd.proxyctl(*remove, "-o", "json")
        assert removed.returncode == 9 and "2 requests were cut, not ended after 200ms" in removed.stderr, removed
        assert json.loads(removed.stdout)["cut"] == 2
        with pytest.raises(Closed):
            download.response()
        assert tunnel.head()[0] == 101 and tunnel.exactly(4) == b"part" and tunnel.is_closed()
