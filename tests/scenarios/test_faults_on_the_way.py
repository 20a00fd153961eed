"""Origins that die, reset and answer early; clients that go away. Nothing is left behind, and nobody is misled."""
import os
import resource
import signal
import socket
import subprocess
import threading

import pytest
from bulk import BulkOrigin
from client import Client, Closed, get
from nginx import Nginx
from origin import Origin, ok
from process import descriptors
from proxyd import Proxyd, eventually, free_port, paced, site

MIB = 1 << 20
UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def at_rest(proxyd):
    return proxyd.metric("proxyd_upstream_in_flight") == 0 and proxyd.api("GET", "/api/v1/status")[1]["in_flight"] == 0


class Load:
    """Clients that ask without pause and count the statuses they get; a response that is not whole counts as None."""

    def __init__(self, port, expected, clients=4):
        self.port, self.expected, self.stopping = port, expected, threading.Event()
        self.counts, self.lock = {}, threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        client = Client(self.port)
        while not self.stopping.is_set():
            client.send(get(b"/file"))
            try:
                response = client.response()
                status = response.status if response.status != 200 or response.body == self.expected else "wrong"
            except Closed:
                status = None
            if status is None or response.value("Connection") == "close":
                client.socket.close()
                client = Client(self.port)
            with self.lock:
                self.counts[status] = self.counts.get(status, 0) + 1
        client.socket.close()

    def more(self, status, count=100):
        """Waits for so many more of them."""
        goal = self.counts.get(status, 0) + count
        eventually(lambda: self.counts.get(status, 0) >= goal, 20, f"{count} more of {status}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def test_an_origin_that_is_killed_and_started_again_under_load_costs_no_wrong_answer(tmp_path):
    port, content = free_port(), bytes(range(256)) * 400
    (tmp_path / "file").write_bytes(content)
    with Nginx(f"root {tmp_path};") as nginx, Proxyd(site(port, nginx.address), workers=2) as proxyd:
        with Load(port, content) as load:
            for _ in range(3):
                load.more(200)
                nginx.kill()
                load.more(502, 20)
                nginx.start()
                load.more(200)
        assert set(load.counts) <= {200, 502, None}, load.counts
        assert load.counts.get(None, 0) <= 3 * 4, load.counts   # at most what each client had under way at each kill
        eventually(lambda: at_rest(proxyd))
        assert proxyd.metric("proxyd_process_restarts_total") == 0


def test_a_connection_whose_idle_time_ends_is_not_pulled_away_from_a_request(world):
    proxyd, origin, port = world
    document = site(port, origin.address)
    document["upstreams"]["app"]["keepalive"] = {"idle_timeout": "1ms"}
    proxyd.apply(document)
    pids = proxyd.pids()
    with Load(port, b"path=/file body=") as load:
        load.more(200, 5000)
    assert set(load.counts) == {200}, load.counts
    assert proxyd.pids() == pids


def test_workers_that_are_killed_under_load_cost_what_they_had_under_way_and_leave_no_count():
    origin, port, kills, clients = Origin(), free_port(), 3, 8
    with Proxyd(site(port, origin.address), workers=3) as proxyd:
        with Load(port, b"path=/file body=", clients) as load:
            for _ in range(kills):
                load.more(200)
                victim = proxyd.pids()[0]
                os.kill(victim, signal.SIGKILL)
                eventually(lambda: len(proxyd.pids()) == 3 and victim not in proxyd.pids())
            load.more(200)
        assert set(load.counts) <= {200, None} and load.counts.get(None, 0) <= kills * clients, load.counts
        eventually(lambda: at_rest(proxyd) and proxyd.metric("proxyd_downstream_connections") == 0)
        connections = lambda: proxyd.api("GET", "/api/v1/upstreams")[1]["items"][0]["targets"][0]["connections"]   # noqa: E731
        eventually(lambda: connections() == origin.open, what="a count of the connections that there are")
    origin.stop()


def test_one_of_two_origins_may_be_killed_under_load(tmp_path):
    port, content = free_port(), bytes(range(256)) * 4
    (tmp_path / "file").write_bytes(content)
    with Nginx(f"root {tmp_path};") as first, Nginx(f"root {tmp_path};") as second:
        for balance in ("round_robin", "p2c"):
            document = site(port, first.address)
            document["upstreams"]["app"] = {"balance": balance, "targets": {"a": {"address": first.address}, "b": {"address": second.address}}}
            with Proxyd(document, workers=2) as proxyd:
                with Load(port, content) as load:
                    for nginx in (first, second):
                        load.more(200)
                        nginx.kill()
                        load.more(200)
                        nginx.start()
                        load.more(200)
                assert set(load.counts) <= {200, None} and load.counts.get(None, 0) <= 8, load.counts
                assert proxyd.metric("proxyd_upstream_retries_total") > 0


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nF4240\r\n"],
                         ids=["length", "chunked"])
@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_response_that_breaks_off_is_an_error_to_curl(world, head, end):
    proxyd, origin, port = world
    origin.answer = lambda request: [head + b"x" * 300_000, end]
    for version in ("--http1.1", "--http1.0"):
        done = subprocess.run(["curl", "-sS", version, "-o", "/dev/null", f"http://127.0.0.1:{port}/"], timeout=30, capture_output=True)
        assert done.returncode in (18, 56), (version, done)
    eventually(lambda: at_rest(proxyd))
    assert proxyd.metric("proxyd_upstream_errors_total") >= 1


@pytest.mark.parametrize("end, whole", [("close", True), ("reset", False)])
def test_content_that_goes_until_close_is_whole_only_after_a_clean_end_rfc9112_6_3(world, end, whole):
    proxyd, origin, port = world
    content, go_on = b"x" * 300_000, threading.Event()
    origin.answer = lambda request: [b"HTTP/1.0 200 OK\r\n\r\n" + content, go_on, end]
    with Client(port) as client:
        client.send(get(b"/"))
        _, fields = client.head()
        assert ("Transfer-Encoding", "chunked") in fields
        while client.buffer.count(b"x") < len(content):
            client._more()
        go_on.set()
        if whole:
            while not client.buffer.endswith(b"\r\n0\r\n\r\n"):
                client._more()
        else:
            with pytest.raises(Closed) as closed:
                while True:
                    client._more()
            assert not closed.value.args[0].endswith(b"\r\n0\r\n\r\n")
    eventually(lambda: at_rest(proxyd))


def test_a_worker_without_descriptors_copies_what_it_cannot_splice(world):
    """Downloads that nobody reads hold the pipes there are, and no more can be made. All is done once before that, since
    UBSan makes a pipe of its own to look at a type it sees for the first time."""
    proxyd, origin, port = world
    pid, content = proxyd.pids()[0], b"x" * 5_000_000
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    origin.answer = lambda request: {"/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed,
                                     "/endless": ok(content * 6), "/small": ok()}.get(request.target) or ok(request.body or content)
    with Client(port) as client:
        def transfers(target):
            client.send(get(target))
            assert client.response().body == content
            framing = b"Transfer-Encoding: chunked\r\n\r\n" + framed if target == b"/chunked" else b"Content-Length: 5000000\r\n\r\n" + content
            client.send(b"POST " + target + b" HTTP/1.1\r\nHost: a.test\r\n" + framing)
            assert client.response().body == content

        transfers(b"/chunked")
        transfers(b"/known")
        pipes = descriptors(pid, "pipe:")
        assert pipes >= 2, "it splices"
        readers = [Client(port) for _ in range(pipes // 2)]
        for reader in readers:
            reader.send(get(b"/endless"))
        moved = [-1]

        def at_rest():
            moved.append(proxyd.metric("proxyd_http_response_bytes_total"))
            return moved[-1] == moved[-2] and moved[-1] > 0

        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == len(readers))
        eventually(at_rest)
        client.send(get(b"/small"))   # leaves a connection to the origin for what follows
        assert client.response().status == 200
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, limits[1]))
        for _ in paced(0.5, 3):   # the worker looks for new connections each second, and lets go of none of these for it
            transfers(b"/known")
        assert descriptors(pid, "pipe:") == pipes
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        for reader in readers:
            assert reader.response().body == content * 6
            reader.socket.close()


@pytest.mark.parametrize("end", ["keep", "close", "reset"])
def test_an_origin_that_answers_before_the_upload_is_read_is_heard_rfc9112_9_3(world, end):
    proxyd, origin, port = world
    answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large"
    origin.early = lambda request: [answer, {"keep": threading.Event()}.get(end, end), "close"]
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50000000\r\n\r\n")
        sender = threading.Thread(target=client.send, args=[b"x" * MIB] * 50)
        sender.start()
        if end == "reset":   # what the kernel had of the answer may be lost with the connection
            response = client.response()
            assert response.status in (413, 502)
        else:
            response = client.response()
            assert (response.status, response.body) == (413, b"too large")
        assert response.value("Connection") == "close"
        sender.join()
    eventually(lambda: at_rest(proxyd))


def test_a_client_that_reads_only_once_the_buffers_are_full_hears_an_early_answer_too_rfc9112_9_6(world):
    _, origin, port = world
    origin.early = lambda request: [b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large", "close"]
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50000000\r\n\r\n")
        eventually(lambda: client.socket.recv(1, socket.MSG_PEEK))
        client.socket.sendall(b"x" * 8 * MIB)
        response = client.response()
        assert (response.status, response.body) == (413, b"too large")


def test_an_origin_that_answers_while_it_reads_gets_the_rest_of_the_upload(world):
    _, origin, port = world
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"

    def answer(request):
        yield head
        yield "rest"
        yield b"6\r\nsecond\r\n0\r\n\r\n"

    origin.early = answer
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3000000\r\n\r\n", b"x" * 1_000_000)
        assert client.head()[0] == 200
        client.exactly(len(b"5\r\nfirst\r\n"))
        client.send(b"x" * 2_000_000)
        assert client.exactly(len(b"6\r\nsecond\r\n0\r\n\r\n")).startswith(b"6\r\nsecond")


def abort(client, how):
    if how == "reset":
        client.reset()
    else:
        client.socket.close()


@pytest.mark.parametrize("end", [b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", b"POST / HTTP/1.0\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc"])
def test_a_client_that_closes_its_side_gets_its_whole_answer(world, end):
    _, origin, port = world
    content = bytes(range(256)) * 100_000
    origin.answer = lambda request: ok(content)
    with Client(port) as client:
        client.send(end)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.response().body == content


def test_a_tunnel_may_be_closed_on_one_side(world):
    proxyd, origin, port = world
    origin.early = lambda request: [SWITCHED, "end", b"bye", "close"]
    with Client(port) as client:
        client.send(get(b"/", *UPGRADE))
        assert client.head()[0] == 101
        client.socket.shutdown(socket.SHUT_WR)
        assert client.exactly(3) == b"bye" and client.is_closed()
    eventually(lambda: at_rest(proxyd))


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("kind", ["download", "chunked download", "upload", "chunked upload", "waiting", "tunnel"])
def test_a_client_that_goes_away_ends_the_upstream_request(world, kind, how):
    proxyd, origin, port = world
    never = threading.Event()
    lasting = {"download": b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000_000,
               "chunked download": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5F5E100\r\n" + b"x" * 100_000_000,
               "tunnel": SWITCHED + b"hello"}
    last = "end" if kind == "tunnel" else never
    origin.early = lambda request: [lasting[kind], last, "close"] if kind in lasting else [never] if kind == "waiting" else None
    opening = {"upload": b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 200_000,
               "chunked upload": b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\nF4240\r\n" + b"x" * 200_000,
               "tunnel": get(b"/", *UPGRADE)}
    client = Client(port)
    client.send(opening.get(kind, get(b"/")))
    if kind in lasting:
        assert client.head()[0] in (101, 200)
    eventually(lambda: origin.open == 1 and proxyd.metric("proxyd_upstream_in_flight") == 1)
    abort(client, how)
    eventually(lambda: at_rest(proxyd), 10, "the end of the request")
    never.set()
    eventually(lambda: origin.open == 0, 5, "the end of the upstream connection")


def test_a_thousand_requests_that_are_abandoned_leave_no_descriptor():
    origin, port = BulkOrigin(), free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        pid = proxyd.pids()[0]

        def abandon(number):
            how, client = ("reset", "close")[number % 2], Client(port)
            kind = number % 4 // 2
            if number % 8 < 4:
                client.send(get((b"/length/1000000000", b"/chunked/1000000000")[kind]))
                client.head()
            else:
                framing = (b"Content-Length: 1000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n989680\r\n")[kind]
                client.send(b"PUT /x HTTP/1.1\r\nHost: a.test\r\n" + framing + b"x" * 100_000)
            abort(client, how)

        for number in range(8):
            abandon(number)
        eventually(lambda: at_rest(proxyd))
        before = eventually(lambda: descriptors(pid))
        for number in range(1000):
            abandon(number)
        eventually(lambda: at_rest(proxyd))
        eventually(lambda: descriptors(pid) <= before, what=f"at most {before} sockets")
        assert proxyd.workers()[0]["connections"] == 0
        assert proxyd.pids() == [pid]
    origin.stop()
