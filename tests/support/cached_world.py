"""A server with a cache whose origin counts, for what the admin API says and does about that."""
from admin import AdminProxyd
from client import exchange, get
from origin import Origin, ok
from proxyd import StopsAtTheEnd, free_port, site

PURGES = "/api/v1/cache/purges"


def cached_site(port, address):
    document = site(port, address)
    document["cache_policies"] = {"main": {}, "few": {"key": {"query": {"only": ["v"]}}}, "open": {"methods": ["GET", "HEAD", "POST"], "range": "pass"}, "sliced": {"range": "slice", "slice": "4KiB"}}
    document["hosts"]["all"]["routes"] = [
        {"name": "few", "match": {"path_prefix": "/few"}, "upstream": "app", "cache": "few"},
        {"name": "open", "match": {"path_prefix": "/open"}, "upstream": "app", "cache": "open"},
        {"name": "sliced", "match": {"path_prefix": "/sliced"}, "upstream": "app", "cache": "sliced"},
        {"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "main"}]
    return document


class World(StopsAtTheEnd):
    """A server of two workers whose origin says of each path how often it was asked for it."""

    def __init__(self, **more):
        self.origin, self.port, self.asked = Origin(), free_port(), {}
        self.fields = [b"Cache-Control: max-age=600, stale-while-revalidate=600"]
        self.origin.answer = self.answer
        self.proxyd = AdminProxyd(cached_site(self.port, self.origin.address), arguments=("--cache", "64MiB"), **{"workers": 2, **more})

    def answer(self, request):
        key = (request.values("Host")[0], request.target)
        self.asked[key] = self.asked.get(key, 0) + 1
        tags = [b"Surrogate-Key: " + value.encode() for value in request.values("X-Tags")]
        if request.values("Range") == ["bytes=0-4"]:
            return ok(b"answe", b"Content-Range: bytes 0-4/8", *self.fields).replace(b"200 OK", b"206 Part")
        if request.target.startswith("/sliced") and request.values("Range") == ["bytes=0-4095"]:
            return ok(b"part 1", b"Content-Range: bytes 0-5/6", b'ETag: "a"', *self.fields).replace(b"200 OK", b"206 Part")
        return ok(b"answer %d" % self.asked[key], *self.fields, *tags)

    def seen(self, path, host=b"a.test", *fields):
        """What each of several connections, of both workers, is answered."""
        bodies = {exchange(self.port, get(path.encode(), *fields, host=host)).body for _ in range(8)}
        assert len(bodies) == 1, bodies
        return int(bodies.pop().split()[1])

    def purge(self, **what):
        answer = self.proxyd.root("POST", PURGES, what)
        assert answer.status == 200, answer
        return answer.json

    def stop(self):
        self.proxyd.stop()
        self.origin.stop()
