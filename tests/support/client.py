"""A raw HTTP/1.1 client: sends the octets it is given, in the pieces it is given, and reads responses strictly."""
import socket
import struct


def get(path=b"/", *fields, host=b"a.test", version=b"HTTP/1.1", method=b"GET"):
    """The octets of a request without content."""
    return b"\r\n".join([b" ".join([method, path, version]), b"Host: " + host, *fields, b"", b""])


def exchange(port, octets=get(), method="GET"):
    """The response to one request on a connection of its own."""
    with Client(port) as client:
        client.send(octets)
        return client.response(method)


def status_of(port):
    return exchange(port).status


class Response:
    def __init__(self, status, fields, body, complete=True):
        self.status, self.fields, self.body, self.complete = status, fields, body, complete

    def value(self, name):
        return next((v for f, v in self.fields if f.lower() == name.lower()), None)

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:200]!r}>"


class Closed(Exception):
    """The connection ended where a response was due."""


class Client:
    def __init__(self, port, timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *pieces):
        for piece in pieces:
            try:
                self.socket.sendall(piece)
            except OSError:
                return   # what it answered before it closed is still to be read

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        if not got:
            raise Closed(self.buffer)
        self.buffer += got

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def peek(self):
        """Waits until something has come."""
        if not self.buffer:
            self._more()

    def head(self):
        version, status, _ = (self._line() + b" ").split(b" ", 2)
        assert version in (b"HTTP/1.1", b"HTTP/1.0"), version
        fields = []
        while True:
            line = self._line()
            if not line:
                return int(status), fields
            name, value = line.decode("latin-1").split(":", 1)
            assert name and name == name.strip(), line
            fields.append((name, value.strip()))

    def response(self, method="GET", interim=False):
        status, fields = self.head()
        while status < 200 and status != 101 and not interim:
            status, fields = self.head()
        lower = {name.lower(): value for name, value in fields}
        if method == "HEAD" or status in (204, 304) or status < 200:
            return Response(status, fields, b"")
        if lower.get("transfer-encoding", "").lower() == "chunked":
            body, chunks = b"", 0
            while True:
                size = int(self._line().split(b";")[0], 16)
                if size == 0:
                    trailers = []
                    while line := self._line():
                        trailers.append(tuple(line.decode("latin-1").split(": ", 1)))
                    response = Response(status, fields, body)
                    response.trailers, response.chunks = trailers, chunks
                    return response
                chunks += 1
                body += self.exactly(size)
                assert self.exactly(2) == b"\r\n"
        if "content-length" in lower:
            return Response(status, fields, self.exactly(int(lower["content-length"])))
        body = b""
        try:
            while True:
                self._more()
        except Closed:
            body, self.buffer = self.buffer, b""
        return Response(status, fields, body)

    def is_closed(self, within=5):
        """True when the peer ends the connection, False when it stays open and silent."""
        self.socket.settimeout(within)
        try:
            return not self.socket.recv(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
