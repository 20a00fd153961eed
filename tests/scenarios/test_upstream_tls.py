"""TLS toward targets: who is believed, what is asked for and shown, and what becomes of it when it fails."""
import ssl

import pytest
from certificates import Authority
from client import Client, Closed
from origin import Listener, Origin, ok
from proxyd import Proxyd, StopsAtTheEnd, free_port


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


def serving(issued, **more):
    """What an origin accepts with; `name_asked` collects the names it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate_file, issued.key_file)
    context.name_asked = []
    context.sni_callback = lambda _, name, __: context.name_asked.append(name)
    for key, value in more.items():
        setattr(context, key, value)
    return context


class Front(StopsAtTheEnd):
    """proxyd before an origin that speaks TLS by `context`. `tls`: keys of the upstream's."""

    def __init__(self, context, tls, answer=None, upstream=None):
        self.context, self.origin, self.port = context, Origin(answer, tls=context), free_port()
        document = {
            "version": 1,
            "listeners": {"main": {"address": f"127.0.0.1:{self.port}"}},
            "cache_policies": {"plain": {"default_ttl": {"200": "1h"}}},
            "upstreams": {"app": {"targets": {"one": {"address": self.origin.address}}, "tls": tls, "retry": {"retries": 0}, **(upstream or {})}},
            "hosts": {"all": {"names": ["*"], "routes": [{"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "plain"}]}},
        }
        self.proxyd = Proxyd(document)

    def get(self, path="/", body=None):
        with Client(self.port) as client:
            method = b"POST" if body is not None else b"GET"
            length = b"Content-Length: %d\r\n" % len(body) if body is not None else b""
            client.send(method + b" " + path.encode() + b" HTTP/1.1\r\nHost: front.test\r\n" + length + b"\r\n" + (body or b""))
            return client.response()

    def stop(self):
        self.proxyd.stop()
        self.origin.stop()


def believing(authority, **more):
    return {"sni": "origin.test", "ca_file": str(authority.certificate), **more}


def test_a_target_is_asked_for_its_name_and_verified_by_it(authority):
    with Front(serving(authority.issue("origin.test")), believing(authority)) as front:
        assert front.get("/a").body == b"path=/a body="
        assert front.context.name_asked == ["origin.test"]


@pytest.mark.parametrize("issued, reason", [
    (lambda authority: authority.issue("other.test"), "hostname mismatch"),
    (lambda authority: authority.expired("origin.test"), "certificate has expired"),
    (lambda authority: Authority(authority.folder, "stranger").issue("origin.test"), "unable to get local issuer certificate"),
], ids=["name", "expired", "stranger"])
def test_a_target_that_cannot_be_verified_gets_no_request(authority, issued, reason):
    with Front(serving(issued(authority)), believing(authority)) as front:
        got = front.get()
        assert got.status == 502 and "tls_certificate_error" in got.value("Proxy-Status")
        assert not front.origin.requests
        assert reason in front.proxyd.logs().lower()


def test_without_verification_anybody_is_believed(authority):
    with Front(serving(authority.expired("other.test")), {"verify": False}) as front:
        assert front.get().status == 200
        assert front.context.name_asked == [None]


def test_the_name_is_the_upstreams_host_where_there_is_no_sni(authority):
    with Front(serving(authority.issue("named.test")), {"ca_file": str(authority.certificate)}, upstream={"host": "named.test"}) as front:
        assert front.get().status == 200
        assert front.context.name_asked == ["named.test"]


def test_a_target_without_a_name_cannot_be_verified_and_the_document_is_refused(authority):
    with Front(serving(authority.issue("origin.test")), believing(authority)) as front:
        document = front.proxyd.api("GET", "/api/v1/config")[1]
        del document["upstreams"]["app"]["tls"]["sni"]
        status, answer = front.proxyd.api("PUT", "/api/v1/config", document)
        assert status == 422 and "/upstreams/app/tls" in str(answer) and "sni" in str(answer)


def test_we_show_a_certificate_to_a_target_that_wants_one(authority):
    people = Authority(authority.folder, "people")
    context = serving(authority.issue("origin.test"), verify_mode=ssl.CERT_REQUIRED)
    context.load_verify_locations(people.certificate)
    ours = people.issue("front", client=True)
    shown = {"certificate_file": str(ours.certificate_file), "private_key_file": str(ours.key_file)}
    with Front(context, believing(authority, **shown)) as front:
        assert front.get().status == 200
        assert front.origin.secured[0].getpeercert()["subject"] == ((("commonName", "front"),),)
    with Front(context, believing(authority)) as front:
        assert front.get().status == 502


def test_a_connection_is_reused_and_a_session_resumed(authority):
    with Front(serving(authority.issue("origin.test")), believing(authority), answer=lambda r: ok(b"x", *([b"Connection: close"] if r.target == "/close" else []), b"Cache-Control: no-store")) as front:
        assert [front.get(path).status for path in ("/1", "/2", "/close", "/3")] == [200] * 4
        assert [bool(connection.session_reused) for connection in front.origin.secured] == [False, True]


@pytest.mark.parametrize("size", [0, 1, 1 << 20])
def test_content_of_any_size_arrives_whole_both_ways(authority, size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    with Front(serving(authority.issue("origin.test")), believing(authority), answer=lambda r: ok(r.body)) as front:
        assert front.get("/", content).body == content


@pytest.mark.rows("TL-024")
def test_a_target_that_speaks_only_what_is_broken_is_a_bad_gateway_rfc8996(authority):
    context = serving(authority.issue("origin.test"))
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Front(context, believing(authority)) as front:
        assert front.get().status == 502


def test_a_target_that_speaks_no_tls_is_a_bad_gateway(authority):
    def refuse(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1000)
    plain = Listener(refuse)
    with Front(serving(authority.issue("origin.test")), believing(authority), upstream={"targets": {"one": {"address": plain.address}}}) as front:
        assert front.get().status == 502
    plain.stop()


@pytest.mark.rows("TL-025")
def test_an_end_without_close_notify_is_an_end_only_where_the_length_says_so_rfc8446_6_1(authority):
    whole = ok(b"whole", b"Cache-Control: max-age=60")
    until_close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\n\r\ncut"
    answers = {"/whole": [whole, "close"], "/cut": [until_close, "close"]}
    context = serving(authority.issue("origin.test"))
    with Front(context, believing(authority), answer=lambda r: answers[r.target]) as front:
        assert front.get("/whole").body == b"whole"
        for _ in range(2):
            with pytest.raises(Closed):
                front.get("/cut")
        assert sum(request.target == "/cut" for request in front.origin.requests) == 2   # it was not stored
