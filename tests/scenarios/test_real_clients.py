"""The programs and libraries that people use, as clients and as origin."""
import asyncio
import gzip
import http.client
import json
import re
import socket
import subprocess
import threading

import pytest
import requests
import websockets
from client import Client
from nginx import Nginx
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site


def described(request):
    """What the origin saw, as the client gets to read it."""
    fields = {name.lower(): value for name, value in request.fields}
    said = {"method": request.method, "target": request.target, "fields": fields, "body": request.body[:4096].decode("latin-1"),
            "size": len(request.body), "trailers": request.trailers}
    return ok(json.dumps(said).encode(), b"Content-Type: application/json")


@pytest.fixture(scope="module")
def described_site():
    origin, port = Origin(described), free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        yield proxyd, f"http://127.0.0.1:{port}"
    origin.stop()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """nginx with a text, a page and a large file, and what fetches them through us."""
    folder, port = tmp_path_factory.mktemp("files"), free_port()
    folder.chmod(0o755)
    (folder / "text.txt").write_bytes(bytes(range(32, 127)) * 500)
    (folder / "page.html").write_text("<p>page</p>" * 5000)
    (folder / "old").mkdir()
    # gzip_proxied: by itself nginx codes nothing for a request with Via
    server = (f"root {folder}; gzip on; gzip_proxied any; gzip_types text/plain; location = /moved {{ return 301 /text.txt; }} "
              "location /small/ { client_max_body_size 1k; }")
    with Nginx(server) as nginx, Proxyd(site(port, nginx.address)):
        yield folder, f"http://127.0.0.1:{port}", f"http://{nginx.address}"


def run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, (command, done.returncode, done.stderr[-500:])
    return done.stdout


def curl(*arguments, stdin=None):
    return run("curl", "-sS", "--max-time", "30", *arguments, stdin=stdin)


def test_curl_keeps_its_connection(described_site):
    _, url = described_site
    said = curl("-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n", url + "/1", url + "/2", url + "/3")
    assert said.split(b"\n")[:3] == [b"200 1", b"200 0", b"200 0"]


def test_ab_keeps_its_connections_over_http_1_0(described_site):
    _, url = described_site
    said = run("ab", "-q", "-k", "-l", "-n", "2000", "-c", "8", url + "/ab").decode()
    counts = {name: int(value) for name, value in re.findall(r"^(.*) requests: +(\d+)$", said, re.M)}
    assert counts == {"Complete": 2000, "Failed": 0, "Keep-Alive": 2000}, said
    assert "Non-2xx" not in said


def test_ab_without_keep_alive_gets_every_answer(described_site):
    _, url = described_site
    said = run("ab", "-q", "-l", "-n", "500", "-c", "8", url + "/ab").decode()
    assert re.search(r"Complete requests: +500\n", said) and re.search(r"Failed requests: +0\n", said) and "Non-2xx" not in said, said


def test_forms_arrive_as_they_were_filled_in(described_site):
    _, url = described_site
    by_curl = json.loads(curl("--data-urlencode", "a=b c&d", "-d", "e=f", url + "/form"))
    by_wget = json.loads(run("wget", "-q", "-O", "-", "--post-data", "a=b%20c%26d&e=f", url + "/form"))
    by_requests = requests.post(url + "/form", data={"a": "b c&d", "e": "f"}, timeout=30).json()
    assert by_curl["body"] in ("a=b+c%26d&e=f", "a=b%20c%26d&e=f") and by_curl["method"] == "POST"
    assert by_wget["body"] == "a=b%20c%26d&e=f"
    assert by_requests["body"] == "a=b+c%26d&e=f" and by_requests["fields"]["content-type"] == "application/x-www-form-urlencoded"
    several = requests.post(url + "/form", files={"file": ("name.bin", b"\x00\xff" * 500_000)}, timeout=30).json()
    assert several["size"] > 1_000_000 and several["fields"]["content-type"].startswith("multipart/form-data")


def test_curl_uploads_after_100_continue_rfc9110_10_1_1(described_site, tmp_path):
    _, url = described_site
    (tmp_path / "body").write_bytes(b"0123456789" * 2_000_000)
    said = json.loads(curl("-T", tmp_path / "body", "-H", "Expect: 100-continue", url + "/up"))
    assert said["size"] == 20_000_000 and said["method"] == "PUT"


def test_curl_keeps_its_content_to_itself_when_the_origin_refuses_it_rfc9110_10_1_1(files, tmp_path):
    _, url, _ = files
    (tmp_path / "body").write_bytes(b"0123456789" * 2_000_000)
    said = curl("-T", tmp_path / "body", "-H", "Expect: 100-continue", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}", url + "/small/")
    assert said == b"413 0"


def test_an_answer_that_comes_before_the_upload_is_read_reaches_the_client(files, tmp_path):
    _, url, _ = files
    (tmp_path / "body").write_bytes(b"0123456789" * 2_000_000)
    assert curl("-T", tmp_path / "body", "-H", "Expect:", "-o", "/dev/null", "-w", "%{http_code}", url + "/small/") == b"413"


def test_curl_uploads_what_it_reads_from_a_pipe_in_chunks(described_site):
    _, url = described_site
    said = json.loads(curl("-T", "-", url + "/piped", stdin=b"abcdefghij" * 500_000))
    assert said["size"] == 5_000_000 and said["body"].startswith("abcdefghij") and said["fields"].get("transfer-encoding") == "chunked"


def test_ranges_and_conditions_are_the_origins_to_answer_rfc9110_14(files):
    folder, url, _ = files
    text = (folder / "text.txt").read_bytes()
    assert curl("-r", "100-199", url + "/text.txt") == text[100:200]
    assert curl("-r", "-50", url + "/text.txt") == text[-50:]
    several = curl("-i", "-r", "0-9,20-29", url + "/text.txt")
    assert b" 206 " in several.split(b"\r\n")[0] and b"multipart/byteranges" in several and text[20:30] in several
    beyond = curl("-o", "/dev/null", "-w", "%{http_code} %header{content-range}", "-r", "99999999-", url + "/text.txt")
    assert beyond == b"416 bytes */%d" % len(text)
    tag = requests.head(url + "/text.txt", headers={"Accept-Encoding": "identity"}, timeout=30).headers["ETag"]
    fresh = requests.get(url + "/text.txt", headers={"If-None-Match": tag, "Accept-Encoding": "identity"}, timeout=30)
    assert fresh.status_code == 304 and fresh.headers["ETag"] == tag and not fresh.content


def test_wget_continues_a_download(files, tmp_path):
    folder, url, _ = files
    text = (folder / "text.txt").read_bytes()
    (tmp_path / "text.txt").write_bytes(text[:1000])
    run("wget", "-q", "-c", "-P", tmp_path, url + "/text.txt")
    assert (tmp_path / "text.txt").read_bytes() == text


def test_head_says_what_get_would(files):
    folder, url, _ = files
    head = curl("-I", url + "/text.txt", "-I", url + "/page.html")
    assert b"Content-Length: %d\r\n" % (folder / "text.txt").stat().st_size in head
    assert b"Content-Length: %d\r\n" % (folder / "page.html").stat().st_size in head


def test_a_coding_passes_as_it_is(files):
    folder, url, direct = files
    text = (folder / "text.txt").read_bytes()
    coded = curl("-H", "Accept-Encoding: gzip", url + "/text.txt")
    assert coded == curl("-H", "Accept-Encoding: gzip", direct + "/text.txt") and gzip.decompress(coded) == text
    assert curl("--compressed", url + "/text.txt") == text
    assert requests.get(url + "/text.txt", timeout=30).content == text


def test_redirects_are_followed(files):
    folder, url, _ = files
    text = (folder / "text.txt").read_bytes()
    assert curl("-L", url + "/moved") == text
    assert requests.get(url + "/moved", timeout=30).content == text
    assert curl("-o", "/dev/null", "-w", "%{http_code} %header{location}", url + "/old") == b"301 /old/"


def test_trailers_reach_curl_and_the_origin_rfc9110_6_5(described_site):
    _, url = described_site
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n"
    origin, port = Origin(lambda request: answer), free_port()
    with Proxyd(site(port, origin.address)):
        assert b"X-Sum: 7\r\n" in curl("-D", "-", f"http://127.0.0.1:{port}/")
    origin.stop()
    with Client(int(url.rsplit(":", 1)[1])) as client:
        client.send(b"POST /t HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")
        assert json.loads(client.response().body)["trailers"] == [["X-Sum", "7"]]


def test_python_requests_uses_one_connection_for_a_session(described_site):
    proxyd, url = described_site
    opened = proxyd.metric("proxyd_downstream_accepted_total")
    with requests.Session() as session:
        for number in range(100):
            assert session.get(f"{url}/{number}", timeout=30).json()["target"] == f"/{number}"
        pieces = (b"piece %d;" % number for number in range(1000))
        assert session.post(url + "/chunks", data=pieces, timeout=30).json()["size"] == sum(len(b"piece %d;" % n) for n in range(1000))
    assert proxyd.metric("proxyd_downstream_accepted_total") - opened == 1


def test_http_client_reads_a_response_while_it_has_more_to_ask(described_site):
    _, url = described_site
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    for method in ("GET", "OPTIONS", "DELETE", "PATCH", "PROPFIND"):
        connection.request(method, "/x", body=b"some" if method == "PATCH" else None)
        assert json.loads(connection.getresponse().read())["method"] == method
    connection.close()


def test_listeners_and_targets_may_be_ipv6_and_unix(tmp_path):
    origin, other, port = Origin(described, path=tmp_path / "origin.socket"), Origin(described, ipv6=True), free_port()
    document = site(port, origin.address)
    document["upstreams"]["other"] = {"targets": {"one": {"address": other.address}}}
    document["hosts"]["all"]["routes"].append({"name": "other", "match": {"path": "/other"}, "upstream": "other"})
    document["listeners"] = {"six": {"address": f"[::1]:{port}"}, "local": {"address": f"unix:{tmp_path}/site.socket"}}
    with Proxyd(document):
        six = json.loads(curl("-g", f"http://[::1]:{port}/six"))
        assert six["target"] == "/six" and six["fields"]["x-forwarded-for"] == "::1" and six["fields"]["host"] == f"[::1]:{port}"
        assert json.loads(curl("-g", f"http://[::1]:{port}/other"))["fields"]["host"] == f"[::1]:{port}"
        assert len(other.requests) == 1
        local = json.loads(curl("--unix-socket", tmp_path / "site.socket", "http://a.test/local"))
        assert local["target"] == "/local" and local["fields"]["host"] == "a.test"
    origin.stop()
    other.stop()


V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2_header(source, destination, ports):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination) + b"".join(p.to_bytes(2, "big") for p in ports)
    return V2_SIGNATURE + b"\x21\x11" + len(addresses).to_bytes(2, "big") + addresses


def test_the_proxy_protocol_names_the_client():
    origin, port = Origin(described), free_port()
    document = site(port, origin.address)
    document["listeners"]["main"]["proxy_protocol"] = "any"
    document["defaults"] = {"trusted_proxies": ["127.0.0.0/8"]}
    with Proxyd(document) as proxyd:
        said = json.loads(curl("--haproxy-protocol", f"http://127.0.0.1:{port}/"))
        assert said["fields"]["x-forwarded-for"] == "127.0.0.1"
        for header, seen in [(b"PROXY TCP4 203.0.113.7 198.51.100.1 4000 80\r\n", "203.0.113.7"),
                             (b"PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r\n", "2001:db8::7"),
                             (v2_header("203.0.113.9", "198.51.100.1", (4000, 80)), "203.0.113.9")]:
            with Client(port) as client:
                client.send(header + b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                assert json.loads(client.response().body)["fields"]["x-forwarded-for"] == seen
                client.send(b"GET /again HTTP/1.1\r\nHost: a.test\r\n\r\n")   # the header is said once
                assert json.loads(client.response().body)["fields"]["x-forwarded-for"] == seen
        with Client(port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert client.is_closed()
        eventually(lambda: proxyd.metric("proxyd_proxy_proto_bad_total") == 1)
    origin.stop()


class EchoServer:
    """A WebSocket server in a thread of its own; `stop` closes it with everything it serves."""

    def __init__(self):
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve()))
        self.thread.start()
        assert self.ready.wait(10)

    async def _serve(self):
        async def echo(connection, _path):
            async for message in connection:
                await connection.send(message)

        self.ended = asyncio.Event()
        async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, subprotocols=["echo"]) as server:
            self.address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.ended.wait()

    def stop(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join(10)


async def echo_messages(url):
    async with websockets.connect(url, max_size=None, subprotocols=["echo"]) as connection:
        assert connection.subprotocol == "echo"
        for size in (0, 1, 125, 126, 65535, 65536, 3_000_000):
            for message in ("ä" * (size // 2), b"\x00\xff" * (size // 2)):
                await connection.send(message)
                assert await connection.recv() == message
        await asyncio.wait_for(await connection.ping(), 10)
    return connection.close_code


def test_a_websocket_client_and_server_talk_through_us():
    server, port = EchoServer(), free_port()
    with Proxyd(site(port, server.address)) as proxyd:

        async def several():
            return await asyncio.gather(*[echo_messages(f"ws://127.0.0.1:{port}/echo") for _ in range(5)])

        assert asyncio.run(several()) == [1000] * 5
        eventually(lambda: proxyd.metric("proxyd_tunnels") == 0)
        assert proxyd.metric("proxyd_tunnels_made_total") == 5
    server.stop()
