"""proxyd before an origin of HTTP/2."""
import itertools

from proxyd import Proxyd, StopsAtTheEnd, free_port, site

CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 300_000))


def before(origin, port, more=None, protocol="h2c", **how):
    """A document: clients of either protocol on one port, everything forwarded to `origin` in HTTP/2."""
    document = site(port, origin.address, **how)
    document["listeners"]["main"]["protocols"] = ["h1", "h2c"]
    document["upstreams"]["app"].update({"protocol": protocol, **(more or {})})
    return document


class Front(StopsAtTheEnd):
    """proxyd before an origin of HTTP/2, in the clear. `more`: keys of the upstream's."""

    def __init__(self, origin, more=None, change=None, **how):
        self.origin, self.port = origin, free_port()
        document = before(origin, self.port, more, **how)
        if change:
            change(document)
        self.proxyd = Proxyd(document)

    def stop(self):
        self.proxyd.stop()
        self.origin.stop()


def echo(request):
    trailers = [("x-end", request.path), *(request.trailers or [])] if request.trailers is not None else None
    request.respond(body=request.body, trailers=trailers)
