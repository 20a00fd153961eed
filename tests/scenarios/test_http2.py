"""HTTP/2 toward clients."""
import itertools
import socket
import subprocess
import threading

import pytest
from certificates import Authority
from http2 import connected
from http2_frames import GOAWAY, frame
from proxyd import eventually
from tls_site import Site, trusting


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def site(authority):
    cached = {"cache_policies": {"plain": {}}}
    route = {"name": "cached", "match": {"path_prefix": "/cached/"}, "upstream": "app", "cache": "plain"}
    rest = {"name": "all", "match": {"path_prefix": "/"}, "upstream": "app"}
    hosts = {"a.test": {"routes": [route, rest]}, "b.test": {}}
    with Site({"a": authority.issue("a.test"), "b": authority.issue("b.test")}, hosts=hosts, more=cached) as running:
        yield running


@pytest.fixture
def client(site, authority):
    with connected(site.port, trusting(authority)) as made:
        yield made


def test_a_request_is_answered(client):
    got = client.get("/first")
    assert (got.status, got.body) == (200, b"/first")
    assert client.get("/second").body == b"/second"


def test_fields_of_a_connection_are_not_handed_on_rfc9113_8_2_2(site, client):
    got = client.get("/x", fields=[("x-own", "1")])
    names = [name for name, _ in got.headers]
    assert not {"connection", "keep-alive", "transfer-encoding"} & set(names)
    assert all(name == name.lower() for name in names)
    assert site.asked[-1].values("Host") == ["a.test"] and site.asked[-1].values("X-Own") == ["1"]
    assert site.asked[-1].values("Via")[0].startswith("2.0 ")


def test_a_hundred_requests_at_once_each_get_their_own_answer(client):
    numbers = [client.request(f"/n{i}") for i in range(100)]
    assert [stream.body for stream in client.wait(*numbers)] == [f"/n{i}".encode() for i in range(100)]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 1 << 20])
def test_content_of_any_size_arrives_whole_both_ways(client, size):
    content = bytes(itertools.islice(itertools.cycle(range(251)), size))
    number = client.request("/echo", method="POST", body=content)
    assert client.wait(number)[0].body == content


def test_content_without_a_length_arrives_whole(site, client):
    got = client.get("/chunked")
    assert got.body == b"one two" and got.value("content-length") is None


def test_trailers_are_handed_on_both_ways_rfc9113_8_1(site, client):
    number = client.request("/trailers", method="POST", end=False)
    client.upload(number, b"content", trailers=[("x-sum", "7")])
    got = client.wait(number)[0]
    assert got.body == b"content" and dict(got.trailers)["x-end"] == "1"
    assert dict(site.asked[-1].trailers)["x-sum"] == "7"


def test_head_has_no_content(client):
    got = client.get("/abc", method="HEAD")
    assert (got.status, got.body, got.value("content-length")) == (200, b"", "4")


def test_what_is_stored_is_served_over_both_protocols(site, client):
    assert client.get("/cached/a").value("cache-status").startswith("proxyd; fwd=uri-miss")
    assert client.get("/cached/a").value("cache-status").startswith("proxyd; hit")
    assert client.get("/cached/a", method="HEAD").body == b""


@pytest.mark.rows("H2-094")
def test_a_host_of_another_certificate_is_misdirected_rfc9113_9_1_1(site, client):
    before = len(site.asked)
    assert client.get("/", authority="b.test").status == 421
    assert len(site.asked) == before


def test_prior_knowledge_works_where_the_listener_says_so_and_http1_beside_it(authority):
    with Site({}, listener={"protocols": ["h1", "h2c"], "tls": None}) as site:
        with connected(site.port) as client:
            assert client.get("/h2c").body == b"/h2c"
        got = subprocess.run(["curl", "-s", "-H", "Host: a.test", f"http://127.0.0.1:{site.port}/h1"], capture_output=True, timeout=20)
        assert got.stdout == b"/h1"


@pytest.mark.rows("H2-097")
def test_without_leave_prior_knowledge_is_a_bad_request_rfc9113_3_3(authority):
    with Site({}, listener={"tls": None}) as site:
        with connected(site.port) as client:
            client.socket.settimeout(10)
            assert client.socket.recv(100).startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("protocols, answer", [(["h1", "h2c"], b""), (["h2c"], frame(GOAWAY, 0, 0, bytes(4) + b"\0\0\0\1"))])
@pytest.mark.parametrize("octets", [b"INVALID CONNECTION PREFACE\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"], ids=["words", "nearly"])
def test_octets_that_begin_no_protocol_end_the_connection_without_an_answer_of_http1_rfc9113_3_4(protocols, answer, octets):
    with Site({}, listener={"protocols": protocols, "tls": None}) as site:
        with socket.create_connection(("127.0.0.1", site.port), 10) as wrong:
            wrong.sendall(octets)
            said = b"".join(iter(lambda: wrong.recv(1000), b""))   # and no reset
            assert said.endswith(answer) and bool(said) == bool(answer)
        assert site.proxyd.metric("proxyd_h2_conn_error_total", reason="preface") == 1


@pytest.mark.parametrize("octets", [b"GET  / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\nNO REQUEST LINE\r\n\r\n"], ids=["first", "second"])
def test_a_bad_request_line_of_http1_is_answered_where_http2_may_begin_too(octets):
    with Site({}, listener={"protocols": ["h1", "h2c"], "tls": None}) as site:
        with socket.create_connection(("127.0.0.1", site.port), 10) as wrong:
            wrong.sendall(octets)
            assert b"HTTP/1.1 400 " in b"".join(iter(lambda: wrong.recv(1000), b""))


def test_curl_and_nghttp_are_served(site, authority):
    curl = subprocess.run(["curl", "-sv", "--http2", "--cacert", authority.certificate, "--resolve", f"a.test:{site.port}:127.0.0.1", f"https://a.test:{site.port}/curl"],
                          capture_output=True, timeout=20)
    assert curl.stdout == b"/curl" and b"HTTP/2 200" in curl.stderr
    nghttp = subprocess.run(["nghttp", "-v", "-H", ":authority: a.test", f"https://127.0.0.1:{site.port}/nghttp"], capture_output=True, timeout=20)
    assert b":status: 200" in nghttp.stdout and b"/nghttp" in nghttp.stdout


@pytest.mark.parametrize("path", ["cached/of-h2load", "of-h2load"])
def test_h2load_has_every_answer(site, path):
    done = subprocess.run(["h2load", "-n", "2000", "-c", "5", "-m", "100", "-H", ":authority: a.test", f"https://127.0.0.1:{site.port}/{path}"],
                          capture_output=True, text=True, timeout=60)
    assert "2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout
    assert "2000 2xx" in done.stdout


def test_a_stream_that_is_not_read_does_not_hold_up_the_others(site, authority):
    with connected(site.port, trusting(authority)) as client:
        client.reads = False
        slow = client.request("/large")
        while len(client.streams[slow].body) < 65_535:
            assert client.receive()
        client.connection.increment_flow_control_window(1 << 20)
        client.flush()
        assert client.get("/quick").body == b"/quick"
        assert not client.streams[slow].ended


def test_a_reset_ends_what_runs_at_the_origin(site, authority):
    site.gate.clear()
    with connected(site.port, trusting(authority)) as client:
        number = client.request("/gated")
        eventually(lambda: any(request.target == "/gated" for request in site.asked), what="the origin's request")
        client.connection.reset_stream(number, 8)
        client.flush()
        assert client.get("/after").body == b"/after"
    site.gate.set()


def test_a_draining_worker_says_goaway_twice_and_finishes_rfc9113_6_8(authority):
    with Site({"a": authority.issue("a.test")}) as site, connected(site.port, trusting(authority), timeout=20) as client:
        site.gate.clear()
        number = client.request("/gated")
        eventually(lambda: site.asked, what="the origin's request")
        stopping = threading.Thread(target=site.proxyd.api, args=("POST", "/api/v1/shutdown", {"grace": "20s"}))
        stopping.start()
        while not client.goaways:
            assert client.receive()
        assert client.goaways[0].last_stream_id == 2**31 - 1
        site.gate.set()
        assert client.wait(number)[0].status == 200
        assert client.wait_for_end().last_stream_id == number
        stopping.join()


@pytest.mark.rows("H2-088")
def test_a_silent_client_is_given_up_rfc9113_3_4(authority):
    with Site({"a": authority.issue("a.test")}, more={"defaults": {"timeouts": {"client_header": "1s"}}}) as site:
        context = trusting(authority)
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(socket.create_connection(("127.0.0.1", site.port), 10), server_hostname="a.test") as silent:
            silent.settimeout(10)
            try:
                while silent.recv(1000):
                    pass
            except OSError:
                pass
        assert site.proxyd.metric("proxyd_timeout_total", phase="h2_preface") == 1


def impatient(authority, **timeouts):
    return Site({"a": authority.issue("a.test")}, more={"defaults": {"timeouts": timeouts}})


@pytest.mark.rows("H2-079")
def test_streams_whose_windows_stay_shut_are_reset_and_counted(authority):
    with impatient(authority, client_write="1s") as site, connected(site.port, trusting(authority), window=0) as client:
        numbers = [client.request("/large") for _ in range(20)]
        assert {stream.reset for stream in client.wait(*numbers)} == {8}
        assert site.proxyd.metric("proxyd_timeout_total", phase="h2_window_stall") == 20


@pytest.mark.rows("H2-091")
def test_a_client_that_takes_an_octet_now_and_then_is_cut_off(authority):
    with impatient(authority, client_write="1s") as site, connected(site.port, trusting(authority), window=1) as client:
        client.reads = False
        number = client.request("/large")
        stop = threading.Event()

        def dribble():
            while not stop.wait(0.05) and not client.closed:
                client.connection.increment_flow_control_window(1, number)
                client.flush()
        dribbling = threading.Thread(target=dribble)
        dribbling.start()
        assert client.wait(number)[0].reset == 8
        stop.set()
        dribbling.join()


@pytest.mark.rows("H2-090")
def test_an_upload_that_stands_still_ends_alone(authority):
    with impatient(authority, client_body="1s") as site, connected(site.port, trusting(authority)) as client:
        slow = client.request("/echo", method="POST", end=False, fields=[("content-length", "100")])
        client.connection.send_data(slow, b"x")
        client.flush()
        got = client.wait(slow)[0]
        assert got.status == 408 or got.reset == 8
        assert client.get("/after").body == b"/after"


@pytest.mark.rows("H2-086")
def test_after_the_clients_goaway_what_runs_is_finished_and_the_connection_ends(authority):
    with impatient(authority) as site, connected(site.port, trusting(authority)) as client:
        site.gate.clear()
        numbers = [client.request("/gated") for _ in range(10)]
        eventually(lambda: len(site.asked) == 10, what="the origin's requests")
        client.send_octets(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0")
        site.gate.set()
        assert [stream.status for stream in client.wait(*numbers)] == [200] * 10
        client.wait_for_end()


@pytest.mark.rows("H2-092")
def test_http1_where_http2_was_agreed_on_ends_the_connection(site, authority):
    context = trusting(authority)
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(socket.create_connection(("127.0.0.1", site.port), 10), server_hostname="a.test") as wrong:
        wrong.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        received = b""
        while got := wrong.recv(1000):
            received += got
        assert not received.startswith(b"HTTP/1")


@pytest.mark.rows("H2-100")
def test_a_field_of_the_origin_that_cannot_be_one_is_no_field_of_http2(site, authority):
    with connected(site.port, trusting(authority)) as client:
        assert client.get("/bare-cr").status == 502
        assert client.get("/folded").status in (200, 502)
        assert not any("\n" in value or "\r" in value for _, value in client.get("/folded").headers)


def over_tls(site, authority):
    context = trusting(authority)
    context.set_alpn_protocols(["h2"])
    secure = context.wrap_socket(socket.create_connection(("127.0.0.1", site.port), 10), server_hostname="a.test")
    secure.settimeout(10)
    return secure


def until_the_end(connection):
    received = b""
    try:
        while got := connection.recv(1000):
            received += got
    except OSError:
        pass
    return received


@pytest.mark.rows("H2-087")
def test_a_client_that_never_acknowledges_our_settings_is_told_so_rfc9113_6_5_3(authority):
    with impatient(authority, client_header="1s") as site, over_tls(site, authority) as silent:
        silent.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
        received = until_the_end(silent)
        assert received[-17:-8] == b"\0\0\x08\x07\0\0\0\0\0" and received[-4:] == b"\0\0\0\x04"


@pytest.mark.rows("H2-089")
@pytest.mark.parametrize("never_whole", [b"\0\0", b"\0\0\x01\x01\0\0\0\0\x01\x82"], ids=["a_frame", "a_header_block"])
def test_what_is_never_whole_ends_the_connection(authority, never_whole):
    with impatient(authority, client_header="1s") as site, over_tls(site, authority) as slow:
        slow.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\0\x04\x01\0\0\0\0" + never_whole)
        until_the_end(slow)
        assert site.proxyd.metric("proxyd_timeout_total", phase="h2_frame") == 1


def test_a_client_that_measures_the_way_with_each_answer_is_no_flood(client):
    for i in range(400):   # as gRPC's clients do
        client.connection.increment_flow_control_window(10)
        client.connection.ping(b"%08d" % i)
        assert client.get(f"/{i}").status == 200


def test_an_end_behind_a_shut_window_waits_for_it_and_is_no_fault(site, authority):
    with connected(site.port, trusting(authority), window=7) as client:
        client.reads = False
        site.gate.clear()
        number = client.request("/slow-end")
        while len(client.streams[number].body) < 7:
            assert client.receive()
        site.gate.set()
        assert client.get("/x", method="HEAD").status == 200   # the end is behind the window by now, or comes to it
        assert client.streams[number].reset is None
        client.connection.increment_flow_control_window(100, number)
        client.flush()
        assert client.wait(number)[0].ended


def test_an_answer_beside_a_long_one_gets_its_turn(site, authority):
    with connected(site.port, trusting(authority), window=1 << 20, connection_window=1 << 24) as client:
        long = [client.request("/large") for _ in range(8)]
        assert client.get("/short").body == b"/short"
        assert [len(stream.body) for stream in client.wait(*long)] == [1 << 20] * 8
