"""A scripted DNS server on a port of 127.0.0.1 of the kernel's choice, over UDP and TCP.

`set` says what a name has of a type: records "192.0.2.1", "2001:db8::1", (priority, weight, port, host), and their TTL;
what has none is denied (NXDOMAIN). `fail` has it answer with an error, or not at all ("silent"). `asked` has every
question. An answer that UDP has no room for is cut off there, and whole over TCP."""
import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33}
ERRORS = {"SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}
ROOM = 512


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


class NameServer:
    def __init__(self):
        self.lock, self.records, self.failures, self.asked = threading.Lock(), {}, {}, []
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.environment = {"PROXYD_DNS_SERVERS": f"127.0.0.1:{self.port}"}
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        self.udp.close()

    def set(self, name, *records, type="A", ttl=1):
        with self.lock:
            self.failures.pop((name, type), None)
            self.records[name, type] = (ttl, records)

    def fail(self, name, how, type="A"):
        with self.lock:
            self.failures[name, type] = how

    def times(self, name, type="A"):
        with self.lock:
            return self.asked.count((name, type))

    def _data(self, type, record):
        if type == "SRV":
            priority, weight, port, host = record
            return struct.pack(">HHH", priority, weight, port) + encoded(host)
        return ipaddress.ip_address(record).packed

    def _answer(self, query, room):
        """The octets that answer, or None."""
        end = query.index(b"\0", 12)
        labels, at = [], 12
        while at < end:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, number = ".".join(labels).lower(), struct.unpack(">H", query[end + 1:end + 3])[0]
        type = next((text for text, value in TYPES.items() if value == number), str(number))
        with self.lock:
            self.asked.append((name, type))
            failure = self.failures.get((name, type))
            ttl, records = self.records.get((name, type), (0, ()))
            known = any(known == name and has for (known, _), (_, has) in self.records.items())
        if failure == "silent":
            return None
        code = ERRORS[failure] if failure else 0 if known else 3
        answers = b"" if code else b"".join(
            b"\xC0\x0C" + struct.pack(">HHIH", number, 1, ttl, len(data)) + data for data in (self._data(type, one) for one in records))
        whole = 12 + len(query[12:end + 5]) + len(answers) <= room
        flags = 0x8180 | code | (0 if whole else 0x0200)
        count = len(records) if whole and not code else 0
        return query[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + query[12:end + 5] + (answers if whole else b"")

    def _serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
                answer = self._answer(query, ROOM)
                if answer:
                    self.udp.sendto(answer, peer)
            except OSError:
                return

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    while length := connection.recv(2, socket.MSG_WAITALL):
                        query = connection.recv(struct.unpack(">H", length)[0], socket.MSG_WAITALL)
                        answer = self._answer(query, 65535)
                        if answer:
                            connection.sendall(struct.pack(">H", len(answer)) + answer)
                except OSError:
                    pass
