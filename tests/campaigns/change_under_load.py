#!/usr/bin/python3
"""change_under_load.py [TIMES]: as many applies, and as many adds, drains and removals of a target, under load from wrk
and with a WebSocket open. Fails when one request failed, a worker's pid changed or the tunnel was touched."""
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from nginx import Nginx
from proxyd import Proxyd, free_port, site
from tunnel import open_tunnel, tunnel_origin

times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
origin, echo, port = Nginx('keepalive_requests 1000000; location / { return 200 "%s"; }' % ("x" * 1000)), tunnel_origin(), free_port()
document = site(port, origin.address)
document["upstreams"]["echo"] = {"targets": {"e": {"address": echo.address}}}
document["hosts"]["all"]["routes"].insert(0, {"name": "ws", "match": {"path": "/ws"}, "upstream": "echo"})
with origin, Proxyd(document, workers=2) as proxyd:
    pids, tunnel, begun = proxyd.pids(), open_tunnel(port), time.monotonic()
    load = subprocess.Popen(["wrk", "-t2", "-c16", "-d600s", "--timeout", "10s", f"http://127.0.0.1:{port}/load"], stdout=subprocess.PIPE, text=True)
    for number in range(times):
        document["defaults"] = {"timeouts": {"connect": f"{number + 1}s"}}
        applied = proxyd.apply(document)
        assert applied["acknowledged"] == applied["workers"] == 2, applied
        for arguments in (("target", "add", "app", origin.address, "--id", f"t{number}"), ("drain", "app", f"t{number}", "--timeout", "10s"),
                          ("target", "remove", "app", f"t{number}", "--yes")):
            done = proxyd.proxyctl("upstream", *arguments)
            assert done.returncode == 0, (arguments, done.stderr)
        tunnel.send(b"still here")
        assert tunnel.exactly(10) == b"still here"
    load.send_signal(2)   # wrk sums up
    report = load.communicate(timeout=30)[0]
    assert proxyd.pids() == pids and all(worker["restarts"] == 0 for worker in proxyd.workers()), "a worker was replaced"
    total = int(re.search(r"(\d+) requests in", report)[1])
    assert total > 1000 and "Socket errors" not in report and "Non-2xx" not in report, report
    failed = sum(proxyd.metric("proxyd_http_requests_total", **{"class": kind}) for kind in ("4xx", "5xx"))
    assert failed == 0, f"{failed} answers were errors"
    print(f"{times} applies and {times} adds, drains and removals in {time.monotonic() - begun:.0f} s; {total} requests, 0 failed; "
          f"workers {pids} as before; tunnel untouched")
    tunnel.socket.close()
echo.stop()
