"""The rows of bad-input.tsv about what runs short, each with the outcome named there."""
import os
import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from client import Client, Closed, get, status_of
from origin import Origin, ok
from process import private_memory
from proxyd import Proxyd, eventually, free_port, paced, site


@pytest.mark.rows("RS-002")
def test_clients_that_read_an_octet_now_and_then_are_cut_and_cost_little_memory():
    size, port = 10_000_000, free_port()
    origin = Origin(lambda request: ok(b"x" * size))
    document = site(port, origin.address)
    document["defaults"] = {"timeouts": {"client_write": "1s"}}
    with Proxyd(document) as proxyd:
        Client(port).send(get(b"/"))
        pid, clients = proxyd.pids()[0], [Client(port) for _ in range(30)]
        before = private_memory(pid)
        for client in clients:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.send(get(b"/"))
        eventually(lambda: proxyd.metric("proxyd_timeout_total", phase="client_write") >= 30, 20)
        assert private_memory(pid) - before < 30 * 512 * 1024
        for client in clients:
            with pytest.raises(Closed):
                client.response()


@pytest.mark.rows("RS-002")
def test_a_client_that_reads_slowly_but_steadily_is_served_to_the_end():
    body, port = bytes(range(256)) * 8000, free_port()
    origin = Origin(lambda request: ok(body))
    document = site(port, origin.address)
    document["defaults"] = {"timeouts": {"client_write": "2s"}}
    with Proxyd(document) as proxyd, Client(port, timeout=30) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        client.send(get(b"/"))
        client.head()
        received = client.buffer
        for _ in paced(0.1, 25):   # at some 80 kB/s for longer than the deadline; 256 B/s would do
            received += client.socket.recv(8192)
        while len(received) < len(body) and (more := client.socket.recv(65536)):
            received += more
        assert received == body
        assert proxyd.metric("proxyd_timeout_total", phase="client_write") == 0


@pytest.mark.rows("RS-003")
def test_clients_that_post_an_octet_now_and_then_get_408_and_the_origin_is_let_go():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["defaults"] = {"timeouts": {"client_body": "1s"}}
    with Proxyd(document) as proxyd:
        clients, stop = [Client(port) for _ in range(30)], threading.Event()
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n")

        def trickle():
            for _ in paced(0.05, until=stop):
                for client in clients:
                    client.send(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        eventually(lambda: proxyd.metric("proxyd_timeout_total", phase="client_body") == 30, 20)
        stop.set()
        thread.join()
        for client in clients:
            assert client.response().status == 408
        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)
        assert not origin.requests   # none was ever whole


@pytest.mark.rows("RS-007")
def test_clients_that_reset_before_they_are_accepted_stop_nobody():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        os.kill(proxyd.pids()[0], 19)   # SIGSTOP: what comes now waits in the queue
        try:
            for _ in range(50):
                Client(port).reset()
            last = Client(port)
            last.send(get(b"/"))
        finally:
            os.kill(proxyd.pids()[0], 18)
        assert last.response().status == 200
        assert proxyd.metric("proxyd_process_restarts_total") == 0


@pytest.mark.rows("RS-008")
def test_without_a_local_port_left_the_answer_is_503_and_service_goes_on_later():
    script = Path(__file__).resolve().parent / "without_ports.py"
    probe = subprocess.run(["unshare", "--net", "--map-root-user", "true"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("this machine allows no network namespace: " + probe.stderr.decode())
    done = subprocess.run(["unshare", "--net", "--map-root-user", sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.rows("RS-009")
@pytest.mark.parametrize("route", ["respond", "upstream"])
def test_a_client_that_pipelines_thousands_of_requests_lets_others_through(route):
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["hosts"]["all"]["routes"].insert(0, {"name": "fixed", "match": {"path": "/respond"}, "respond": {}})
    some, most, sent, seen, enough, done = 100, 2000, [0], [0], threading.Event(), threading.Event()
    room = threading.Semaphore(most // some)   # so many wait for their answers at any time
    with Proxyd(document), Client(port, timeout=60) as greedy, Client(port, timeout=60) as modest:
        def send():
            while not enough.is_set():
                room.acquire()
                sent[0] += some
                greedy.send(get(b"/" + route.encode()) * some)
            greedy.socket.shutdown(socket.SHUT_WR)

        def read():
            while got := greedy.socket.recv(1 << 20):
                greedy.buffer = greedy.buffer[-11:] + got
                before, seen[0] = seen[0], seen[0] + greedy.buffer.count(b"HTTP/1.1 200")
                for _ in range(seen[0] // some - before // some):
                    room.release()
            done.set()

        for one in (send, read):
            threading.Thread(target=one, daemon=True).start()
        eventually(lambda: sent[0] >= most and seen[0] > 0)
        for _ in range(3):   # while the other never ends
            modest.send(get(b"/respond"))
            assert modest.response().status == 200
        enough.set()
        assert done.wait(60) and seen[0] == sent[0]


@pytest.mark.rows("RS-010")
def test_when_a_listener_is_full_the_connection_idle_for_longest_makes_room():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["listeners"]["main"]["max_connections"] = 20
    with Proxyd(document):
        clients = [Client(port) for _ in range(20)]
        for client in clients:
            client.send(get(b"/"))
            assert client.response().status == 200
        with Client(port) as late:
            late.send(get(b"/"))
            assert late.response().status == 200
        assert clients[0].is_closed()
        clients[-1].send(get(b"/"))
        assert clients[-1].response().status == 200


@pytest.mark.rows("RS-010")
def test_without_a_descriptor_left_the_connection_idle_for_longest_makes_room():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        pid = proxyd.pids()[0]
        with Client(port) as first:
            first.send(get(b"/"))
            assert first.response().status == 200
        eventually(lambda: proxyd.workers()[0]["connections"] == 0)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 12, most))
        clients = [Client(port) for _ in range(30)]
        assert clients[0].is_closed()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 100, most))
        clients[-1].send(get(b"/"))
        assert clients[-1].response().status == 200
        assert proxyd.metric("proxyd_accept_errors_total", reason="descriptors") > 0


@pytest.mark.rows("RS-014")
def test_a_full_disk_drops_lines_of_the_access_log_counts_them_and_serves_on():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["logging"] = {"access": [{"to": "file", "file": "/dev/full"}]}
    with Proxyd(document) as proxyd, Client(port) as client:
        for _ in range(50):
            client.send(get(b"/"))
            assert client.response().status == 200
        eventually(lambda: proxyd.metric("proxyd_access_log_dropped_total") == 50)


@pytest.mark.rows("RS-015")
def test_a_reader_of_the_log_that_stands_still_stops_no_request(tmp_path):
    origin, port, fifo = Origin(), free_port(), str(tmp_path / "pipe")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    document = site(port, origin.address)
    document["hosts"]["all"]["routes"].insert(0, {"name": "fixed", "match": {"path_prefix": "/f"}, "respond": {}})
    document["logging"] = {"access": [{"to": "file", "file": fifo}]}
    with Proxyd(document) as proxyd, Client(port, timeout=30) as client:
        path = b"/f" + b"x" * 4000
        for _ in range(8):   # 400 kB of log: more than the pipe and the worker's buffer hold
            client.send(get(path) * 25)
            for _ in range(25):
                assert client.response().status == 200
        dropped = eventually(lambda: proxyd.metric("proxyd_access_log_dropped_total"))
        kept = eventually(lambda: _drain(reader, 200 - dropped), what="the lines that were kept")
        assert kept == 200 - dropped
    os.close(reader)


def _drain(reader, lines, seen=bytearray()):
    try:
        while got := os.read(reader, 1 << 20):
            seen += got
    except BlockingIOError:
        pass
    return seen.count(b"\n") if seen.count(b"\n") >= lines else 0


@pytest.mark.rows("RS-025")
def test_content_of_requests_is_passed_as_it_came_whatever_its_coding():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address)), Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\n\xff\x00\x01\x02\x03")
        assert client.response().status == 200
    assert origin.requests[0].body == b"\xff\x00\x01\x02\x03" and origin.requests[0].values("Content-Encoding") == ["br"]


@pytest.mark.rows("AD-034")
@pytest.mark.parametrize("log_format", ["json", "combined"])
def test_nothing_a_client_sends_makes_a_second_line_of_the_log(log_format, tmp_path):
    origin, port, log = Origin(), free_port(), tmp_path / "access.log"
    document = site(port, origin.address)
    document["logging"] = {"access": [{"to": "file", "file": str(log), "format": log_format}]}
    with Proxyd(document), Client(port) as client:
        client.send(get(b"/a\"b?q=%0d%0aforged", b'User-Agent: x" 200\\', b"Referer: \xff\xfe", b"X-Request-Id: <script>"))
        assert client.response().status == 200
        line = eventually(lambda: log.read_bytes())
    assert line.count(b"\n") == 1 and all(0x20 <= c < 0x7F for c in line[:-1])


@pytest.mark.rows("RS-017")
def test_a_worker_that_stands_still_is_ended_and_replaced_while_others_serve():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        before = proxyd.pids()
        os.kill(before[0], 19)
        eventually(lambda: before[0] not in proxyd.pids() and len(proxyd.pids()) == 2, 20, "the end of the stopped worker")
        assert before[1] in proxyd.pids()
        assert status_of(port) == 200


@pytest.mark.rows("RS-019")
def test_a_worker_that_dies_again_and_again_rests_and_the_others_serve_on():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        def second():
            return next(worker for worker in proxyd.workers() if worker["slot"] == 1)

        pid = 0
        for _ in range(6):
            pid = eventually(lambda: (worker := second())["state"] == "running" and worker["pid"] != pid and worker["pid"])
            os.kill(pid, 9)
        eventually(lambda: second()["state"] == "resting")
        status, text = proxyd.api("GET", "/readyz", parse=False)
        assert status == 200 and "degraded" in text
        assert proxyd.api("GET", "/api/v1/status")[1]["attention"]
        assert status_of(port) == 200


@pytest.mark.rows("RS-023")
def test_a_storm_of_changes_replaces_no_worker_and_the_last_one_holds():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    with Proxyd(document, workers=2) as proxyd:
        before, failures = proxyd.pids(), []

        def change(number):
            for i in range(10):
                changed = {**document, "defaults": {"timeouts": {"connect": f"{number * 100 + i + 1}s"}}}
                if proxyd.api("PUT", "/api/v1/config", changed)[0] not in (200, 503):
                    failures.append((number, i))

        threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        proxyd.apply({**document, "defaults": {"timeouts": {"connect": "9s"}}})
        assert not failures and proxyd.pids() == before
        assert proxyd.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "9s"
        assert status_of(port) == 200
