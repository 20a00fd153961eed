#!/usr/bin/python3
"""Whether what is sent by kernel TLS is what it was, where the kernel has it: see kernel_tls.py, which runs this in a
virtual machine. Ends with 1 when something was wrong, and when kernel TLS was not used. Words in the command line
choose the checks that have them in their names."""
import contextlib
import hashlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from certificates import Authority   # noqa: E402
from origin import Origin   # noqa: E402
from proxyd import BUILD, Proxyd, eventually, free_port, paced   # noqa: E402
from tls_site import TlsClient, trusting   # noqa: E402

SIZES = [1_000, 100_000, 10_000_000]
SUITES = [("1.3", "TLS_AES_128_GCM_SHA256"), ("1.3", "TLS_AES_256_GCM_SHA384"), ("1.3", "TLS_CHACHA20_POLY1305_SHA256"),
          ("1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"), ("1.2", "ECDHE-ECDSA-CHACHA20-POLY1305")]
LARGEST = random.Random(1).randbytes(max(SIZES))
PATIENCE = 300


def content(size):
    return LARGEST[-size:]


def answer(request):
    """/KIND/SIZE: so many octets; of kind `chunked` in chunks, of kind `cached` to be stored. Or what was sent."""
    if request.target == "/echo":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request.body) + request.body
    _, kind, size = request.target.split("/")
    body = content(int(size))
    if kind == "chunked":
        parts = [body[at:at + 30_000] for at in range(0, len(body), 30_000)]
        return [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]
    fresh = b"Cache-Control: max-age=6000\r\n" if kind == "cached" else b"Cache-Control: no-store\r\n"
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (fresh, len(body)) + body


class Site:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.authority = Authority(self.folder)
        self.origin, self.port = Origin(answer), free_port()
        route = {"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "main"}
        self.proxyd = Proxyd({
            "version": 1, "certificates": {"a": self.authority.issue("a.test").document()},
            "listeners": {"main": {"address": f"127.0.0.1:{self.port}", "tls": {}, "protocols": ["h1", "h2"]}},
            "upstreams": {"app": {"targets": {"one": {"address": self.origin.address}}}}, "cache_policies": {"main": {}},
            "hosts": {"a": {"names": ["a.test"], "routes": [route]}}}, patience=PATIENCE)

    def connections(self, result):
        return self.proxyd.metric("proxyd_tls_kernel_connections_total", result=result)

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "--cacert", self.authority.certificate,
                               "--resolve", f"a.test:{self.port}:127.0.0.1", *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, version=None):
        client = TlsClient(self.port, trusting(self.authority, version), "a.test", timeout=PATIENCE)
        client.socket.suppress_ragged_eofs = False
        return client

    def s_client(self, *lines, options=()):
        """What `openssl s_client` says when it is given these lines, the next when what is before it has appeared."""
        process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "a.test", *options],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = b""
        for line, until in lines:
            process.stdin.write(line)
            process.stdin.flush()
            while until not in said:
                got = process.stdout.read1()
                if not got:
                    break
                said += got
            said = said[said.find(until) + len(until):] if until in said else said
        process.stdin.close()
        return said + process.stdout.read()


def request(path, *fields):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a.test", *fields, "", ""]).encode()


@contextlib.contextmanager
def small_send_buffers():
    """Emulated ciphers need seconds for what a large buffer takes at once, and the watch dog gives a worker five."""
    setting = Path("/proc/sys/net/ipv4/tcp_wmem")
    before = setting.read_text()
    setting.write_text("4096 131072 524288")
    yield
    setting.write_text(before)


@small_send_buffers()
def check_every_cipher_and_protocol(site):
    for version, suite in SUITES:
        for protocol in ("--http1.1", "--http2"):
            before = site.connections("given")
            paths = [f"{kind}/{size}" for size in SIZES for kind in ("plain", "chunked", "cached", "cached", "plain")]
            paths = [(paths + paths[:2])[i] for i in range(len(paths) + 2)]   # small ones after the large ones too
            files = [site.folder / f"got{i}" for i in range(len(paths))]
            outputs = [word for file in files for word in ("-o", file)]
            cipher = ["--tls13-ciphers", suite] if version == "1.3" else ["--ciphers", suite]
            said = site.curl(protocol, f"--tlsv{version}", "--tls-max", version, *cipher, "-w", "%{http_code} %{http_version} %{num_connects}\n", *outputs,
                             *[f"https://a.test:{site.port}/{path}" for path in paths])
            expected = "1.1" if protocol == "--http1.1" else "2"
            assert [line.split()[:2] for line in said.splitlines()] == [["200", expected]] * len(paths), said
            assert sum(int(line.split()[2]) for line in said.splitlines()) == 1, said
            for path, file in zip(paths, files):
                wanted = content(int(path.rpartition("/")[2]))
                assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(wanted).digest(), (suite, protocol, path)
            assert site.connections("given") == before + 1, (suite, protocol)
    assert site.connections("refused") == 0


def check_small_answers_stay_with_openssl(site):
    before = site.connections("given")
    with site.client() as client:
        for _ in range(20):
            client.send(request("/cached/1000"))
            assert client.response().body == content(1000)
    assert site.connections("given") == before


def check_what_is_sent_while_the_kernel_answers(site):
    with site.client() as client:
        for body in (content(100_000), b"small", content(2_000_000)):
            client.send(b"POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert client.response().body == body


def rest_of(client):
    """What is left of the answer, and how the connection ended."""
    got = [client.buffer]
    try:
        while some := client.socket.recv(1 << 20):
            got.append(some)
    except ssl.SSLError as error:
        return b"".join(got), error.reason
    return b"".join(got), "close_notify"


def check_clients_that_rest_in_the_middle(site):
    for kind in ("cached", "plain", "chunked"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with site.client(version) as client:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 262_144)
                client.send(request(f"/{kind}/10000000", "Connection: close"))
                client.head()
                for _ in paced(0.5, 4):
                    client.peek()
                got, end = rest_of(client)
            assert (unchunked(got) if kind == "chunked" else got) == content(10_000_000), (kind, version, len(got), end)
            assert end == "close_notify", (kind, version, end)


def check_clients_that_rest_until_the_connection_is_closed(site):
    """Sizes about that of the kernel's buffers, so that some answers end where these do."""
    sizes = range(1_000_000, 6_500_000, 250_000)
    clients = [site.client() for _ in sizes]
    for client, size in zip(clients, sizes):
        client.send(request(f"/plain/{size}", "Connection: close"))
    for _ in paced(5, 1):   # longer than it lingers
        pass
    for client, size in zip(clients, sizes):
        client.head()
        got, end = rest_of(client)
        assert got == content(size) and end == "close_notify", (size, len(got), end)
        client.socket.close()


def unchunked(octets):
    body, at = [], 0
    while True:
        end = octets.index(b"\r\n", at)
        size = int(octets[at:end], 16)
        if size == 0:
            return b"".join(body)
        body.append(octets[end + 2:end + 2 + size])
        at = end + 4 + size


def check_the_end_is_said_to_s_client(site):
    for version in ("-tls1_2", "-tls1_3"):
        said = site.s_client((request("/cached/100000", "Connection: close"), content(100_000)), options=(version, "-quiet", "-ign_eof"))
        assert b"unexpected eof" not in said and b"errno" not in said, said[-500:]


def check_a_client_that_changes_its_keys(site):
    """`k` changes those of the client alone, `K` asks for new ones of ours too, which ends the connection."""
    get = request("/cached/100000")
    before = site.connections("cut")
    said = site.s_client((get, content(100_000)), (b"k\n", b"KEYUPDATE\n"), (get, content(100_000)), (b"Q\n", b"DONE"), options=("-tls1_3",))
    assert b"rror" not in said and site.connections("cut") == before, said[-500:]
    site.s_client((get, content(100_000)), (b"K\n", b"KEYUPDATE\n"), (get, b"never said"), options=("-tls1_3",))
    eventually(lambda: site.connections("cut") == before + 1, 60)


def check_clients_that_leave(site):
    for turn in range(20):
        with site.client() as client:
            client.send(request("/plain/10000000"))
            client.exactly(turn * 50_000)
            client.reset() if turn % 2 else None
    with site.client() as client:
        client.send(request("/plain/100000"))
        assert client.response().body == content(100_000)


def check_the_unit_tests(_):
    done = subprocess.run([BUILD / "bin/test_worker_tls"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        site = Site(folder)
        assert site.proxyd.api("GET", "/api/v1/status")[1]["kernel_tls"], "this kernel has no TLS"
        for name, check in list(globals().items()):
            if not name.startswith("check_") or not all(word in name for word in sys.argv[1:]):
                continue
            try:
                check(site)
                print("fine:", name[6:].replace("_", " "), flush=True)
            except Exception:   # noqa: BLE001: the others are looked at all the same
                traceback.print_exc()
                failed.append(name)
        counts = {result: int(site.connections(result)) for result in ("given", "refused", "cut")}
        print("connections:", counts, flush=True)
        print("the kernel says:", Path("/proc/net/tls_stat").read_text().split(), flush=True)
        restarts = site.proxyd.metric("proxyd_process_restarts_total")
        if failed or restarts:
            print(site.proxyd.logs())
        site.proxyd.stop()
        site.origin.stop()
    assert counts["given"] > 0 and restarts == 0, (counts, restarts)
    sys.exit(f"wrong: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
