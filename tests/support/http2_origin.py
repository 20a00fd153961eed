"""A scripted HTTP/2 origin on a port of the kernel's choice: frames by the h2 library, and by hand where they are to be wrong.

`answer` has each request when it is whole, `early` when its head is there, both in the thread of its connection; it
answers by `request.respond`, at once or later, from any thread. Over TLS a client that has not chosen HTTP/2 is answered
in HTTP/1.1 by the script `answer_http1`."""
import select
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import hyperframe.frame
from origin import Listener, Origin, ok


class Request:
    def __init__(self, connection, number, headers):
        self.connection, self.number, self.headers = connection, number, headers
        self.body, self.trailers, self.ended, self.reset = b"", None, False, None
        self.changed = threading.Condition(connection.lock)

    def value(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def values(self, name):
        return [value for key, value in self.headers if key == name]

    @property
    def method(self):
        return self.value(":method")

    @property
    def path(self):
        return self.value(":path")

    def head(self, status=200, fields=(), end=False):
        self.connection.act(lambda h2: h2.send_headers(self.number, [(":status", str(status)), *fields], end_stream=end))

    def send(self, body, end=False, trailers=None):
        """Goes out as far as windows allow, the rest as they open."""
        with self.connection.lock:
            self.connection.pending.setdefault(self.number, []).append((memoryview(body), end, trailers))
            self.connection.pump()

    def respond(self, status=200, body=b"ok", fields=(), trailers=None):
        if not body and trailers is None:
            return self.head(status, fields, end=True)
        with self.connection.lock:   # head and content leave together
            self.connection.try_to(lambda: self.connection.h2.send_headers(self.number, [(":status", str(status)), *fields]))
            self.send(body, end=trailers is None, trailers=trailers)

    def abort(self, code=2):
        self.connection.act(lambda h2: h2.reset_stream(self.number, code))

    def wait(self, condition, seconds=10):
        with self.changed:
            assert self.changed.wait_for(condition, seconds), "the request does not come to that"


class Connection:
    def __init__(self, sock, origin):
        self.socket, self.origin, self.lock = sock, origin, threading.RLock()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False,
                                                                      normalize_outbound_headers=False))
        # The library says of itself what it does not allow a server; what is sent after a GOAWAY of ours still counts.
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values=origin.settings)
        self.requests, self.pending, self.goaways, self.pings, self.closed = {}, {}, [], 0, False
        self.h2._frame_dispatch_table[hyperframe.frame.GoAwayFrame] = self._take_goaway

    def try_to(self, do):
        try:
            do()
        except (h2.exceptions.ProtocolError, OSError):
            pass   # the stream or the connection has gone

    def act(self, what):
        with self.lock:
            self.try_to(lambda: (what(self.h2), self.flush()))

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def send_octets(self, octets):
        with self.lock:
            self.socket.sendall(octets)

    def send_frame(self, frame):
        self.send_octets(frame.serialize())

    def goaway(self, last, code=0):
        self.send_frame(hyperframe.frame.GoAwayFrame(0, last_stream_id=last, error_code=code))

    def refuse(self, number):
        self.send_frame(hyperframe.frame.RstStreamFrame(number, error_code=7))

    def _take_goaway(self, frame):
        self.goaways.append(frame)
        return [], []

    def pump(self):
        for number in list(self.pending):
            self.try_to(lambda: self._pump(number))
        self.try_to(self.flush)

    def _pump(self, number):
        queue = self.pending[number]
        while queue:
            body, end, trailers = queue[0]
            while len(body):
                room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, len(body))
                if room <= 0:
                    queue[0] = (body, end, trailers)
                    return
                self.h2.send_data(number, bytes(body[:room]))
                body = body[room:]
            if trailers is not None:
                self.h2.send_headers(number, trailers, end_stream=True)
            elif end:
                self.h2.end_stream(number)
            queue.pop(0)
        del self.pending[number]

    def _received(self):
        """Some octets; None when there are none yet."""
        pending = isinstance(self.socket, ssl.SSLSocket) and self.socket.pending()
        if not pending and not select.select([self.socket], [], [], 0.5)[0]:
            return None
        with self.lock:
            self.socket.settimeout(5)
            return self.socket.recv(65536)

    def run(self):
        with self.lock:
            self.h2.initiate_connection()
            self.flush()
        try:
            while True:
                data = self._received()
                if data is None:
                    continue
                if not data:
                    return
                with self.lock:
                    events = self.h2.receive_data(data)
                    self.flush()
                for event in events:
                    self._take(event)
                with self.lock:
                    self.pump()
        except (h2.exceptions.ProtocolError, OSError) as error:
            self.origin.errors.append(error)
        finally:
            self.closed = True
            with self.lock:
                for request in self.requests.values():
                    request.changed.notify_all()

    def _take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            request = Request(self, event.stream_id, event.headers)
            self.requests[event.stream_id] = request
            with self.origin.lock:
                self.origin.requests.append(request)
            self.origin.early(request)
            return
        if isinstance(event, h2.events.PingReceived):
            self.pings += 1
        request = self.requests.get(getattr(event, "stream_id", None))
        if request is None:
            return
        with request.changed:
            if isinstance(event, h2.events.DataReceived):
                request.body += event.data
                if self.origin.reads and event.flow_controlled_length:
                    self.act(lambda h2: h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id))
            elif isinstance(event, h2.events.TrailersReceived):
                request.trailers = event.headers
            elif isinstance(event, h2.events.StreamReset):
                request.reset = int(event.error_code)
            if isinstance(event, h2.events.StreamEnded):
                request.ended = True
            request.changed.notify_all()
        if isinstance(event, h2.events.StreamEnded):
            self.origin.answer(request)


class Http2Origin(Listener):
    """`settings`: what its connections say first; `reads`: whether it gives back the windows of what it has read. What is
    to be done instead of all that is done by `serve`, which has the connection."""

    def __init__(self, answer=None, early=None, settings=None, serve=None, answer_http1=None, **where):
        self.answer = answer or (lambda request: request.respond(body=request.path.encode()))
        self.early = early or (lambda request: None)
        self.settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100, **(settings or {})}
        self.reads, self.errors, self.requests, self.http2_connections, self.script = True, [], [], [], serve
        self.http1 = Origin.__new__(Origin)   # without a port of its own
        self.http1.answer, self.http1.early = answer_http1 or (lambda request: ok(b"http/1.1")), lambda request: None
        self.http1.requests, self.http1.lock = [], threading.Lock()
        super().__init__(self._serve, **where)

    def _serve(self, sock):
        if self.tls and sock.selected_alpn_protocol() != "h2":
            return self.http1._serve(sock)
        connection = Connection(sock, self)
        self.http2_connections.append(connection)
        return self.script(connection) if self.script else connection.run()
