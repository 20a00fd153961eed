"""Kills the master in the middle of a change, starts it again on the same store, and looks at what is in force.

The document of revision N answers every request with "N", so that traffic says what each worker serves."""
import os
import random
import threading
import time
from pathlib import Path

from client import Client, Closed
from proxyd import BUILD, Proxyd, eventually, free_port

BEFORE_COMMIT = ["validated", "sealed", "prepared"]
AFTER_COMMIT = ["committed", "activated"]
STEPS = BEFORE_COMMIT + AFTER_COMMIT


def has_steps():
    """Whether this build lets a test hold the master at a step."""
    return b"PROXYD_TEST_STOP" in (BUILD / "bin/proxyd").read_bytes()


def answers(port):
    def one():
        with Client(port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            return client.response().body.decode()
    return {one() for _ in range(12)}


class KilledApply:
    def __init__(self, folder, workers=2):
        self.state, self.step_file, self.port, self.workers = str(folder), Path(folder) / "step", free_port(), workers
        self.step_file.write_text("")
        self.number, self.acknowledged = 1, [1]
        self.proxyd = self._start(self._document(1))
        self._check({1})

    def _document(self, number):
        return {"version": 1, "listeners": {"main": {"address": f"127.0.0.1:{self.port}"}},
                "hosts": {"all": {"names": ["*"], "routes": [{"name": "all", "respond": {"body": str(number)}}]}}}

    def _start(self, document=None):
        return Proxyd(document, workers=self.workers, state=self.state, environment={"PROXYD_TEST_STOP": str(self.step_file)})

    def _is_stopped(self):
        return Path(f"/proc/{self.proxyd.process.pid}/stat").read_text().rsplit(") ", 1)[1][0] == "T"

    def kill(self, step):
        """One change, killed at a step or (None) at any moment. Returns whether it had been acknowledged."""
        wanted, told = self.number + 1, []

        def change():
            try:
                told.append(self.proxyd.api("PUT", "/api/v1/config", self._document(wanted))[0])
            except (OSError, Closed, ValueError):
                told.append(None)   # no answer: the master died

        pids, thread = self.proxyd.pids(), threading.Thread(target=change)
        self.step_file.write_text(step or "")
        thread.start()
        if step:
            eventually(self._is_stopped, 20, f"the stop at '{step}'")
        else:
            time.sleep(random.uniform(0, 0.05))   # where in the change is what the campaign spreads over
        self.proxyd.kill()
        thread.join()
        self.step_file.write_text("")
        eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 15, "the end of the dead master's workers")
        self.proxyd.stop()
        acknowledged = told == [200]
        self.proxyd = self._start()
        possible = {self.number} if step in BEFORE_COMMIT else {wanted} if step in AFTER_COMMIT or acknowledged else {self.number, wanted}
        self._check(possible)
        if acknowledged:
            self.acknowledged.append(self.number)
        return acknowledged

    def _check(self, possible):
        listed = self.proxyd.api("GET", "/api/v1/revisions?limit=200")[1]["items"]
        active = [one["revision"] for one in listed if one["active"]]
        assert len(active) == 1 and active[0] in possible, (active, possible)
        self.number = active[0]
        assert answers(self.port) == {str(self.number)}
        assert [worker["revision"] for worker in self.proxyd.workers()] == [self.number] * self.workers
        assert set(self.acknowledged[-150:]) <= {one["revision"] for one in listed}, "an acknowledged revision is lost"

    def stop(self):
        self.proxyd.stop()
