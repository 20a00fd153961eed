"""An origin that answers late the first time it is asked for a path, with "old", and from then on at once, with "new"; and
purges that overtake the late answer."""
import itertools
import threading

from client import exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, paced, site

LATE, PURGED_AFTER = 0.5, 0.1   # seconds
SUBJECTS = [{"tags": ["slow"]}, {"urls": ["http://a.test{path}"]}, {"prefixes": ["a.test/slow/"]}, {"hosts": ["a.test"]}, {"all": True}]


class SlowAnswers:
    def __init__(self, workers=2):
        self.origin, self.port, self.lock = Origin(self._answer), free_port(), threading.Lock()
        self.asked, self.numbers = set(), itertools.count()
        self.proxyd = Proxyd(site(self.port, self.origin.address, cached=True), workers=workers)

    def _answer(self, request):
        with self.lock:
            first = request.target not in self.asked
            self.asked.add(request.target)
        if first:
            list(paced(LATE, 1))
        return ok(b"old" if first else b"new", b"Cache-Control: max-age=3600", b"Surrogate-Key: slow")

    def outrun(self, subject):
        """Whether anybody is given the late answer who asks after the purge, before it arrives or later."""
        path, given, later = f"/slow/{next(self.numbers)}", [], []
        first = threading.Thread(target=lambda: given.append(exchange(self.port, get(path.encode())).body))
        first.start()
        eventually(lambda: path in self.asked)
        list(paced(PURGED_AFTER, 1))
        what = {key: [text.replace("{path}", path) for text in value] if value is not True else True for key, value in subject.items()}
        assert self.proxyd.api("POST", "/api/v1/cache/purges", what)[0] == 200
        while first.is_alive() or len(later) < 20:
            later.append(exchange(self.port, get(path.encode())).body)
        assert given == [b"old"] and set(later) <= {b"old", b"new"}, (given, set(later))
        return b"old" in later

    def stop(self):
        self.proxyd.stop()
        self.origin.stop()
