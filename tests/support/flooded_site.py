"""proxyd, a well-behaved client with an origin, and an attacker that comes and goes, whose requests another origin counts."""
import os

from attacker import PATH, Attacker
from certificates import Authority
from counting_origin import CountingOrigin
from open_loop import OpenLoop, percentile
from process import descriptors
from proxyd import Proxyd, StopsAtTheEnd, free_port, site


class Round:
    """What a time with a flood, or without, was like. `p99` in seconds."""

    def __init__(self, client, attacker, counts, descriptors):
        self.descriptors = descriptors   # of the worker that has most, in the end
        self.failed, self.answered, self.p99 = client.failed, len(client.times), percentile(client.times, 0.99) if client.times else None
        self.attacker, self.most_running = attacker, counts["most_running"]

    def faults(self, least):
        """What of it is wrong whatever the machine is like."""
        found = [f"{self.failed} requests failed"] if self.failed else []
        if self.answered < least:
            found.append(f"{self.answered} of {least} requests were answered")
        if self.most_running > 100:
            found.append(f"{self.most_running} requests of one attacking connection ran at once")
        if self.attacker is not None and not self.attacker["calmed"] + self.attacker["cut_off"]:
            found.append("the attacker was neither told to calm down nor cut off")
        return found


def comes_first(pid, first=True):
    """Client and origin stand for other machines, and wait for no processor of this one (where we may say so)."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -15 if first else 0)
    except PermissionError:
        pass


class FloodedSite(StopsAtTheEnd):
    """With the `workers` an operator of this machine would have; over "h2c" or "tls" for everybody."""

    RATE = 100   # requests a second

    def __init__(self, folder, workers=2, over="h2c"):
        self.origin, self.flooded, self.port, self.over = CountingOrigin(), CountingOrigin(nice=15), free_port(), over
        document = site(self.port, self.origin.address)
        document["upstreams"]["flooded"] = {"targets": {"one": {"address": self.flooded.address}}}
        document["hosts"]["all"]["routes"].insert(0, {"name": "flood", "match": {"path": PATH}, "upstream": "flooded"})
        if over == "tls":
            document["certificates"] = {"a": Authority(folder).issue("a.test").document()}
            document["listeners"]["main"]["tls"] = {}
        else:
            document["listeners"]["main"]["protocols"] = ["h1", "h2c"]
        self.proxyd = Proxyd(document, workers=workers)
        self.pids = self.proxyd.pids()
        self.client = OpenLoop(self.port, rate=self.RATE, over=over)
        comes_first(0)
        comes_first(self.origin.process.pid)
        self.client.run(0.5)   # all connections are there

    def round(self, seconds, flood=None, connections=4):
        self.flooded.counts()
        attacker = Attacker(self.port, flood, seconds, connections, self.over) if flood else None
        self.client.run(seconds)
        most = max(descriptors(pid) for pid in self.pids)
        return Round(self.client, attacker.wait() if attacker else None, self.flooded.counts(), most)

    def workers_are_the_same(self):
        return self.proxyd.pids() == self.pids

    def stop(self):
        comes_first(0, False)
        self.client.close()
        self.proxyd.stop()
        self.origin.stop()
        self.flooded.stop()
