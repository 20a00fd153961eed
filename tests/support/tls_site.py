"""proxyd with TLS before an origin, and clients for it. The origin answers by the path: see Site._script."""
import ssl
import threading

from client import Client
from origin import Origin
from proxyd import Proxyd, StopsAtTheEnd, free_port


class TlsClient(Client):
    """A client over TLS. `name`: what it asks for (None: nothing); `context`: what it accepts."""

    def __init__(self, port, context, name=None, timeout=10, session=None):
        super().__init__(port, timeout=timeout)
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)


def trusting(authority, version=None, client=None, alpn=None):
    """What a client accepts: certificates of `authority`, for any name."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.check_hostname = False
    if version:
        context.minimum_version = context.maximum_version = version
    if client:
        context.load_cert_chain(client.certificate_file, client.key_file)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class Site(StopsAtTheEnd):
    """proxyd with TLS before an origin that says what it was asked for. `tls`: keys of the listener's; `hosts`: by name."""

    def __init__(self, certificates, tls=None, hosts=None, listener=None, workers=1, more=None, **how):
        self.origin, self.port = Origin(self._script), free_port()
        self.asked, self.gate = [], threading.Event()
        route = {"name": "all", "match": {"path_prefix": "/"}, "upstream": "app"}
        self.document = {
            "version": 1,
            "certificates": {name: issued.document() for name, issued in certificates.items()},
            "listeners": {"main": {"address": f"127.0.0.1:{self.port}", "tls": tls or {}, **(listener or {})}},
            "upstreams": {"app": {"targets": {"one": {"address": self.origin.address}}}},
            "hosts": {name: {"names": [name], "routes": [route], **keys} for name, keys in (hosts or {"a.test": {}, "b.test": {}}).items()},
            **(more or {}),
        }
        if not certificates:
            del self.document["certificates"], self.document["listeners"]["main"]["tls"]
        self.proxyd = Proxyd(self.document, workers=workers, **how)

    def _script(self, request):
        self.asked.append(request)
        body = request.body if request.target == "/echo" else request.target.encode()
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        if request.target == "/chunked":
            return [chunked + b"\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"]
        if request.target == "/slow-end":
            return [chunked + b"\r\n7\r\none two\r\n", self.gate, b"0\r\n\r\n"]
        if request.target == "/trailers":
            return [chunked + b"Trailer: X-End\r\n\r\n%x\r\n%b\r\n0\r\nX-End: 1\r\n\r\n" % (len(request.body), request.body)]
        if request.target == "/bare-cr":
            return [b"HTTP/1.1 200 OK\r\nX-Wrong: a\rb\r\nContent-Length: 0\r\n\r\n"]
        if request.target == "/folded":
            return [b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n"]
        if request.target == "/large":
            body = bytes(1 << 20)
        fresh = b"Cache-Control: max-age=600\r\n" if request.target.startswith("/cached/") else b""
        gate = [self.gate] if request.target == "/gated" else []
        return [*gate, b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (fresh, len(body)) + body]

    def get(self, client, host="a.test", path="/"):
        client.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return client.response()

    def stop(self):
        self.proxyd.stop()
        self.origin.stop()
