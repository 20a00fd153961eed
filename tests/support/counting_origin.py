"""An origin that counts, for each client of the proxy, how many of its requests run at once. As a program, which says its
port first and, for each line that it reads, the counts since the line before:

    counting_origin.py

It answers at once, but for the path that floods ask for: those requests run for 100 ms, so that they meet. A client is
known by its address in X-Forwarded-For."""
import collections
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time

RUNS_FOR = 0.1
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LATE_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate"
CLIENT = re.compile(rb"\r\nX-Forwarded-For: *([0-9.]+)", re.IGNORECASE)


class Counting:
    def __init__(self):
        self.selector, self.listener = selectors.DefaultSelector(), socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        self.heads, self.running, self.whose, self.late = {}, collections.defaultdict(set), {}, collections.deque()
        self.most = self.requests = 0

    def serve(self):
        print(self.listener.getsockname()[1], flush=True)
        while True:
            wait = max(0, self.late[0][0] - time.monotonic()) if self.late else None
            for key, _ in self.selector.select(wait):
                if key.fileobj is sys.stdin:
                    if not sys.stdin.readline():
                        return
                    print(json.dumps({"requests": self.requests, "most_running": self.most}), flush=True)
                    self.most = self.requests = 0
                elif key.fileobj is self.listener:
                    self._accept()
                else:
                    self._receive(key.fileobj)
            while self.late and self.late[0][0] <= time.monotonic():
                self._answer_late(self.late.popleft()[1])

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except BlockingIOError:
                return
            connection.setblocking(False)
            self.heads[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)

    def _receive(self, connection):
        try:
            octets = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            return self._forget(connection) if connection in self.heads else None
        if connection in self.whose:
            return   # the content of what it has begun to answer
        head = self.heads[connection] + octets
        while b"\r\n\r\n" in head:
            one, head = head.split(b"\r\n\r\n", 1)
            self.requests += 1
            if b" /flood " not in one.split(b"\r\n", 1)[0]:
                connection.sendall(ANSWER)
                continue
            client = CLIENT.search(one)[1]
            self.whose[connection] = client
            self.running[client].add(connection)
            if len(self.running[client]) > self.most:   # but for those whose end is there and has not been looked at
                for other in list(self.running[client]):
                    self._receive(other)
                self.most = max(self.most, len(self.running.get(client, ())))
            self.late.append((time.monotonic() + RUNS_FOR, connection))
            return
        self.heads[connection] = head

    def _answer_late(self, connection):
        if connection not in self.whose:
            return   # gone
        try:
            connection.sendall(LATE_ANSWER)
        except OSError:
            pass
        self._forget(connection)

    def _forget(self, connection):
        del self.heads[connection]
        client = self.whose.pop(connection, None)
        if client:
            self.running[client].discard(connection)
            if not self.running[client]:
                del self.running[client]
        self.selector.unregister(connection)
        connection.close()


class CountingOrigin:
    """The program in a process of its own. `nice`: it stands for another machine, and has what this one has left."""

    def __init__(self, nice=0):
        self.process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, nice))
        self.address = f"127.0.0.1:{int(self.process.stdout.readline())}"

    def counts(self):
        """`requests` and `most_running` of one client, since the last time."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


if __name__ == "__main__":
    Counting().serve()
