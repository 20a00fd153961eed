"""What clients and origins send to make a proxy lie, work in vain or wait: each seen from outside."""
import contextlib
import threading

import pytest
from client import Client, exchange, get
from origin import Listener, Origin, ok
from proxyd import Proxyd, eventually, free_port, site


@pytest.fixture(scope="module")
def strange():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["defaults"] = {"limits": {"header_count": "off"}}
    with Proxyd(document) as proxyd:
        yield proxyd, origin, port
    origin.stop()


def test_a_host_cannot_say_whom_a_request_is_from_rfc7239_4(strange):
    _, origin, port = strange
    assert exchange(port, get(host=b"x;for=9.9.9.9;by=evil")).status == 200
    assert origin.requests[-1].values("Forwarded") == ['for=127.0.0.1;host="x;for=9.9.9.9;by=evil";proto=http']


def test_forwarding_fields_of_a_stranger_do_not_pass_whatever_their_name_rfc7239_8_1(strange):
    _, origin, port = strange
    assert exchange(port, get(b"/", b"X-Forwarded-User: admin", b"x-forwarded-ssl: on", b"X-Forwarded: 1")).status == 200
    names = {name.lower() for name, _ in origin.requests[-1].fields}
    assert not names & {"x-forwarded-user", "x-forwarded-ssl"}
    assert "x-forwarded-for" in names and "x-forwarded" in names


@pytest.mark.parametrize("count, status", [(64, 200), (65, 431)])
def test_connection_names_at_most_64_fields_that_have_to_be_looked_for_rfc9110_7_6_1(strange, count, status):
    _, _, port = strange
    options = b", ".join(b"X-%d" % i for i in range(count))
    assert exchange(port, get(b"/", b"Connection: close, keep-alive, cookie, " + options)).status == status


def test_an_origin_that_names_too_many_fields_in_connection_is_refused_rfc9110_7_6_1(strange):
    _, origin, port = strange
    origin.answer = lambda request: ok(b"x", b"Connection: " + b", ".join(b"X-%d" % i for i in range(65)))
    assert exchange(port, get()).status == 502
    origin.answer = lambda request: ok(b"x", b"Connection: X-One, x-two", b"X-One: 1", b"X-Two: 2", b"X-Three: 3")
    answer = exchange(port, get())
    assert [answer.value(name) for name in ("X-One", "X-Two", "X-Three")] == [None, None, "3"]
    origin.answer = lambda request: ok()


def test_more_fields_than_fit_get_an_answer_where_the_document_sets_no_limit_rfc6585_5(strange):
    proxyd, _, port = strange
    assert exchange(port, get(b"/", *[b"a: b"] * 900)).status == 200
    assert exchange(port, get(b"/", *[b"a: b"] * 1100)).status == 431
    assert proxyd.metric("proxyd_unhandled_exceptions_total") == 0


def test_an_interim_answer_has_no_length_rfc9110_8_6(strange):
    _, origin, port = strange
    origin.answer = lambda request: b"HTTP/1.1 103 Early Hints\r\nContent-Length: 77\r\nLink: </a>\r\n\r\n" + ok(b"done")
    with Client(port) as client:
        client.send(get())
        interim = client.response(interim=True)
        assert interim.status == 103 and interim.value("Link") == "</a>" and interim.value("Content-Length") is None
        assert client.response().body == b"done"
    origin.answer = lambda request: ok()


@contextlib.contextmanager
def an_upload_answered_early(answer):
    """A client in the middle of chunked content whose origin has said `answer` already, and reads on."""
    answered, port = threading.Event(), free_port()

    def serve(connection):
        connection.recv(65536)
        connection.sendall(answer)
        answered.set()
        while connection.recv(65536):
            pass

    listener = Listener(serve)
    with Proxyd(site(port, listener.address)) as proxyd, Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        assert answered.wait(10)
        yield client
        eventually(lambda: proxyd.metric("proxyd_h1_reject_total", reason="chunk_size") == 1)
    listener.stop()


def test_content_that_breaks_off_while_the_origin_has_begun_a_head_is_refused_rfc9112_7_1():
    with an_upload_answered_early(b"HTTP/1.1 2") as client:
        client.send(b"zz\r\n")
        assert client.response().status == 400


def test_content_that_breaks_off_beside_its_answer_ends_both_and_is_counted_rfc9112_7_1():
    with an_upload_answered_early(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") as client:
        assert client.head()[0] == 200
        client.send(b"zz\r\n")
        assert client.is_closed()
