"""gRPC through proxyd: a real server behind it and real clients before it, messages of raw octets."""
import concurrent.futures
import itertools
import queue
import threading

import grpc
import pytest
from certificates import Authority
from http2_origin import Http2Origin
from proxyd import Proxyd, StopsAtTheEnd, eventually, free_port, site

OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]


class Service(grpc.GenericRpcHandler):
    def __init__(self):
        self.asked, self.ended, self.gate = [], queue.Queue(), threading.Event()
        kinds = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Down": grpc.unary_stream_rpc_method_handler(self.down),
            "Up": grpc.stream_unary_rpc_method_handler(lambda messages, _: b"".join(messages)),
            "Both": grpc.stream_stream_rpc_method_handler(self.both),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Wait": grpc.unary_unary_rpc_method_handler(self.wait),
            "Leave": grpc.unary_stream_rpc_method_handler(self.leave),
        }
        self.methods = {f"/t.Service/{name}": handler for name, handler in kinds.items()}

    def service(self, details):
        return self.methods.get(details.method)

    def unary(self, message, context):
        context.set_trailing_metadata([("x-trailing", "t"), ("x-octets-bin", b"\0\1\xff")])
        context.send_initial_metadata([("x-initial", dict(context.invocation_metadata()).get("x-sent", ""))])
        return message

    def down(self, message, context):
        for _ in range(int(message)):
            yield b"x" * 1000

    def both(self, messages, context):
        for message in messages:
            yield b"<" + message + b">"

    def fail(self, message, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "50 % done: ü")

    def wait(self, message, context):
        self.asked.append(context.time_remaining())
        context.add_callback(lambda: self.ended.put(context))
        self.gate.wait(20)
        return b"late"

    def leave(self, message, context):
        yield b"first"
        context.cancel()


class Way(StopsAtTheEnd):
    """A client, proxyd and a server. `upstream`: keys of the upstream's; `change`: of the document."""

    def __init__(self, credentials=None, upstream=None, change=None, address=None):
        self.service, self.port = Service(), free_port()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(32), handlers=[self.service], options=[("grpc.so_reuseport", 0)])
        port = self.server.add_secure_port("127.0.0.1:0", credentials) if credentials else self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        document = site(self.port, address or f"127.0.0.1:{port}")
        document["listeners"]["main"]["protocols"] = ["h2c"]
        document["upstreams"]["app"].update(upstream or {"protocol": "h2c"})
        if change:
            change(document)
        self.proxyd = Proxyd(document)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", OPTIONS)

    def call(self, name, kind="unary_unary"):
        return getattr(self.channel, kind)(f"/t.Service/{name}")

    def stop(self):
        self.channel.close()
        self.proxyd.stop()
        self.server.stop(None)


@pytest.fixture(scope="module")
def way():
    with Way() as made:
        yield made


def failure(call, message=b"", **how):
    with pytest.raises(grpc.RpcError) as failed:
        call(message, timeout=20, **how)
    return failed.value


def test_a_unary_call_passes_with_its_metadata(way):
    answer, call = way.call("Unary").with_call(b"hello", metadata=[("x-sent", "s")], timeout=20)
    assert answer == b"hello" and call.code() == grpc.StatusCode.OK
    assert ("x-initial", "s") in call.initial_metadata()
    assert {("x-trailing", "t"), ("x-octets-bin", b"\0\1\xff")} <= set(call.trailing_metadata())


def test_large_messages_pass(way):
    large = bytes(range(256)) * 12_000
    assert way.call("Unary")(large, timeout=30) == large


def test_a_server_streams(way):
    assert sum(len(message) for message in way.call("Down", "unary_stream")(b"2000", timeout=30)) == 2_000_000


def test_a_client_streams(way):
    assert way.call("Up", "stream_unary")((b"%d," % n for n in range(1000)), timeout=30) == b"".join(b"%d," % n for n in range(1000))


def test_messages_go_both_ways_in_turns(way):
    """Each is answered before the next is said, so nothing waits anywhere for more to come."""
    to_say = queue.Queue()
    answers = way.call("Both", "stream_stream")(iter(to_say.get, None), timeout=30)
    for n in range(20):
        to_say.put(b"%d" % n)
        assert next(answers) == b"<%d>" % n
    to_say.put(None)
    assert list(answers) == [] and answers.code() == grpc.StatusCode.OK


def test_many_calls_at_once_share_a_connection(way):
    futures = [way.call("Unary").future(b"%d" % n, timeout=30) for n in range(90)]
    assert [future.result() for future in futures] == [b"%d" % n for n in range(90)]
    assert way.proxyd.metric("proxyd_upstream_connect_total", result="ok") <= 2


def test_an_error_of_the_server_passes_as_it_is(way):
    error = failure(way.call("Fail"))
    assert (error.code(), error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "50 % done: ü")
    assert failure(way.call("None")).code() == grpc.StatusCode.UNIMPLEMENTED   # the server's


def test_a_deadline_is_told_to_the_server_and_its_end_cancels_the_call_there(way):
    with pytest.raises(grpc.RpcError) as failed:
        way.call("Wait")(b"", timeout=1)
    assert failed.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0 < way.service.asked[-1] < 2
    assert way.service.ended.get(timeout=10)


def test_a_client_that_cancels_is_heard_by_the_server(way):
    before = len(way.service.asked)
    call = way.call("Wait").future(b"", timeout=30)
    eventually(lambda: len(way.service.asked) > before)
    call.cancel()
    assert not way.service.ended.get(timeout=10).is_active()


def test_a_server_that_cancels_is_heard_by_the_client(way):
    call = way.call("Leave", "unary_stream")(b"", timeout=20)
    with pytest.raises(grpc.RpcError) as failed:
        for message in call:
            assert message == b"first"
    assert failed.value.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)


def test_tls_on_the_way_to_the_server(tmp_path):
    authority = Authority(tmp_path)
    issued = authority.issue("origin.test")
    credentials = grpc.ssl_server_credentials([(issued.key_file.read_bytes(), issued.certificate_file.read_bytes())])
    for protocol in ("h2", "auto"):
        upstream = {"protocol": protocol, "tls": {"sni": "origin.test", "ca_file": str(authority.certificate)}}
        with Way(credentials, upstream) as way:
            assert way.call("Unary")(b"hello", timeout=20) == b"hello"
            assert list(way.call("Both", "stream_stream")(iter([b"a", b"b"]), timeout=20)) == [b"<a>", b"<b>"]


# -- answers of our own


def test_a_server_that_is_not_there_is_unavailable():
    with Way(address=f"127.0.0.1:{free_port()}") as way:
        error = failure(way.call("Unary"))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "connection_refused")


def test_a_call_without_a_route_is_unimplemented():
    def change(document):
        document["hosts"]["all"]["routes"][0]["match"]["path_prefix"] = "/other/"

    with Way(change=change) as way:
        assert failure(way.call("Unary")).code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_server_that_is_late_by_our_clock_has_exceeded_the_deadline():
    def change(document):
        document["defaults"] = {"timeouts": {"first_byte": "1s"}}

    with Way(change=change) as way:
        error = failure(way.call("Wait"))
        way.service.gate.set()
        assert (error.code(), error.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "http_response_timeout")
        assert way.service.ended.get(timeout=10)


@pytest.mark.parametrize("answer, code", [
    (lambda request: request.abort(2), "UNAVAILABLE"),
    (lambda request: request.connection.refuse(request.number), "UNAVAILABLE"),
    (lambda request: request.respond(body=b"x", fields=[("content-length", "5")]), "UNAVAILABLE"),
])
def test_a_server_that_answers_nothing_that_makes_sense_is_unavailable(answer, code):
    origin = Http2Origin(answer)
    with Way(address=origin.address) as way:
        assert failure(way.call("Unary")).code() == grpc.StatusCode[code]
    origin.stop()


def test_calls_in_a_long_row_are_all_answered(way):
    for n in range(300):
        assert way.call("Unary")(b"%d" % n, timeout=20) == b"%d" % n
