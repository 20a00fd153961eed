"""The admin API as its clients meet it: over TCP with or without a token, with every field of the answer."""
import contextlib
import http.client
import json
import socket

from origin import Origin
from proxyd import Proxyd, UnixConnection, free_port, site


class Answer:
    def __init__(self, response, body):
        self.status, self.fields, self.text = response.status, response.headers, body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def type(self):
        """The end of a problem's type."""
        return self.json["type"].rsplit("/", 1)[1]

    def __repr__(self):
        return f"<{self.status} {self.text[:300]}>"


class AdminProxyd(Proxyd):
    """A proxyd whose admin API listens on TCP too."""

    def __init__(self, document, bootstrap=None, **more):
        self.admin_port = free_port()
        arguments = list(more.pop("arguments", ()))
        if bootstrap:
            arguments += ["--bootstrap", str(bootstrap)]
        super().__init__(document, admin=f"127.0.0.1:{self.admin_port}", arguments=arguments, **more)

    def ask(self, method, path, body=None, fields=None, token=None, over="tcp", timeout=30):
        connection = UnixConnection(self.socket) if over == "unix" else http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=timeout)
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        sent = {"Content-Type": "application/json"} if data is not None else {}
        sent.update({"Authorization": "Bearer " + token} if token else {})
        sent.update(fields or {})
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def root(self, method, path, body=None, **fields):
        """As the peer of the unix socket."""
        return self.ask(method, path, body, fields={k.replace("_", "-"): v for k, v in fields.items()}, over="unix")

    def token(self, *scopes, **more):
        answer = self.root("POST", "/api/v1/tokens", {"scopes": list(scopes), **more})
        assert answer.status == 201, answer
        return answer.json["token"]

    def raw(self, octets, timeout=15):
        """What comes back for these octets on the TCP side until the server closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.admin_port), timeout) as client:
            try:
                client.sendall(octets)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = b""
            try:
                while piece := client.recv(65536):
                    got += piece
            except OSError:
                pass
            return got

    def audit(self):
        return self.root("GET", "/api/v1/audit").json["items"]

    def nothing_undocumented(self):
        assert "undocumented" not in self.logs(), self.logs()


@contextlib.contextmanager
def serving(document=lambda origin: site(free_port(), origin.address)):
    """One before an origin, by what the function makes of it."""
    origin = Origin()
    with AdminProxyd(document(origin)) as proxyd:
        yield proxyd
        proxyd.nothing_undocumented()
    origin.stop()


class EventStream:
    def __init__(self, proxyd, fields=None, over="unix", token=None):
        self.socket = socket.socket(socket.AF_UNIX) if over == "unix" else socket.create_connection(("127.0.0.1", proxyd.admin_port), 10)
        if over == "unix":
            self.socket.connect(proxyd.socket)
        self.socket.settimeout(10)
        lines = {"Host": f"127.0.0.1:{proxyd.admin_port}", **({"Authorization": "Bearer " + token} if token else {}), **(fields or {})}
        self.socket.sendall(b"GET /api/v1/events HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in lines.items()) + b"\r\n")
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def events(self):
        """(id, kind, data), until the stream ends."""
        found = {}
        while line := self.file.readline():
            name, colon, value = line.decode().rstrip("\r\n").partition(": ")
            if colon and name in ("id", "event", "data"):
                found[name] = value
            if len(found) == 3:
                yield int(found["id"]), found["event"], json.loads(found["data"])
                found = {}
