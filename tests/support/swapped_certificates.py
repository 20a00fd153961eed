"""Certificates that change while clients come, come back and stay: whoever fails, or is shown what is neither the
certificate before a change nor the one after it, is noted."""
import collections
import hashlib
import ssl
import threading

from certificates import Authority, fingerprint_served
from client import Client
from http2 import connected
from proxyd import eventually
from tls_site import Site, TlsClient, trusting

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
FROM_FILES, UPLOADED = "a.test", "b.test"
POOL = 6   # certificates for each host, in turn


class Timeline:
    """Which certificate a host has: the `confirmed` one for sure, or a later one up to the one `begun`."""

    def __init__(self, issued):
        self.issued, self.fingerprints = issued, [one.fingerprint() for one in issued]
        self.begun = self.confirmed = 0

    def at(self, number):
        return self.issued[number % POOL], self.fingerprints[number % POOL]

    def allowed(self, first):
        return {self.fingerprints[number % POOL] for number in range(first, self.begun + 1)}


class SwappedCertificates:
    """Each visitor of `_visitors` is a thread that does its part again and again until `stop`, and says each time what it did."""

    def __init__(self, folder, workers=2):
        authority = Authority(folder)
        self.times = {host: Timeline([authority.issue(host, key=("ecdsa", "rsa")[number % 2]) for number in range(POOL)])
                      for host in (FROM_FILES, UPLOADED)}
        self.files = authority.issue(FROM_FILES)
        self.files.replace_by(self.times[FROM_FILES].issued[0])
        self.context = lambda **how: trusting(authority, **how)
        self.faults, self.done, self.lock, self.over = [], collections.Counter(), threading.Lock(), threading.Event()
        self.site = Site({FROM_FILES: self.files}, hosts={FROM_FILES: {}}, workers=workers)
        self.site.document["hosts"][UPLOADED] = {"names": [UPLOADED], "routes": self.site.document["hosts"][FROM_FILES]["routes"]}
        self._upload(self.times[UPLOADED].issued[0])
        self.site.document["certificates"][UPLOADED] = {"uploaded": True}
        self.site.proxyd.apply(self.site.document)
        self.pids = self.site.proxyd.pids()
        self.threads = [threading.Thread(target=self._repeat, args=visitor) for visitor in self._visitors()]
        for thread in self.threads:
            thread.start()

    def _visitors(self):
        for host in (FROM_FILES, UPLOADED):
            for version in VERSIONS:
                yield self._comes, host, version
                yield self._comes_back, host, version
        yield self._stays, FROM_FILES
        yield self._stays_with_http2, UPLOADED

    def _repeat(self, visit, *about):
        try:
            for what in visit(*about):
                with self.lock:
                    self.done[what] += 1
                if self.over.is_set():
                    return
        except Exception as error:   # every kind of failure is a finding
            self.faults.append(f"{visit.__name__}{about}: {error!r}")

    def _greet(self, context, host, session=None):
        """A handshake and a request; the session, and whether an old one was resumed."""
        time = self.times[host]
        first = time.confirmed
        with TlsClient(self.site.port, context, host, session=session, timeout=30) as client:
            shown = hashlib.sha256(client.socket.getpeercert(binary_form=True)).hexdigest()
            assert self.site.get(client, host).body == b"/"
            resumed = client.socket.session_reused
            assert resumed or shown in time.allowed(first), f"{host} has shown {shown}, not {time.allowed(first)}"
            return client.socket.session, resumed

    def _comes(self, host, version):
        context = self.context(version=version)
        while True:
            self._greet(context, host)
            yield "new"

    def _comes_back(self, host, version):
        context, session = self.context(version=version), None
        while True:
            session, resumed = self._greet(context, host, session)
            yield "resumed" if resumed else "new"

    def _stays(self, host):
        with TlsClient(self.site.port, self.context(), host, timeout=30) as client:
            while True:
                assert self.site.get(client, host).status == 200
                yield "kept"

    def _stays_with_http2(self, host):
        with connected(self.site.port, self.context(), host, authority=host, timeout=30) as client:
            while True:
                assert client.get("/").status == 200
                yield "kept, HTTP/2"

    def _upload(self, issued):
        body = {"certificate": issued.certificate_file.read_text(), "private_key": issued.key_file.read_text()}
        status, answer = self.site.proxyd.api("PUT", f"/api/v1/certificates/{UPLOADED}", body)
        assert status == 200, answer

    def swap(self, host, how):
        """The next certificate: "watch" leaves it to proxyd to see that files have changed, "reload" says so, "upload"."""
        time = self.times[host]
        time.begun += 1
        issued, fingerprint = time.at(time.begun)
        if how == "upload":
            self._upload(issued)
        else:
            self.files.replace_by(issued)
            assert how == "watch" or self.site.proxyd.api("POST", "/api/v1/reload")[0] == 200
        eventually(lambda: {fingerprint_served(self.site.port, host) for _ in range(8)} == {fingerprint}, 30, f"certificate {time.begun} of {host}")
        time.confirmed = time.begun

    def swap_often(self, times):
        """So often: of ten, two by watching, which takes its time, four by a reload, four by an upload."""
        for turn in range(times):
            how = {0: "watch", 1: "watch"}.get(turn % 10, "reload" if turn % 2 else "upload")
            self.swap(UPLOADED if how == "upload" else FROM_FILES, how)
            if self.faults:
                return

    def stop(self):
        """What was wrong, in words."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.site.proxyd.pids() != self.pids:
            self.faults.append("a worker was replaced")
        failed = self.site.proxyd.metric("proxyd_tls_handshakes_total", result="failed") + self.site.proxyd.metric("proxyd_timeout_total", phase="tls")
        if failed:
            self.faults.append(f"{failed} handshakes failed")
        self.site.stop()
        return self.faults
