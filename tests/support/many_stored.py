"""Very many small objects of one tag in a running server, and what a purge of the tag takes and leaves."""
import random
import threading
import time

from nginx import Nginx
from pipeline import Pipeline, of_each_worker
from proxyd import Proxyd, StopsAtTheEnd, UnixConnection, free_port, site

PURGES = "/api/v1/cache/purges"
FEW = 10
# The path is the content, its folder the tag.
ORIGIN = """keepalive_requests 1000000000;
location ~ ^/(?<folder>[a-z]+)/ { add_header Cache-Control "max-age=3600"; add_header Surrogate-Key "any $folder"; return 200 $uri; }"""


def request(path, *fields):
    return b"\r\n".join([b"GET %s HTTP/1.1" % path, b"Host: a.test", *fields, b"", b""])


def few():
    return [b"/few/%d" % number for number in range(FEW)]


class ManyStored(StopsAtTheEnd):
    def __init__(self, count, workers, cache):
        self.count, self.port = count, free_port()
        self.origin = Nginx(ORIGIN)
        document = site(self.port, self.origin.address, cached=True)
        document["cache"] = {"memory": cache}
        document["hosts"]["all"]["routes"].insert(0, {"name": "here", "match": {"path": "/here"}, "respond": {"status": 200, "body": "here"}})
        self.proxyd = Proxyd(document, workers=workers, arguments=("--cache", cache))

    def many(self, sample=None):
        numbers = range(self.count) if sample is None else random.Random(sample).sample(range(self.count), sample)
        return [b"/many/%d" % number for number in numbers]

    def store(self, paths):
        """Has the server fetch and keep them all: what found a lock busy and was not kept is asked for again."""
        for _ in range(5):
            self._ask(paths)
            if self.objects() >= len(paths):
                return
        raise AssertionError(f"of {len(paths)} only {self.objects()} are stored")

    def _ask(self, paths, connections=6):
        connected, wrong = [Pipeline(self.port) for _ in range(connections)], []

        def ask(connection, part):
            wrong.extend(status for status in connection.statuses([request(path) for path in part]) if status != 200)
            connection.close()
        threads = [threading.Thread(target=ask, args=(one, paths[number::connections])) for number, one in enumerate(connected)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, wrong[:5]

    def objects(self):
        return self.proxyd.api("GET", "/api/v1/cache")[1]["objects"]

    def purge(self, tag, mode="hard", query=""):
        """How long the answer took, in milliseconds, as the client saw it."""
        body = '{"tags": ["%s"], "mode": "%s"}' % (tag, mode)
        admin = UnixConnection(self.proxyd.socket)
        admin.connect()
        begun = time.perf_counter()
        admin.request("POST", PURGES + query, body, {"Content-Type": "application/json"})
        answer = admin.getresponse()
        took, text = time.perf_counter() - begun, answer.read()
        admin.close()
        assert answer.status == 200, text
        return took * 1000

    def stored_on_each_worker(self, paths):
        """How many of them each worker serves without asking the origin."""
        asked = [request(path, b"Cache-Control: only-if-cached") for path in paths]
        counts = {}
        for pid, (connection,) in of_each_worker(self.proxyd, self.port).items():
            statuses = connection.statuses(asked)
            assert set(statuses) <= {200, 504}, set(statuses)
            counts[pid] = statuses.count(200)
            connection.close()
        return counts

    def purge_and_kill_the_master(self, tag, paths):
        """How many of the paths the workers still serve once the master was killed behind its answer. Each request was
        begun before on a connection of its own, since workers without a master take no new ones."""
        workers = of_each_worker(self.proxyd, self.port, len(paths)).values()
        for connections in workers:
            for connection, path in zip(connections, paths):
                connection.socket.sendall(request(path, b"Cache-Control: only-if-cached")[:-2])
        self.purge(tag)
        self.proxyd.kill()
        served = 0
        for connections in workers:
            for connection in connections:
                connection.socket.sendall(b"\r\n")
            for connection in connections:
                served += connection.answers(1) != [504]
                connection.close()
        return served

    def stop(self):
        self.proxyd.stop()
        self.origin.__exit__()
