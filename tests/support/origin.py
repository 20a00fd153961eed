"""A scripted HTTP/1.1 origin on a port of the kernel's choice.

It records every request it receives, exactly, and answers by a script: a function of the request that returns the
octets to send, or a list of steps: octets; "close"; "reset"; "end", which waits until the peer has ended its side; an
Event to wait for. A script named `early` is asked first, before the content is read, for steps or None; its step "rest"
reads the content."""
import functools
import socket
import ssl
import struct
import threading


class Request:
    def __init__(self, head, body=b"", trailers=()):
        self.head, self.body, self.trailers = head, body, list(trailers)
        lines = head.split(b"\r\n")
        self.line = lines[0].decode("latin-1")
        self.method, self.target, _ = self.line.split(" ", 2)
        self.fields = [tuple(part.strip() for part in line.decode("latin-1").split(":", 1)) for line in lines[1:] if line]

    def values(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]


def ok(body=b"ok", *fields):
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Listener:
    """A port of the kernel's choice, or what `at` says, or a unix socket. `serve` has each connection in a thread of its own; when it is
    done, or the peer is gone, the connection is closed. `tls`: the context that each is wrapped with; handshakes that
    fail are in `failed`."""

    def __init__(self, serve, path=None, ipv6=False, tls=None, at=None):
        self.serve, self.connections, self.open, self.lock = serve, 0, 0, threading.Lock()
        self.tls, self.failed, self.secured = tls, [], []
        if path:
            self.socket, self.address = socket.create_server(str(path), family=socket.AF_UNIX, backlog=512), f"unix:{path}"
        elif at:
            self.socket, self.address = socket.create_server(at, backlog=512), "%s:%d" % at
        else:
            family, host, name = (socket.AF_INET6, "::1", "[::1]") if ipv6 else (socket.AF_INET, "127.0.0.1", "127.0.0.1")
            self.socket = socket.create_server((host, 0), family=family, backlog=512)
            self.address = f"{name}:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)   # a thread that waits in accept is told so
        self.socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open += 1
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        connection.settimeout(60)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.secured.append(connection)
            self.serve(connection)
        except ssl.SSLError as error:
            self.failed.append(error)
        except OSError:
            pass
        finally:
            connection.close()
            with self.lock:
                self.open -= 1


class Origin(Listener):
    def __init__(self, answer=None, early=None, **where):
        self.answer = answer or (lambda request: ok(b"path=" + request.target.encode() + b" body=" + request.body))
        self.early = early or (lambda request: None)
        self.requests = []
        super().__init__(self._serve, **where)

    def _serve(self, connection):
        buffer, peer = b"", connection.getpeername()
        while True:
            while b"\r\n\r\n" not in buffer:
                got = connection.recv(65536)
                if not got:
                    return
                buffer += got
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            early = self.early(Request(head))
            if early is not None:
                with self.lock:
                    self.requests.append(Request(head))
                rest = functools.partial(self._body, connection, head, buffer)
                if not self._play(connection, early, rest):
                    return
                buffer = b""
                continue
            body, trailers, buffer = self._body(connection, head, buffer)
            request = Request(head, body, trailers)
            request.peer_port = peer[1] if isinstance(peer, tuple) else None
            with self.lock:
                self.requests.append(request)
            if not self._play(connection, self.answer(request)):
                return

    def _play(self, connection, steps, rest=None):
        for step in [steps] if isinstance(steps, bytes) else steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step == "close":
                return False
            elif step == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            elif step == "rest":
                rest()
            elif step == "end":
                while connection.recv(65536):
                    pass
            else:
                step.wait(30)
        return True

    def _body(self, connection, head, buffer):
        fields = {k.strip().lower(): v.strip() for k, v in (line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)}

        def need(count):
            nonlocal buffer
            if len(buffer) >= count:
                return
            pieces, size = [buffer], len(buffer)
            while size < count:
                got = connection.recv(1 << 20)
                if not got:
                    raise OSError("the request was cut short")
                pieces.append(got)
                size += len(got)
            buffer = b"".join(pieces)

        def line():
            nonlocal buffer
            while b"\r\n" not in buffer:
                need(len(buffer) + 1)
            text, buffer = buffer.split(b"\r\n", 1)
            return text

        if b"content-length" in fields:
            size = int(fields[b"content-length"])
            need(size)
            return buffer[:size], [], buffer[size:]
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = bytearray()
            while size := int(line(), 16):
                need(size + 2)
                body += buffer[:size]
                buffer = buffer[size + 2:]
            trailers = []
            while text := line():
                trailers.append(tuple(part.strip() for part in text.decode("latin-1").split(":", 1)))
            return bytes(body), trailers, buffer
        return b"", [], buffer
