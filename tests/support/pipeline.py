"""One connection on which many requests wait for their answers, of which little more is read than the status: for
millions of small ones."""
import re
import socket

from process import accepted_by

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Pipeline:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)

    def statuses(self, requests, at_once=64):
        """The status of each answer, in the order of the requests."""
        found = []
        for first in range(0, len(requests), at_once):
            part = requests[first:first + at_once]
            self.socket.sendall(b"".join(part))
            found += self.answers(len(part))
        return found

    def answers(self, count):
        found, buffer, at = [], b"", 0
        while len(found) < count:
            end = buffer.find(b"\r\n\r\n", at)
            size = end + 4 + int(LENGTH.search(buffer, at, end)[1]) if end >= 0 else None
            if size and len(buffer) >= size:
                found.append(int(buffer[at + 9:at + 12]))
                at = size
                continue
            got = self.socket.recv(1 << 18)
            assert got, f"the connection ended after {len(found)} of {count} answers"
            buffer, at = buffer[at:] + got, 0
        return found

    def close(self):
        self.socket.close()


def of_each_worker(proxyd, port, each=1):
    """So many connections to each worker, by its pid."""
    pids, opened = proxyd.pids(), []
    while True:
        burst = [Pipeline(port) for _ in range(4 * len(pids))]   # one worker alone would take them one by one
        opened += burst
        for one in burst:
            one.socket.sendall(b"GET /here HTTP/1.1\r\nHost: a.test\r\n\r\n")
        for one in burst:
            one.answers(1)   # a worker has it
        owners, found = accepted_by(pids, port), {pid: [] for pid in pids}
        for one in opened:
            found[owners[one.socket.getsockname()[1]]].append(one)
        if min(map(len, found.values())) >= each:
            break
        assert len(opened) < 5000, {pid: len(ones) for pid, ones in found.items()}
    for ones in found.values():
        for one in ones[each:]:
            one.close()
    return {pid: ones[:each] for pid, ones in found.items()}
