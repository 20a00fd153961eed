"""A request's way through the cache, seen from outside: what is served, who fetches, what the origin hears."""
import threading

import pytest
from client import Client, Closed, exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site


@pytest.fixture(scope="module")
def world():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address, cached=True)) as proxyd:
        yield proxyd, origin, port
    origin.stop()


def asked(origin, path):
    return [request for request in origin.requests if request.target == path]


def test_what_the_origin_calls_fresh_is_fetched_once_rfc9111_4_2(world):
    _, origin, port = world
    origin.answer = lambda request: ok(b"content", b"Cache-Control: max-age=60", b"X-Kept: 1")
    first, second = exchange(port, get(b"/once")), exchange(port, get(b"/once"))
    assert first.body == second.body == b"content" and second.value("X-Kept") == "1"
    assert first.value("Age") is None and second.value("Age") == "0" and second.value("Date") == first.value("Date")
    assert "stored" in first.value("Cache-Status") and second.value("Cache-Status").startswith("proxyd; hit; ttl=")
    assert len(asked(origin, "/once")) == 1


def test_head_is_answered_from_what_get_stored_rfc9110_9_3_2(world):
    _, origin, port = world
    origin.answer = lambda request: ok(b"content", b"Cache-Control: max-age=60")
    exchange(port, get(b"/head"))
    head = exchange(port, get(b"/head", method=b"HEAD"), "HEAD")
    assert head.status == 200 and head.value("Content-Length") == "7" and not head.body
    assert len(asked(origin, "/head")) == 1


def test_a_validated_answer_keeps_its_content_rfc9111_4_3_4(world):
    _, origin, port = world

    def answer(request):
        if request.values("If-None-Match") == ['"a"']:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nCache-Control: max-age=60\r\nX-New: 2\r\n\r\n'
        return ok(b"content", b"Cache-Control: max-age=0", b'ETag: "a"', b"X-New: 1")

    origin.answer = answer
    assert [exchange(port, get(b"/valid")).value("X-New") for _ in range(3)] == ["1", "2", "2"]
    assert len(asked(origin, "/valid")) == 2


def test_a_client_that_has_it_is_told_so_without_the_origin_rfc9110_13_1_2(world):
    _, origin, port = world
    origin.answer = lambda request: ok(b"content", b"Cache-Control: max-age=60", b'ETag: "a"')
    exchange(port, get(b"/have"))
    answer = exchange(port, get(b"/have", b'If-None-Match: "b", W/"a"'))
    assert answer.status == 304 and not answer.body and answer.value("ETag") == '"a"' and answer.value("Content-Type") is None
    assert len(asked(origin, "/have")) == 1


@pytest.mark.parametrize("size", [10, 5000, 300_000])
def test_ranges_come_out_of_the_whole_rfc9110_14_2(world, size):
    _, origin, port = world
    content = bytes(i % 251 for i in range(size))
    path = b"/ranges/%d" % size
    origin.answer = lambda request: ok(content, b"Cache-Control: max-age=60", b"Content-Type: a/b")
    part = exchange(port, get(path, b"Range: bytes=2-5"))
    assert (part.status, part.body, part.value("Content-Range")) == (206, content[2:6], f"bytes 2-5/{size}")
    assert asked(origin, path.decode())[0].values("Range") == []
    tail = exchange(port, get(path, b"Range: bytes=-3"))
    assert (tail.status, tail.body) == (206, content[-3:])
    beyond = exchange(port, get(path, b"Range: bytes=%d-" % size))
    assert (beyond.status, beyond.value("Content-Range")) == (416, f"bytes */{size}")
    if size > 1000:
        several = exchange(port, get(path, b"Range: bytes=0-1,900-901"))
        assert several.value("Content-Type").startswith("multipart/byteranges; boundary=")
        assert content[:2] in several.body and content[900:902] in several.body and len(several.body) == int(several.value("Content-Length"))
    assert len(asked(origin, path.decode())) == 1


def test_an_answer_varies_by_what_the_origin_names_rfc9111_4_1(world):
    _, origin, port = world
    origin.answer = lambda request: ok(str(request.values("X-By")).encode(), b"Cache-Control: max-age=60", b"Vary: X-By")
    for _ in range(2):
        for value in (b"1", b"2"):
            assert exchange(port, get(b"/vary", b"X-By: " + value)).body == b"['" + value + b"']"
        assert exchange(port, get(b"/vary")).body == b"[]"
    assert len(asked(origin, "/vary")) == 3


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"M-SEARCH"])
def test_what_changes_a_url_makes_what_is_stored_of_it_unusable_rfc9111_4_4(world, method):
    _, origin, port = world
    path = b"/changed/" + method
    origin.answer = lambda request: ok(b"content", b"Cache-Control: max-age=60")
    for _ in range(2):
        exchange(port, get(path))
    assert exchange(port, get(path, b"Content-Length: 0", method=method)).status == 200
    assert "hit" not in exchange(port, get(path)).value("Cache-Status")
    assert len([request for request in asked(origin, path.decode()) if request.method == "GET"]) == 2


def test_many_who_want_the_same_wait_for_one_fetch(world):
    _, origin, port = world
    go_on = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nCache-Control: max-age=60\r\n\r\n"
    origin.early = lambda request: [head + b"x" * 100_000, go_on, b"y" * 100_000] if request.target == "/many" else None
    clients = [Client(port) for _ in range(20)]
    for client in clients:
        client.send(get(b"/many"))
    for client in clients:   # what is there is handed on before the rest has come
        assert client.head()[0] == 200
        assert client.exactly(100_000) == b"x" * 100_000
    go_on.set()
    for client in clients:
        assert client.exactly(100_000) == b"y" * 100_000
        client.socket.close()
    assert len(asked(origin, "/many")) == 1
    origin.early = lambda request: None


def test_what_may_not_be_stored_does_not_make_others_wait(world):
    _, origin, port = world
    answers, come = [], threading.Event()

    def early(request):
        if request.target != "/private":
            return None
        answers.append(request)
        if len(answers) == 6:
            come.set()
        return ([] if len(answers) == 1 else [come]) + [ok(b"mine", b"Cache-Control: private")]

    origin.early = early
    assert exchange(port, get(b"/private")).body == b"mine"
    clients = [Client(port) for _ in range(5)]
    for client in clients:
        client.send(get(b"/private"))
    for client in clients:
        assert client.response().body == b"mine"
        client.socket.close()
    origin.early = lambda request: None


def test_a_client_that_leaves_does_not_take_the_fetch_from_those_who_follow(world):
    _, origin, port = world
    go_on = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nCache-Control: max-age=60\r\n\r\n"
    origin.early = lambda request: [head + b"x" * 1000, go_on, b"y" * 199_000] if request.target == "/left" else None
    first, second = Client(port), Client(port)
    first.send(get(b"/left"))
    assert first.head()[0] == 200
    second.send(get(b"/left"))
    assert second.head()[0] == 200
    first.reset()
    go_on.set()
    assert second.exactly(200_000) == b"x" * 1000 + b"y" * 199_000
    second.socket.close()
    assert len(asked(origin, "/left")) == 1
    origin.early = lambda request: None


def test_content_that_outgrows_what_may_be_stored_reaches_its_client_whole():
    origin, port = Origin(), free_port()
    content = bytes(range(256)) * 2000
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (content[i:i + 5000] for i in range(0, len(content), 5000)))
    origin.answer = lambda request: head + chunks + b"0\r\n\r\n"
    with Proxyd(site(port, origin.address, cached={"max_object": "100KiB"})) as proxyd:
        for _ in range(2):
            assert exchange(port, get(b"/large")).body == content
        assert len(origin.requests) == 2
        eventually(lambda: proxyd.metric("proxyd_cache_requests_total", result="pass") == 1)
    origin.stop()


def test_an_answer_cut_short_is_not_served_again(world):
    _, origin, port = world
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nCache-Control: max-age=60\r\n\r\n"
    fetched = []
    origin.early = lambda request: [head + b"x" * 50, "close"] if request.target == "/cut" and not fetched.append(1) and len(fetched) == 1 else None
    origin.answer = lambda request: ok(b"whole", b"Cache-Control: max-age=60")
    with Client(port) as client:
        client.send(get(b"/cut"))
        assert client.head()[0] == 200
        with pytest.raises(Closed):
            client.exactly(100)
    assert exchange(port, get(b"/cut")).body == b"whole"
    origin.early = lambda request: None
