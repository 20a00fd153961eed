"""A mixed load on a cache, every content compared: hits, fills of all sizes, variants, validations, refreshes behind,
ranges, what is never stored, invalidation, failing origins, clients that leave.

An answer tells its page and version in the field Version, and each content follows from both, so that one octet of
another page or version shows."""
import random
import re
import threading

from client import Client, Closed, get
from origin import Origin
from pages import OPEN, Answer
from proxyd import free_port

PAGES = 64
SIZES = [0, 10, 500, 3000, 70_000, 300_000, 1_500_000]
POLICIES = {"plain": {"max_object": "1MiB"}, "open": {**OPEN, "max_object": "1MiB"}}


class Mixture:
    def __init__(self, seed):
        self.versions, self.contents, self.lock = [0] * PAGES, {}, threading.Lock()
        self.chance, self.port, self.over = random.Random(seed), free_port(), threading.Event()
        self.wrong, self.answered, self.failed, self.cut = [], 0, 0, 0
        self.origin = Origin(self._answer)
        hosts = {name: {"names": [f"{name}.test"], "routes": [{"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": name}]} for name in POLICIES}
        self.document = {"version": 1, "listeners": {"main": {"address": f"127.0.0.1:{self.port}"}}, "cache_policies": POLICIES, "hosts": hosts,
                         "upstreams": {"app": {"targets": {"one": {"address": self.origin.address}}, "retry": {"retries": 0}}}}

    def content(self, page, version):
        with self.lock:
            if (page, version) not in self.contents:
                source = random.Random(page * 1_000_003 + version)
                self.contents[page, version] = source.randbytes(source.choice(SIZES))
            return self.contents[page, version]

    def _fields(self, page, version):
        etag = f'"{page}-{version}"'
        return [
            ["Cache-Control: max-age=3600", f"ETag: {etag}"], ["Cache-Control: max-age=0, stale-while-revalidate=60", f"ETag: {etag}"], ["Cache-Control: no-cache", f"ETag: {etag}"],
            ["Cache-Control: max-age=1", f"ETag: {etag}"], ["Cache-Control: no-store"], ["Cache-Control: max-age=60", "Vary: Foo"],
            ["Cache-Control: max-age=1, stale-if-error=60"], ["Cache-Control: max-age=60", self.chance.choice(["Vary: Foo", "Vary: Foo, Bar"]), f"ETag: W/{etag}"],
        ][page % 8]

    def _answer(self, request):
        page = int(re.match(r"/(\d+)", request.target)[1])
        if request.method == "POST":
            self.versions[page] += 1
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        if self.chance.random() < 0.02:
            return self.chance.choice([["close"], Answer(status=500).script(request, 0)])
        version = self.versions[page]
        content, fields = self.content(page, version), [*self._fields(page, version), f"Version: {version}"]
        chunked = self.chance.random() < 0.1 and content and request.method == "GET" and not request.values("Range")
        if chunked:
            pieces = [content[at:at + 5000] for at in range(0, len(content), 5000)]
            said = Answer(*fields, "Transfer-Encoding: chunked", body=b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        else:
            said = Answer(*fields, body=content, ranges=len(content) > 300 and self.chance.random() < 0.7)
        octets = b"".join(said.script(request, 1))
        cut = self.chance.randrange(len(octets)) if self.chance.random() < 0.3 else len(octets)
        return [octets[:cut], *(["close"] if cut < len(octets) and self.chance.random() < 0.05 else []), octets[cut:]]

    def _check(self, page, response):
        if response.status >= 500:
            self.failed += 1
        elif response.status in (200, 206):
            content, part = self.content(page, int(response.value("Version"))), response.value("Content-Range")
            first, last, size = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", part).groups()) if part else (0, len(content) - 1, len(content))
            if size != len(content) or response.body != content[first:last + 1]:
                self.wrong.append((page, response))
        elif response.status not in (204, 304, 416):
            self.wrong.append((page, response))

    def _request(self, chance, page):
        first = chance.randrange(200)
        asked = chance.choice([[], [], [], [], [], [b"Range: bytes=%d-%d" % (first, first + chance.randrange(100_000))], [b"Range: bytes=-%d" % (first + 1)],
                               [b'If-None-Match: "%d-%d"' % (page, self.versions[page])], [b"Cache-Control: no-cache"], [b"Cache-Control: only-if-cached"], [b"Cache-Control: no-store"]])
        if chance.random() < 0.04:
            return get(b"/%d" % page, b"Content-Length: 0", host=b"plain.test", method=b"POST")
        return get(b"/%d" % page, *asked, b"Foo: %d" % chance.randrange(3), b"Bar: %d" % chance.randrange(2), host=chance.choice([b"plain.test", b"open.test"]))

    def _ask(self, seed):
        chance, client = random.Random(seed), None
        while not self.over.is_set():
            page = chance.randrange(PAGES)
            try:
                client = client or Client(self.port, timeout=30)
                client.send(self._request(chance, page))
                if chance.random() < 0.03:
                    client.reset()
                    client = None
                    continue
                response = client.response()
            except (Closed, ConnectionError):
                self.cut += 1
                client = None
                continue
            except TimeoutError:
                self.wrong.append((page, "no answer for 30 s"))
                return
            self.answered += 1
            self._check(page, response)
            if response.value("Connection") == "close":
                client = None

    def __enter__(self):
        self.threads = [threading.Thread(target=self._ask, args=(self.chance.random(),)) for _ in range(12)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
