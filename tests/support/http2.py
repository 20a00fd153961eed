"""A client of HTTP/2 that a test drives: frames by the h2 library, several streams, and octets by hand where they are to be wrong."""
import socket
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import hyperframe.frame


class Stream:
    """What came of one request."""

    def __init__(self):
        self.headers, self.body, self.trailers, self.interim = None, b"", None, []
        self.ended, self.reset = False, None

    @property
    def status(self):
        return int(dict(self.headers)[":status"]) if self.headers else None

    def value(self, name):
        return next((value for key, value in self.headers if key == name), None)


class Http2Client:
    """Over a connected socket, in the clear or TLS. `window`: what it lets the server send, for each stream; `reads`: whether
    it gives back the windows of what it has read."""

    def __init__(self, sock, window=None, connection_window=None, scheme="https", authority="a.test", timeout=10):
        self.socket, self.scheme, self.authority = sock, scheme, authority
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)   # as clients and servers of HTTP/2 do
        self.timeout = timeout
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False))
        if window is not None:
            self.connection.local_settings = h2.settings.Settings(client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.connection.initiate_connection()
        if connection_window:
            self.connection.increment_flow_control_window(connection_window)
        # The library takes the connection for closed at the first GOAWAY, which is not what it says (RFC 9113 6.8).
        self.connection._frame_dispatch_table[hyperframe.frame.GoAwayFrame] = self._take_goaway
        self.streams, self.goaways, self.closed, self.reads = {}, [], False, True
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        data = self.connection.data_to_send()
        if data:
            self.socket.sendall(data)

    def send_octets(self, octets):
        self.socket.sendall(octets)

    def request(self, path="/", method="GET", body=None, fields=(), end=True, authority=None):
        """Begins a request; its number. `body` goes out as far as windows allow: see `upload` for more."""
        number = self.connection.get_next_available_stream_id()
        self.streams[number] = Stream()
        headers = [(":method", method), (":scheme", self.scheme), (":authority", authority or self.authority), (":path", path), *fields]
        self.connection.send_headers(number, headers, end_stream=end and body is None)
        self.flush()
        if body is not None:
            self.upload(number, body, end)
        return number

    def upload(self, number, body, end=True, trailers=None):
        sent = 0
        while sent < len(body):
            room = min(self.connection.local_flow_control_window(number), self.connection.max_outbound_frame_size, len(body) - sent)
            if room == 0:
                self.receive()
                continue
            self.connection.send_data(number, body[sent:sent + room])
            self.flush()
            sent += room
        if trailers:
            self.connection.send_headers(number, trailers, end_stream=True)
        elif end:
            self.connection.end_stream(number)
        self.flush()

    def receive(self):
        """What the next octets say; False at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.connection.receive_data(data):
            self._take(event)
        self.flush()
        return True

    def _take_goaway(self, frame):
        self.goaways.append(frame)
        return [], []

    def _take(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if stream is None:
            return
        elif isinstance(event, h2.events.ResponseReceived):
            stream.headers = event.headers
        elif isinstance(event, h2.events.InformationalResponseReceived):
            stream.interim.append(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = event.headers
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if self.reads and event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = int(event.error_code)
        if isinstance(event, h2.events.StreamEnded):
            stream.ended = True

    def wait(self, *numbers):
        """Until these streams have ended, one way or the other."""
        end = time.monotonic() + self.timeout
        while not all(self.streams[n].ended or self.streams[n].reset is not None for n in numbers):
            assert time.monotonic() < end, "the streams do not end"
            if not self.receive():
                break
        return [self.streams[n] for n in numbers]

    def get(self, path="/", **rest):
        return self.wait(self.request(path, **rest))[0]

    def wait_for_end(self):
        """Until the server ends the connection; what its last GOAWAY said."""
        while self.receive():
            pass
        return self.goaways[-1] if self.goaways else None


def connected(port, context=None, name="a.test", **how):
    """A client on a new connection: over TLS with `context`, else with prior knowledge."""
    plain = socket.create_connection(("127.0.0.1", port), how.get("timeout", 10))
    if context is None:
        return Http2Client(plain, scheme="http", **how)
    context.set_alpn_protocols(["h2"])
    secure = context.wrap_socket(plain, server_hostname=name)
    assert secure.selected_alpn_protocol() == "h2"
    return Http2Client(secure, **how)
