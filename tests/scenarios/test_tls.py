"""TLS toward clients: names, versions, tickets, client certificates, and certificates that change while traffic flows."""
import itertools
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from certificates import Authority
from client import Client, Closed
from http2_frames import ACK, GOAWAY, PREFACE, SETTINGS, frame
from proxyd import eventually
from swapped_certificates import SwappedCertificates
from tls_records import RecordsByHand
from tls_site import Site, TlsClient, trusting


# A client's HTTP/2 that says goodbye at once.
PRIOR_KNOWLEDGE = PREFACE + frame(SETTINGS) + frame(SETTINGS, ACK) + frame(GOAWAY, 0, 0, bytes(8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder)


@pytest.fixture(scope="module")
def site(authority):
    certificates = {"a": authority.issue("a.test"), "a-rsa": authority.issue("a.test", key="rsa"), "wild": authority.issue("*.wild.test"), "b": authority.issue("b.test")}
    hosts = {"a.test": {}, "b.test": {}, "x.wild.test": {}, "c.a.test": {}}
    with Site(certificates, hosts=hosts, workers=2) as running:
        yield running


def test_keys_change_within_a_long_answer_that_is_read_late_rfc8446_4_6_3(site, authority, tmp_path):
    with RecordsByHand(site.port, trusting(authority), "a.test", tmp_path) as client:
        for turn in range(12):
            client.send(b"GET /large HTTP/1.1\r\nHost: a.test\r\n\r\n")
            head, _, content = client.receive().partition(b"\r\n\r\n")   # and by now the server's socket is full
            assert head.startswith(b"HTTP/1.1 200 ")
            client.update_key()
            received = len(content)
            while received < 1 << 20:
                content = client.receive()
                assert content and not content.strip(b"\0"), f"in turn {turn}"
                received += len(content)
            assert received == 1 << 20


def names_in(certificate):
    return [value for kind, value in certificate["subjectAltName"] if kind == "DNS"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_request_is_answered_over_tls(site, authority, version):
    with TlsClient(site.port, trusting(authority, version), "a.test") as client:
        assert site.get(client, path="/first").body == b"/first"
        assert site.get(client, path="/second").body == b"/second"
        assert client.socket.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]


@pytest.mark.parametrize("asked, served", [("a.test", "a.test"), ("A.Test", "a.test"), ("b.test", "b.test"), ("x.wild.test", "*.wild.test"), (None, "a.test")])
def test_the_certificate_is_that_of_the_name_asked_for_rfc6066_3(site, authority, asked, served):
    with TlsClient(site.port, trusting(authority), asked) as client:
        assert names_in(client.socket.getpeercert()) == [served]


@pytest.mark.parametrize("name", ["unknown.test", "y.x.wild.test", "wild.test"])
def test_a_name_that_no_certificate_has_is_refused(site, authority, name):
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        TlsClient(site.port, trusting(authority), name)


def test_an_unknown_name_gets_the_default_certificate_where_the_listener_says_so(authority):
    with Site({"a": authority.issue("a.test"), "b": authority.issue("b.test")}, tls={"unknown_sni": "default", "default_certificate": "b"}) as site:
        with TlsClient(site.port, trusting(authority), "unknown.test") as client:
            assert names_in(client.socket.getpeercert()) == ["b.test"]
            assert site.get(client, host="unknown.test").status == 421


def test_ecdsa_or_rsa_is_chosen_by_what_the_client_can(site, authority):
    for ciphers, kind in (("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", "ECDSA"), ("ECDHE-RSA-AES128-GCM-SHA256", "RSA")):
        context = trusting(authority, ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(ciphers)
        with TlsClient(site.port, context, "a.test") as client:
            assert kind in client.socket.cipher()[0]
            assert site.get(client).status == 200


@pytest.mark.parametrize("offered, chosen", [(["http/1.1"], "http/1.1"), (["x", "http/1.1"], "http/1.1"), (None, None)])
def test_the_protocol_is_negotiated_rfc7301(site, authority, offered, chosen):
    with TlsClient(site.port, trusting(authority, alpn=offered), "a.test") as client:
        assert client.socket.selected_alpn_protocol() == chosen
        assert site.get(client).status == 200


def test_without_a_protocol_in_common_the_handshake_fails_rfc7301_3_2(site, authority):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        TlsClient(site.port, trusting(authority, alpn=["spdy/3"]), "a.test")


def test_a_request_for_a_host_that_the_certificate_is_not_for_is_misdirected_rfc9110_15_5_20(site, authority):
    before = len(site.asked)
    with TlsClient(site.port, trusting(authority), "a.test") as client:
        assert site.get(client, host="b.test").status == 421
        assert site.get(client, host="a.test").status == 200
    assert len(site.asked) == before + 1
    assert site.proxyd.metric("proxyd_misdirected_total") >= 1


def test_a_client_that_asked_for_no_name_may_ask_for_any_host(site, authority):
    with TlsClient(site.port, trusting(authority)) as client:
        assert site.get(client, host="b.test").status == 200
        assert site.get(client, host="none.test").status == 421


@pytest.mark.parametrize("size", [0, 1, 1 << 20])
def test_content_of_any_size_arrives_whole_both_ways(site, authority, size):
    content = bytes(itertools.islice(itertools.cycle(range(251)), size))
    with TlsClient(site.port, trusting(authority), "a.test") as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % size + content)
        assert client.response().body == content


def resumes(site, context, session):
    with TlsClient(site.port, context, "a.test", session=session) as client:
        assert site.get(client).status == 200
        return client.socket.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_by_whichever_worker_accepts(site, authority, version):
    context = trusting(authority, version)
    with TlsClient(site.port, context, "a.test") as client:
        assert site.get(client).status == 200
        session = client.socket.session
    assert all(resumes(site, context, session) for _ in range(20))


@pytest.mark.rows("H2-095")
def test_a_session_of_one_host_is_not_resumed_where_another_needs_a_client_certificate(authority):
    people = Authority(authority.folder, "people")
    hosts = {"a.test": {}, "b.test": {"client_auth": {"ca_file": str(people.certificate)}}}
    with Site({"both": authority.issue("a.test", "b.test")}, hosts=hosts) as site:
        context = trusting(authority)
        with TlsClient(site.port, context, "a.test") as client:
            assert site.get(client).status == 200
            assert site.get(client, host="b.test").status == 421   # the certificate covers it, but nobody was asked for one
            session = client.socket.session
        with pytest.raises((ssl.SSLError, Closed)):
            with TlsClient(site.port, context, "b.test", session=session) as client:
                site.get(client, host="b.test")
        named = trusting(authority, client=people.issue("alice", client=True))
        with TlsClient(site.port, named, "b.test") as client:
            assert site.get(client, host="b.test").status == 200
            assert site.get(client, host="a.test").status == 200   # where nobody has to show one


@pytest.mark.parametrize("request_line", ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x.test\r\n\r\n"])
def test_the_host_of_all_other_names_is_not_reached_without_its_client_certificate(authority, request_line):
    people = Authority(authority.folder, "people")
    hosts = {"a.test": {}, "rest": {"names": ["*"], "client_auth": {"ca_file": str(people.certificate)}}}
    with Site({"a": authority.issue("a.test")}, hosts=hosts) as site:
        for name in ("a.test", None):
            with pytest.raises((ssl.SSLError, Closed, AssertionError)):
                with TlsClient(site.port, trusting(authority), name) as client:
                    client.send(request_line.encode())
                    assert client.response().status != 421
        assert not site.asked


def test_client_certificates_that_are_asked_for_from_now_on_are_asked_for_on_open_connections_too(authority):
    people = Authority(authority.folder, "people")
    with Site({"a": authority.issue("a.test")}) as site, TlsClient(site.port, trusting(authority), "a.test") as client:
        assert site.get(client).status == 200
        site.document["hosts"]["a.test"]["client_auth"] = {"ca_file": str(people.certificate)}
        site.proxyd.apply(site.document)
        assert site.get(client).status == 421


def test_a_client_certificate_of_another_authority_is_refused(authority):
    people, strangers = Authority(authority.folder, "people"), Authority(authority.folder, "strangers")
    with Site({"a": authority.issue("a.test")}, tls={"client_auth": {"ca_file": str(people.certificate)}}) as site:
        with pytest.raises((ssl.SSLError, Closed)):
            with TlsClient(site.port, trusting(authority, client=strangers.issue("mallory", client=True)), "a.test") as client:
                site.get(client)
        with pytest.raises((ssl.SSLError, Closed)):
            with TlsClient(site.port, trusting(authority), "a.test") as client:
                site.get(client)
        assert not site.asked
        with TlsClient(site.port, trusting(authority, client=people.issue("alice", client=True)), "a.test") as client:
            assert site.get(client).status == 200


def test_versions_below_the_least_are_refused(authority):
    with Site({"a": authority.issue("a.test")}, tls={"min_version": "1.3"}) as site:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            TlsClient(site.port, trusting(authority, ssl.TLSVersion.TLSv1_2), "a.test")


def test_tickets_can_be_turned_off(authority):
    with Site({"a": authority.issue("a.test")}, tls={"session_tickets": False}) as site:
        context = trusting(authority)
        with TlsClient(site.port, context, "a.test") as client:
            site.get(client)
            session = client.socket.session
        assert session is None or not resumes(site, context, session)


def test_a_new_certificate_is_served_without_closing_a_connection(authority):
    first, second = authority.issue("a.test"), authority.issue("a.test")
    with Site({"a": first}) as site:
        context = trusting(authority)
        with TlsClient(site.port, context, "a.test") as old:
            assert site.get(old).status == 200
            first.replace_by(second)
            status, _ = site.proxyd.api("POST", "/api/v1/reload")
            assert status == 200
            serial = lambda client: client.socket.getpeercert()["serialNumber"]

            def is_new():
                with TlsClient(site.port, context, "a.test") as new:
                    return serial(new) == second.serial().zfill(len(serial(new)))
            eventually(is_new, what="the new certificate")
            assert site.get(old).status == 200


def test_a_proxy_header_comes_before_the_handshake(authority):
    listener = {"proxy_protocol": "v1"}
    with Site({"a": authority.issue("a.test")}, listener=listener, more={"defaults": {"trusted_proxies": ["127.0.0.0/8"]}}) as site:
        plain = socket.create_connection(("127.0.0.1", site.port), timeout=10)
        hello = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"
        plain.sendall(hello[:20])
        plain.sendall(hello[20:])
        with trusting(authority).wrap_socket(plain, server_hostname="a.test") as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert site.asked[-1].values("X-Forwarded-For")[0].endswith("192.0.2.7")


@pytest.mark.rows("TL-011")
def test_a_handshake_that_never_ends_is_given_up_and_counted(authority):
    with Site({"a": authority.issue("a.test")}, more={"defaults": {"timeouts": {"client_header": "1s"}}}) as site:
        for sent in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with Client(site.port) as client:
                client.send(sent)
                assert client.is_closed()
        assert site.proxyd.metric("proxyd_timeout_total", phase="tls") == 2


def test_openssl_s_client_sees_the_name_the_protocol_the_staple_and_its_session_again(authority, tmp_path):
    middle = Authority(tmp_path, "middle", signed_by=authority)
    issued = middle.issue("a.test")
    middle.ocsp(issued)
    with Site({"a": issued, "b": authority.issue("b.test")}, workers=2) as site:
        def s_client(*more):
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-servername", "a.test", "-alpn", "h2,http/1.1", "-status",
                                   "-CAfile", authority.certificate, "-verify_return_error", "-verify_hostname", "a.test", "-ign_eof", *more],
                                  input=PRIOR_KNOWLEDGE, capture_output=True, timeout=20)
            return done.stdout.decode(errors="replace")
        for version in ("-tls1_2", "-tls1_3"):
            session = tmp_path / version
            said = s_client(version, "-sess_out", session)
            for words in ("subject=CN = a.test", "ALPN protocol: h2", "OCSP Response Status: successful", "Cert Status: good", "Verify return code: 0 (ok)", "New, TLS"):
                assert words in said, words
            assert "Reused, TLS" in s_client(version, "-sess_in", session)


def test_no_handshake_fails_and_no_connection_ends_while_certificates_change(tmp_path):
    swapped = SwappedCertificates(tmp_path)
    try:
        swapped.swap_often(20)
    finally:
        faults = swapped.stop()
    assert not faults
    assert min(swapped.done[what] for what in ("new", "resumed", "kept", "kept, HTTP/2")) > 0


def test_a_session_is_resumed_after_a_rotation_of_the_keys_by_whichever_worker_accepts(authority, tmp_path):
    library, clock = tmp_path / "clock.so", tmp_path / "seconds"
    source = Path(__file__).resolve().parents[1] / "support" / "stepped_clock.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    clock.write_text("0")
    with Site({"a": authority.issue("a.test")}, workers=2, environment={"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(clock)}) as site:
        context = trusting(authority)
        clock.write_text(str(11 * 3600))   # so that the ticket is young when the keys change
        with TlsClient(site.port, context, "a.test") as client:
            assert site.get(client).status == 200
            session = client.socket.session
        clock.write_text(str(12 * 3600 + 60))
        eventually(lambda: "session tickets have new keys" in site.proxyd.logs(), what="the rotation")
        assert all(resumes(site, context, session) for _ in range(20))


def test_status_and_log_say_whether_the_kernel_has_tls(site):
    has = "tls" in Path("/proc/sys/net/ipv4/tcp_available_ulp").read_text().split()
    assert site.proxyd.api("GET", "/api/v1/status")[1]["kernel_tls"] == has
    assert f"kernel TLS: {'used' if has else 'there is none'}" in site.proxyd.logs()


def test_a_large_answer_is_the_same_whoever_makes_the_records(site, authority):
    with TlsClient(site.port, trusting(authority), "a.test") as client:
        for _ in range(3):
            assert site.get(client, path="/large").body == bytes(1 << 20)
            assert site.get(client, path="/small").body == b"/small"
    counted = {result: site.proxyd.metric("proxyd_tls_kernel_connections_total", result=result) for result in ("given", "refused", "cut")}
    has = site.proxyd.api("GET", "/api/v1/status")[1]["kernel_tls"]
    assert (counted["given"] > 0) == has and counted["refused"] == 0, counted
