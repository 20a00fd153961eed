"""A page of a hundred parts in Chromium, over HTTP/2."""
import json
import re
import subprocess
from collections import Counter

import pytest
from certificates import Authority
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site

PARTS = 99   # a third of each kind
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
PAGE = """<!doctype html><html><head><title>parts</title><link rel="icon" href="/icon.svg">
<script>let loaded = 0; function come() { ++loaded; }
addEventListener("load", () => { fetch("/sent", {method: "POST", body: "x".repeat(100000)}).then(answer => answer.text())
  .then(size => { document.body.textContent = `loaded ${loaded}, sent ${size}`; }); });</script>
%s</head><body>%s</body></html>"""
KINDS = {"/style": (b"text/css", b"p { margin: 1px }"), "/script": (b"text/javascript", b"window.seen = 1;"), "/picture": (b"image/svg+xml", PICTURE),
         "/icon": (b"image/svg+xml", PICTURE)}


def page():
    numbers = range(PARTS // 3)
    styles = [f'<link rel="stylesheet" href="/style{i}.css" onload="come()">' for i in numbers]
    scripts = [f'<script src="/script{i}.js" onload="come()"></script>' for i in numbers]
    pictures = [f'<img src="/picture{i}.svg" onload="come()">' for i in numbers]
    return (PAGE % ("\n".join(styles + scripts), "\n".join(pictures))).encode()


def answer(request):
    if request.target == "/":
        return ok(page(), b"Content-Type: text/html")
    if request.target == "/sent":
        return ok(b"%d" % len(request.body), b"Content-Type: text/plain")
    kind, content = KINDS[re.match(r"/[a-z]+", request.target)[0]]
    return ok(content, b"Content-Type: " + kind, b"Cache-Control: max-age=60")


def chromium(folder, port):
    """The page as it is in the end."""
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--ignore-certificate-errors", f"--user-data-dir={folder}",
         "--host-resolver-rules=MAP www.test 127.0.0.1, MAP * ~NOTFOUND", "--virtual-time-budget=20000", "--dump-dom", f"https://www.test:{port}/"],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("cached", [False, True], ids=["passed", "cached"])
def test_chromium_loads_a_page_of_a_hundred_parts_over_one_connection_of_http2(tmp_path, cached):
    origin, port, log = Origin(answer), free_port(), tmp_path / "access.log"
    document = site(port, origin.address, cached=cached)
    document["certificates"] = {"www": Authority(tmp_path).issue("www.test").document()}
    document["listeners"]["main"]["tls"] = {}
    document["logging"] = {"access": [{"to": "file", "file": str(log), "format": "json"}]}
    with Proxyd(document, workers=2) as proxyd:
        for visit in range(2):   # the second time out of the cache, if there is one
            assert f"loaded {PARTS}, sent 100000" in chromium(tmp_path / f"profile{visit}", port)
        eventually(lambda: log.exists() and len(log.read_text().splitlines()) >= 2 * (PARTS + 3), what="the access log")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert {(line["status"], line["protocol"]) for line in lines} == {(200, "HTTP/2.0")}
        # Whichever worker writes its lines first, so a visit's last lines may follow the next one's first.
        assert set(Counter(line["path"] for line in lines).values()) == {2}
        # A connection's SETTINGS and their acknowledgement: others it may open and leave, to look at the certificate.
        assert proxyd.metric("proxyd_h2_frames_total", direction="received", type="settings") == 2 * 2, "each visit uses one connection"
        assert proxyd.metric("proxyd_h2_conn_error_total") == proxyd.metric("proxyd_h2_resets_total") == 0
        assert len(origin.requests) < (1.2 if cached else 2.1) * (PARTS + 3)
    origin.stop()
