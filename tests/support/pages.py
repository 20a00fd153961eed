"""A proxyd that caches, an origin that answers page by page, and what became of each request.

One document has a host for each cache policy, so one proxyd serves all tests of a process. A page is a path that no other
test knows: what the origin says there (`says`), what it was asked (`asked`), and requests for it through proxyd (`get`).
What became of each is printed, for whoever has to understand a test that failed. The origin is honest unless told
otherwise: it answers 304 where a request's condition fits what it would say. Each of its answers carries its number in
the field Answer and, unless the test gives a content, in the content."""
import itertools
import re
import threading
import time
from email.utils import formatdate

from client import Client
from origin import Origin
from proxyd import Proxyd, StopsAtTheEnd, free_port

DAY = 24 * 3600
# What the public test suites of caches are run with.
OPEN = {"methods": ["GET", "HEAD", "POST"], "heuristic": "on", "store_set_cookie": "strip", "range": "pass"}
NO_CONTENT = (204, 304)


def date(seconds=0):
    """An HTTP date so many seconds from now."""
    return formatdate(time.time() + seconds, usegmt=True)


class Answer:
    """What the origin says: status, fields, content. `steps` in place of it all: a script of an Origin; `before` and
    `middle`: what it waits for before it begins and in the middle of its content. `heedless`: it looks at no condition;
    `ranges`: it looks at Range and If-Range, which it otherwise does not."""

    def __init__(self, *fields, status=200, body=None, interim=(), before=None, middle=None, steps=None, heedless=False, ranges=False):
        self.fields, self.status, self.body, self.interim = fields, status, body, interim
        self.before, self.middle, self.steps, self.heedless, self.ranges = before, middle, steps, heedless, ranges

    def value(self, name):
        return next((line.split(":", 1)[1].strip() for line in self.fields if line.lower().startswith(name.lower() + ":")), None)

    def fits(self, request):
        """Whether the request's condition names what this says (RFC 9110 13.1)."""
        etag, modified, asked = self.value("ETag"), self.value("Last-Modified"), request.values("If-None-Match")
        if asked:
            return etag is not None and any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in re.findall(r'(?:W/)?"[^"]*"', asked[0]))
        return modified is not None and request.values("If-Modified-Since") == [modified]

    def is_not_modified(self, request):
        asked = self.status == 200 and request.method in ("GET", "HEAD") and not self.heedless
        return asked and self.steps is None and self.fits(request)

    def range_of(self, request, size):
        """First and last octet that the request asks for, if it asks for one range of what this says."""
        if_range = request.values("If-Range")
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", (request.values("Range") or [""])[0])
        if not self.ranges or not asked or (if_range and if_range[0] != self.value("ETag")):
            return None
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        return first, min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1

    def script(self, request, number):
        if self.steps is not None:
            return self.steps
        status = 304 if self.is_not_modified(request) else self.status
        body = b"answer %d" % number if self.body is None else self.body
        fields, part = [*self.fields, f"Answer: {number}"], self.range_of(request, len(body)) if status == 200 else None
        if part:
            status, body, size = 206, body[part[0]:part[1] + 1], len(body)
            fields.append(f"Content-Range: bytes {part[0]}-{part[1]}/{size}")
        if status not in NO_CONTENT and not self.value("Content-Length") and not self.value("Transfer-Encoding"):
            fields.append(f"Content-Length: {len(body)}")
        if self.value("Date") is None:
            fields.append("Date: " + date())
        head = "\r\n".join([f"HTTP/1.1 {status} Said", *(line for line in fields if line != "Date: none"), "", ""]).encode("latin-1")
        if status in NO_CONTENT or request.method == "HEAD":
            body = b""
        half = len(body) // 2 if self.middle else len(body)
        steps = [self.before, b"".join(self.interim) + head + body[:half], self.middle, body[half:]]
        return [step for step in steps if step]


class Page:
    def __init__(self, caches, policy, path):
        self.caches, self.host, self.path = caches, f"{policy}.test".encode(), path
        self.answers, self.given, self.asked, self.lock = [], False, [], threading.Lock()

    def says(self, *fields, **rest):
        """What the origin says next, once, or for good if it is the last thing said."""
        self.answers.append(Answer(*fields, **rest))
        return self

    def script(self, request):
        with self.lock:
            if self.given and len(self.answers) > 1:
                self.answers.pop(0)
            self.given, answer = True, self.answers[0]
            request.answered = 304 if answer.is_not_modified(request) else answer.status
            self.asked.append(request)
            number = len(self.asked)
        return answer.script(request, number)

    def request(self, *fields, method="GET", body=None, query="", path=None, version=b"HTTP/1.1", host=None):
        lines = [b" ".join([method.encode(), (path or self.path).encode() + query.encode(), version]), b"Host: " + (host or self.host),
                 *(field.encode("latin-1") for field in fields)]
        if body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body or b""])

    def get(self, *fields, timeout=10, **rest):
        """The response, which also has the `number` of the origin's answer that it is and its `fate`: hit, validated or
        miss, by what the origin was asked meanwhile."""
        before = len(self.asked)
        with Client(self.caches.port, timeout=timeout) as client:
            client.send(self.request(*fields, **rest))
            response = client.response(rest.get("method", "GET"))
        number = response.value("Answer")
        response.number = int(number) if number else None
        response.age = int(response.value("Age")) if (response.value("Age") or "").isdigit() else None
        new = self.asked[before:]
        asked = response.number > before if number else bool(new)
        response.fate = "miss" if asked else "hit"
        if asked and new[-1].answered == 304:
            response.fate = "validated"
        print(f"{self.path}: answer {number} of {len(self.asked)}, {response.fate}; {response.value('Cache-Status')}; Age {response.value('Age')}")
        return response

    def fates(self, *requests):
        """What becomes of requests one after the other; each is a tuple of fields or one field."""
        return [self.get(*([one] if isinstance(one, str) else one)).fate for one in requests]


class Caches(StopsAtTheEnd):
    """proxyd with a host NAME.test for each policy NAME, all of one origin. `more`: other keys of the document; `hosts`:
    keys of a host beside its routes, by policy."""

    def __init__(self, policies, more=None, hosts=None, **how):
        self.origin, self.port, self.pages, self.counter = Origin(self._script), free_port(), {}, itertools.count(1)
        self.document = {
            "version": 1,
            "listeners": {"main": {"address": f"127.0.0.1:{self.port}"}},
            "upstreams": {"app": {"targets": {"one": {"address": self.origin.address}}, "retry": {"retries": 0}}},
            "cache_policies": policies,
            "hosts": {name: {"names": [f"{name}.test"], **(hosts or {}).get(name, {}),
                             "routes": [{"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": name}]} for name in policies},
            **(more or {}),
        }
        self.proxyd = Proxyd(self.document, **how)

    def _script(self, request):
        page = self.pages.get(re.split(r"[?;]", request.target)[0])
        return page.script(request) if page else Answer(status=404).script(request, 0)

    def page(self, policy="plain", path=None, also=()):
        """A page; `also`: other paths under which the origin has the same."""
        path = path or f"/{next(self.counter)}-page"
        made = Page(self, policy, path)
        for one in (path, *also):
            self.pages[one] = made
        return made

    def saying(self, *fields, policy="plain", **rest):
        """A page where the origin always says the same."""
        return self.page(policy).says(*fields, **rest)

    def stop(self):
        self.proxyd.stop()
        if self.origin.socket.fileno() >= 0:   # a test may have stopped it
            self.origin.stop()
