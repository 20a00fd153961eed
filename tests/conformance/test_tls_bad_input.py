"""The tls rows of bad-input.tsv that are about clients: hellos by hand, floods, what is never offered."""
import os
import socket
import ssl
import struct
import subprocess

import pytest
from certificates import Authority
from client import Closed
from proxyd import eventually, paced
from tls_records import RecordsByHand
from tls_site import Site, TlsClient, trusting

ILLEGAL_PARAMETER, PROTOCOL_VERSION, HANDSHAKE_FAILURE, CERTIFICATE_REQUIRED = 47, 70, 40, 116


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def site(authority):
    with Site({"a": authority.issue("a.test")}) as running:
        yield running


def counted(width, octets):
    return len(octets).to_bytes(width, "big") + octets


def record(octets, version=b"\x03\x01"):
    return b"\x16" + version + counted(2, octets)


def hello(version=b"\x03\x03", ciphers=b"\xc0\x2b\xc0\x2f", extensions=b""):
    body = version + bytes(32) + counted(1, b"") + counted(2, ciphers) + counted(1, b"\0") + (counted(2, extensions) if extensions else b"")
    return b"\x01" + counted(3, body)


def extension(number, octets):
    return struct.pack(">H", number) + counted(2, octets)


def server_name(*names):
    return extension(0, counted(2, b"".join(b"\0" + counted(2, name) for name in names)))


GROUPS = extension(10, counted(2, b"\x00\x17")) + extension(13, counted(2, b"\x04\x03")) + extension(11, counted(1, b"\0"))


def answer(port, octets):
    """All that the server says until it ends the connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(octets)
        received = b""
        try:
            while got := connection.recv(4096):
                received += got
        except ConnectionResetError:
            pass
        return received


def alert(octets):
    assert octets[:1] == b"\x15" and octets[5:6] == b"\x02", octets
    return octets[6]


@pytest.mark.rows("TL-003")
def test_two_names_of_a_host_are_an_illegal_parameter_rfc6066_3(site):
    assert alert(answer(site.port, record(hello(extensions=server_name(b"a.test", b"b.test") + GROUPS)))) == ILLEGAL_PARAMETER


@pytest.mark.rows("TL-004")
@pytest.mark.parametrize("version", [b"\x03\x00", b"\x03\x01", b"\x03\x02"])
def test_versions_before_tls_1_2_are_refused_rfc8996(site, version):
    assert alert(answer(site.port, record(hello(version, extensions=server_name(b"a.test") + GROUPS)))) == PROTOCOL_VERSION


@pytest.mark.rows("TL-005")
def test_a_hello_of_sslv2_ends_the_connection_rfc8446_d_5(site):
    spec = b"\x01\x00\x80"
    answer(site.port, b"\x80" + counted(1, b"\x01\x03\x01" + struct.pack(">HHH", len(spec), 0, 16) + spec + bytes(16)))


@pytest.mark.rows("TL-006")
@pytest.mark.parametrize("cipher", [b"\x00\x03", b"\x00\x05", b"\x00\x02", b"\x00\x2f"], ids=["export", "rc4", "null", "cbc"])
def test_weak_ciphers_alone_fail_the_handshake_rfc7465(site, cipher):
    assert alert(answer(site.port, record(hello(ciphers=cipher, extensions=server_name(b"a.test") + GROUPS)))) == HANDSHAKE_FAILURE


@pytest.mark.rows("TL-008")
def test_who_asks_to_renegotiate_is_cut_off(site, authority):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-servername", "a.test", "-tls1_2", "-CAfile", authority.certificate],
                          input=b"R\n" + b"GET / HTTP/1.1\nHost: a.test\n\n" * 20, capture_output=True, timeout=20)
    assert b"HTTP/1.1 200" not in done.stdout
    assert done.returncode != 0


@pytest.mark.rows("TL-009")
def test_a_hello_in_records_of_one_octet_is_read_or_refused(site):
    whole = hello(extensions=server_name(b"a.test") + GROUPS)
    split = b"".join(record(whole[i:i + 1]) for i in range(len(whole)))
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(split)):
            try:
                connection.sendall(split[i:i + 1])
            except OSError:
                break
        try:
            first = connection.recv(1)
        except ConnectionResetError:
            first = b""
    assert first in (b"\x16", b"\x15", b"")


@pytest.mark.rows("TL-014")
def test_a_flood_of_key_updates_ends_the_connection(site, authority):
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-servername", "a.test", "-tls1_3", "-CAfile", authority.certificate],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with process:
        for _ in paced(0.002, times=2000):   # one of each read is obeyed
            try:
                process.stdin.write(b"K\n")
                process.stdin.flush()
            except BrokenPipeError:
                break
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait(10) != 0


@pytest.mark.rows("TL-015", "TL-016")
def test_early_data_is_not_offered_rfc8446_8(site, authority, tmp_path):
    session = tmp_path / "session"
    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-servername", "a.test", "-tls1_3", "-sess_out", session, "-ign_eof"],
                   input=b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", capture_output=True, timeout=20)
    told = subprocess.run(["openssl", "sess_id", "-in", session, "-noout", "-text"], capture_output=True, timeout=20, check=True).stdout
    assert b"Max Early Data: 0" in told


@pytest.mark.rows("TL-017")
def test_a_ticket_of_keys_that_are_gone_costs_a_full_handshake_and_no_error(authority):
    issued, context = authority.issue("a.test"), trusting(authority)
    with Site({"a": issued}) as before, TlsClient(before.port, context, "a.test") as client:
        assert before.get(client).status == 200
        session = client.socket.session
    with Site({"a": issued}) as after, TlsClient(after.port, context, "a.test", session=session) as client:
        assert after.get(client).status == 200
        assert not client.socket.session_reused


@pytest.mark.rows("TL-019")
def test_without_the_certificate_that_is_required_the_alert_says_so_rfc8446_4_4_2_4(authority):
    people = Authority(authority.folder, "people")
    with Site({"a": authority.issue("a.test")}, tls={"client_auth": {"ca_file": str(people.certificate)}}) as site:
        with pytest.raises((ssl.SSLError, Closed), match="(?i)certificate.required"):
            with TlsClient(site.port, trusting(authority, ssl.TLSVersion.TLSv1_3), "a.test") as client:
                site.get(client)
        assert not site.asked


@pytest.mark.rows("TL-026")
def test_clients_that_break_off_in_the_handshake_leave_nothing_behind(site):
    worker = site.proxyd.workers()[0]["pid"]
    descriptors = lambda: len(os.listdir(f"/proc/{worker}/fd"))
    before, whole = descriptors(), record(hello(extensions=server_name(b"a.test") + GROUPS))
    for i in range(500):
        with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(whole[:(i * 7) % len(whole)])
    eventually(lambda: descriptors() <= before, what="the descriptors")


@pytest.mark.rows("TL-028")
def test_compression_is_never_negotiated(site):
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        body = b"\x03\x03" + bytes(32) + counted(1, b"") + counted(2, b"\xc0\x2b") + counted(1, b"\x01\x00") + counted(2, server_name(b"a.test") + GROUPS)
        connection.sendall(record(b"\x01" + counted(3, body)))
        got = b""
        while len(got) < 80:
            got += connection.recv(4096)
    assert got[5] == 2   # ServerHello
    session = got[43]
    assert got[44 + session + 2] == 0   # its compression method


@pytest.mark.rows("TL-030")
@pytest.mark.parametrize("header", [b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n", b"PROXY TCP4 " + b"1" * 65536], ids=["untrusted", "long"])
def test_a_proxy_header_of_a_stranger_ends_the_connection(authority, header):
    with Site({"a": authority.issue("a.test")}, listener={"proxy_protocol": "any"}) as site:
        try:
            assert answer(site.port, header) == b""
        except (BrokenPipeError, ConnectionResetError):
            pass
        eventually(lambda: site.proxyd.metric("proxyd_proxy_proto_bad_total") == 1, what="the count")


REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


def test_a_few_empty_records_are_no_harm_rfc8446_5_1(site, authority, tmp_path):
    with RecordsByHand(site.port, trusting(authority), "a.test", tmp_path) as client:
        client.send(*[b""] * 32, REQUEST)
        assert client.receive().startswith(b"HTTP/1.1 200 ")


@pytest.mark.rows("TL-012")
def test_more_than_32_empty_records_in_a_row_end_the_connection_rfc8446_5_1(site, authority, tmp_path):
    before = len(site.asked)
    with RecordsByHand(site.port, trusting(authority), "a.test", tmp_path) as client:
        client.send(*[b""] * 33, REQUEST)
        with pytest.raises(ssl.SSLError, match="UNEXPECTED_MESSAGE"):
            client.receive()
    assert len(site.asked) == before
