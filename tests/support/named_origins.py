"""Several origins of one upstream: each answers with its name, until it is told to do something else."""
import threading

from client import exchange, get
from origin import Origin, ok
from proxyd import Proxyd, StopsAtTheEnd, free_port, site


class NamedOrigins(StopsAtTheEnd):
    """`targets`: what the document says of each besides its address. `upstream`: of the upstream. A target's `script`
    answers its requests; `well` what its checks are told. Requests that are no checks are in `asked`."""

    def __init__(self, targets, upstream=None, workers=1, host=None, document=None, state=None, well=None, arguments=()):
        self.port, self.scripts, self.well, self.asked, self.lock = free_port(), {}, dict(well or {}), [], threading.Lock()
        self.origins = {name: Origin(self._answering(name)) for name in targets}
        self.document = site(self.port, "127.0.0.1:1", **(host or {}))
        self.document["upstreams"]["app"] = {**(upstream or {}), "targets": {
            name: {"address": self.origins[name].address, **settings} for name, settings in targets.items()}}
        self.document.update(document or {})
        self.proxyd = Proxyd(self.document, workers=workers, state=state, arguments=arguments)

    def _answering(self, name):
        def answer(request):
            if request.target.startswith("/health"):
                answer = self.well.get(name, True)
                return answer if isinstance(answer, bytes) else ok(b"well") if answer else b"HTTP/1.1 503 Ill\r\nContent-Length: 3\r\n\r\nill"
            with self.lock:
                self.asked.append((name, request))
            return self.scripts.get(name, lambda request: ok(name.encode()))(request)
        return answer

    def names(self, count, octets=get()):
        """Who answered each of so many requests, one after the other."""
        return [exchange(self.port, octets).body.decode() for _ in range(count)]

    def statuses(self, count, octets=get()):
        return [exchange(self.port, octets).status for _ in range(count)]

    def target(self, name):
        status, target = self.proxyd.api("GET", f"/api/v1/upstreams/app/targets/{name}")
        assert status == 200, target
        return target

    def state(self, name):
        return self.target(name)["state"]

    def health(self, name):
        return self.target(name)["addresses"][0]["health"]

    def stop_origin(self, name):
        self.origins.pop(name).stop()

    def stop(self):
        self.proxyd.stop()
        for origin in self.origins.values():
            origin.stop()
