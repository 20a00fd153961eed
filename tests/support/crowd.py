"""Many clients at once in one thread: each sends its request and reads what comes, as far as it is let."""
import resource
import selectors
import socket
import time


def connect(port, count, buffer=None):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 1000)), hard))
    clients = []
    for _ in range(count):
        client = socket.socket()
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        clients.append(client)
    return clients


def spread(proxyd, port, each=2):
    """Connections until every worker has so many."""
    clients = []
    while min(worker["connections"] for worker in proxyd.workers()) < each:
        assert len(clients) < 1000, [worker["connections"] for worker in proxyd.workers()]
        clients += connect(port, 4)
    return clients


class Crowd:
    """`clients`: connections, on each of which the octets are sent. Responses must have Content-Length."""

    def __init__(self, clients, octets):
        self.selector, self.clients, self.received, self.over = selectors.DefaultSelector(), clients, [], set()
        for number, client in enumerate(clients):
            client.sendall(octets)
            client.setblocking(False)
            self.selector.register(client, selectors.EVENT_READ, number)
            self.received.append(bytearray())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()
        self.selector.close()

    def read(self, until, seconds=60):
        """Reads for all until the condition is true."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"{sum(map(bool, self.received))} of {len(self.clients)} have something, {len(self.over)} are over"
            for key, _ in self.selector.select(0.02):
                try:
                    got = key.fileobj.recv(1 << 18)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    got = b""
                self.received[key.data] += got
                if not got or self.is_whole(key.data):
                    self.over.add(key.data)
                    self.selector.unregister(key.fileobj)

    def read_all(self, seconds=60):
        self.read(lambda: len(self.over) == len(self.clients), seconds)

    def body(self, number):
        """What has come of a content; None before its head is whole."""
        head, found, body = bytes(self.received[number]).partition(b"\r\n\r\n")
        return body if found else None

    def fields(self, number):
        head = bytes(self.received[number]).partition(b"\r\n\r\n")[0].decode("latin-1")
        return {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head.split("\r\n")[1:])}

    def is_whole(self, number):
        end = self.received[number].find(b"\r\n\r\n")
        if end < 0:
            return False
        fields = self.fields(number)
        assert "content-length" in fields, fields
        return len(self.received[number]) - end - 4 >= int(fields["content-length"])

    def have_begun(self):
        """How many have an octet of content."""
        return sum(1 for got in self.received if (end := got.find(b"\r\n\r\n")) >= 0 and len(got) > end + 4)
