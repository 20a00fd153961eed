"""What the kernel says of a process: its private memory and its descriptors."""
import os
import socket
import threading
from pathlib import Path

from proxyd import BUILD

CACHE = BUILD / "CMakeCache.txt"
# A sanitizer keeps freed memory in quarantine: sizes tell nothing then.
SANITIZED = CACHE.exists() and any(
    line.startswith("PROXYD_SANITIZE:") and line.rstrip().split("=", 1)[1] for line in CACHE.read_text().splitlines())


def private_memory(pid):
    """Octets that are this process's alone: Private_Clean + Private_Dirty."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))) * 1024


def idle_connection(pid, port, count, context=None):
    """Octets of memory of its own that the process takes for a connection whose request for /1k, which ends with "x",
    it has answered; `context`: over TLS."""
    def opened(some):
        connections = []
        for _ in range(some):
            one = socket.create_connection(("127.0.0.1", port))
            if context:
                one = context.wrap_socket(one)
            one.sendall(b"GET /1k HTTP/1.1\r\nHost: a\r\n\r\n")
            while not one.recv(4096).endswith(b"x"):
                pass
            connections.append(one)
        return connections

    first = opened(200)
    before = private_memory(pid)
    more = opened(count)
    after = private_memory(pid)
    for one in first + more:
        one.close()
    return (after - before) / count


def descriptors(pid, kind="socket:"):
    """How many descriptors of this kind the process has open."""
    count = 0
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{entry}").startswith(kind)
        except FileNotFoundError:
            pass
    return count


class MemoryWatch:
    """The most private memory a process had while the block ran, above what it had when the block began."""

    def __init__(self, pid, every=0.05):
        self.pid, self.every, self.ended = pid, every, threading.Event()
        self.before = self.most = private_memory(pid)

    def _watch(self):
        while not self.ended.wait(self.every):
            self.most = max(self.most, private_memory(self.pid))

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.most = max(self.most, private_memory(self.pid))

    @property
    def grown(self):
        return self.most - self.before


def owner_of(pids, local_port):
    """The process among `pids` whose TCP connection has this local port; None when there is none any more."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        parts = line.split()
        if int(parts[1].rsplit(":", 1)[1], 16) == local_port and parts[3] == "01":
            inodes.add(f"socket:[{parts[9]}]")
    for pid in pids:
        for entry in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{entry}") in inodes:
                    return pid
            except FileNotFoundError:
                pass
    return None


def accepted_by(pids, port):
    """Which of the processes has the connection to this port from each port of a peer."""
    peers = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        parts = line.split()
        local, peer = (int(part.rsplit(":", 1)[1], 16) for part in parts[1:3])
        if local == port and parts[3] == "01":
            peers[f"socket:[{parts[9]}]"] = peer
    found = {}
    for pid in pids:
        for entry in os.listdir(f"/proc/{pid}/fd"):
            try:
                peer = peers.get(os.readlink(f"/proc/{pid}/fd/{entry}"))
            except FileNotFoundError:
                continue
            if peer:
                found[peer] = pid
    return found
