"""Real processes: what a site's visitors and its operator rely on."""
import hashlib
import os
import signal
import socket
import threading

import pytest
from client import Client, Closed, get, status_of
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site
from tunnel import open_tunnel, tunnel_origin


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def test_large_bodies_pass_both_ways_unchanged(world):
    _, origin, port = world
    body = pattern(30_000_000)
    origin.answer = lambda request: ok(request.body)
    with Client(port, timeout=60) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % len(body))
        threading.Thread(target=client.send, args=(body,)).start()
        assert hashlib.sha256(client.response().body).digest() == hashlib.sha256(body).digest()
        client.send(get(b"/again"))
        assert client.response().status == 200


def test_chunked_content_and_trailers_pass_both_ways_rfc9112_7_1(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n"
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        response = client.response()
        assert response.body == b"hello" and ("X-Sum", "1") in response.trailers
        assert not [t for t in response.trailers if t[0] == "Set-Cookie"]
    assert origin.requests[0].body == b"abc"


@pytest.mark.parametrize("ending", [b"0\r\n\r\n", b"0\r\nX-Sum: 1\r\n\r\n"], ids=["plain", "trailers"])
def test_short_chunks_travel_together_and_stay_in_order_rfc9112_7_1(world, ending):
    _, origin, port = world
    pieces = [pattern(size) for size in [1] * 500 + [3, 100, 9000, 1, 70_000, 2, 8191, 8192, 8193] + list(range(1, 200))]
    content = b"".join(pieces)
    framed = b"".join(b"%x;e=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + ending
    origin.answer = lambda request: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
    for step in (len(framed), 1000, 7):
        with Client(port) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(*(framed[at:at + step] for at in range(0, len(framed), step)))
            response = client.response()
            assert response.body == content and origin.requests[-1].body == content
            assert response.trailers == ([] if ending == b"0\r\n\r\n" else [("X-Sum", "1")]) == origin.requests[-1].trailers
            assert response.chunks < len(pieces) / 2


def test_head_keeps_the_length_and_has_no_content_rfc9110_9_3_2(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with Client(port) as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response("HEAD").value("Content-Length") == "1000"
        origin.answer = lambda request: ok(b"next")
        client.send(get(b"/"))
        assert client.response().body == b"next"


def test_interim_responses_pass_rfc9110_15_2(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok(b"done")
    with Client(port) as client:
        client.send(get(b"/"))
        assert client.head()[0] == 103
        assert client.response().body == b"done"


def test_a_client_that_waits_for_100_is_told_to_go_on_rfc9110_10_1_1(world):
    _, origin, port = world
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.response(interim=True).status == 100
        client.send(b"abc")
        assert client.response().body == b"path=/ body=abc"


@pytest.mark.parametrize("answer, status", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 502),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 502),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 502),
    (b"hello there, no status line\r\n\r\n", 502),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 502),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 502),
], ids=["UP-007", "UP-008", "UP-009", "UP-010", "UP-017", "WS-008", "UP-013"])
def test_a_response_that_makes_no_sense_is_502_and_costs_the_connection(world, answer, status):
    proxyd, origin, port = world
    origin.answer = lambda request: [answer]
    with Client(port) as client:
        client.send(get(b"/"))
        response = client.response()
        assert response.status == status and "http_protocol_error" in response.value("Proxy-Status")
    origin.answer = lambda request: ok()
    assert status_of(port) == 200
    assert origin.connections >= 2


def test_a_response_cut_short_is_never_taken_for_whole_rfc9112_8(world):
    _, origin, port = world
    origin.answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50, "close"]
    with Client(port) as client:
        client.send(get(b"/"))
        with pytest.raises(Closed):
            client.response()


def test_octets_behind_a_response_are_never_used_rfc9112_9_2(world):
    _, origin, port = world
    origin.answer = lambda request: ok(b"one") + ok(b"stolen")
    for _ in range(3):
        with Client(port) as client:
            client.send(get(b"/"))
            assert client.response().body == b"one"


def test_a_refused_target_is_passed_over_for_another():
    origin, port, dead = Origin(), free_port(), free_port()
    document = site(port, origin.address)
    document["upstreams"]["app"] = {"balance": "round_robin", "targets": {"dead": {"address": f"127.0.0.1:{dead}"}, "one": {"address": origin.address}}}
    with Proxyd(document) as proxyd, Client(port) as client:
        for _ in range(10):
            client.send(get(b"/"))
            assert client.response().status == 200
        assert proxyd.metric("proxyd_upstream_retries_total") > 0


def test_no_target_at_all_is_503_with_retry_after():
    port, dead = free_port(), free_port()
    with Proxyd(site(port, f"127.0.0.1:{dead}")) as _, Client(port) as client:
        client.send(get(b"/", b"Accept: text/html"))
        response = client.response()
        assert response.status == 502 and "connection_refused" in response.value("Proxy-Status") and b"<h1>" in response.body


def test_configuration_changes_and_target_churn_lose_nothing():
    origin, echo, port = Origin(), tunnel_origin(), free_port()
    document = site(port, origin.address)
    document["upstreams"]["echo"] = {"targets": {"e": {"address": echo.address}}}
    document["hosts"]["all"]["routes"].insert(0, {"name": "ws", "match": {"path": "/ws"}, "upstream": "echo"})
    with Proxyd(document, workers=2) as proxyd:
        pids, stop, failures, served = proxyd.pids(), threading.Event(), [], [0]
        tunnel = open_tunnel(port)

        def load():
            with Client(port) as client:
                while not stop.is_set():
                    client.send(get(b"/load"))
                    if client.response().status != 200:
                        failures.append(1)
                    served[0] += 1

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(30):
            document["defaults"] = {"timeouts": {"connect": f"{i + 1}s"}}
            proxyd.apply(document)
            assert proxyd.proxyctl("upstream", "target", "add", "app", origin.address, "--id", f"t{i}").returncode == 0
            assert proxyd.proxyctl("upstream", "drain", "app", f"t{i}", "--timeout", "5s").returncode == 0
            assert proxyd.proxyctl("upstream", "target", "remove", "app", f"t{i}", "--yes").returncode == 0
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures and served[0] > 100
        assert proxyd.pids() == pids
        tunnel.send(b"still here")
        assert tunnel.exactly(10) == b"still here"
        tunnel.socket.close()
    echo.stop()


def test_a_worker_that_is_killed_is_replaced_and_others_serve_on():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        before = proxyd.pids()
        os.kill(before[0], signal.SIGKILL)
        assert status_of(port) == 200
        eventually(lambda: len(proxyd.pids()) == 2 and before[0] not in proxyd.pids() and all(w["state"] == "running" for w in proxyd.workers()))
        assert proxyd.metric("proxyd_process_restarts_total") == 1


def test_revisions_survive_a_killed_master_and_workers_leave():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    proxyd = Proxyd(document)
    workers = proxyd.pids()
    proxyd.apply({**document, "defaults": {"timeouts": {"connect": "9s"}}})
    proxyd.process.kill()
    proxyd.process.wait()
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 12, "the workers' end")
    with Proxyd(document, state=proxyd.state) as again:
        assert again.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "9s"
        assert again.api("GET", "/api/v1/revisions")[1]["items"][0]["active"]
        assert "differs" in str(again.api("GET", "/api/v1/status")[1]["attention"])
    proxyd.log.close()
    proxyd.folder.cleanup()


def test_export_and_apply_change_nothing(world):
    proxyd, _, _ = world
    exported = proxyd.proxyctl("export").stdout
    applied = proxyd.proxyctl("apply", "-f", "-", stdin=exported)
    assert applied.returncode == 0 and applied.stdout == "no changes\n"
    assert proxyd.proxyctl("apply", "-f", "-", "--dry-run", stdin=exported).returncode == 0


def test_a_wrong_document_is_refused_with_its_line_and_changes_nothing(world):
    proxyd, _, _ = world
    wrong = proxyd.proxyctl("apply", "-f", "-", stdin="version: 1\nhostz: {}\n")
    assert wrong.returncode == 7 and "2:1: /hostz" in wrong.stderr and "hosts" in wrong.stderr
    assert proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"] == 1


def test_a_listener_that_cannot_bind_rolls_the_change_back(world):
    proxyd, origin, port = world
    with socket.create_server(("127.0.0.1", 0)) as taken:
        document = site(port, origin.address)
        document["listeners"]["more"] = {"address": "127.0.0.1:%d" % taken.getsockname()[1]}
        status, answer = proxyd.api("PUT", "/api/v1/config", document)
    assert status == 422 and answer["type"].endswith("activation-failed")
    assert status_of(port) == 200
    assert proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"] == 1


def test_the_admin_api_refuses_by_the_status_its_table_names(world):
    proxyd, _, _ = world
    for expected, arguments in [
        (404, ("GET", "/api/v1/nothing")), (405, ("DELETE", "/api/v1/status")), (400, ("GET", "/api/v1/status?x=1")),
        (415, ("PUT", "/api/v1/config", "{}", "text/plain")), (400, ("PUT", "/api/v1/config", '{"a":1,"a":2}')),
        (400, ("PUT", "/api/v1/config", "[" * 70 + "]" * 70)), (400, ("PUT", "/api/v1/config", b'{"a":"\xff"}')),
        (422, ("PUT", "/api/v1/config", '{"version":1,"hosts":{"x y":{"names":["a"]}}}')),
        (404, ("GET", "/api/v1/%2e%2e/etc/passwd")), (404, ("GET", "/API/V1/upstreams")),
    ]:
        assert proxyd.api(*arguments)[0] == expected, arguments[:2]
    assert proxyd.api("PUT", "/api/v1/config", {"version": 1}, headers={"If-Match": '"r99"'})[0] == 412
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(proxyd.socket)
        raw.sendall(b"PUT /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9437184\r\n\r\n")
        assert raw.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.alone
def test_two_hundred_connections_are_shared_among_four_workers():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address), workers=4) as proxyd:
        clients = [Client(port) for _ in range(200)]
        for client in clients:
            client.send(get(b"/"))
        for client in clients:
            assert client.response().status == 200
        counts = [worker["connections"] for worker in proxyd.workers()]
        assert sum(counts) == 200 and max(counts) <= 75, counts
        for client in clients:
            client.socket.close()


def test_every_request_leaves_one_access_log_record():
    import json
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    with Proxyd({"version": 1}) as probe:
        log = probe.folder.name + "/access.log"
        document["logging"] = {"access": [{"to": "file", "file": log}]}
        probe.apply(document)
        with Client(port) as client:
            client.send(get(b"/x?token=secret&a=1"))
            assert client.response().status == 200
            client.send(b"BAD\r\n\r\n")
            assert client.response().status == 400
        records = eventually(lambda: (lines := open(log).read().splitlines()) and len(lines) == 2 and [json.loads(line) for line in lines])
        assert records[0]["status"] == 200 and records[0]["query"] == "token=REDACTED&a=1" and records[0]["target"] == "one"
        assert records[1]["status"] == 400 and records[1]["route"] == "_rejected"
