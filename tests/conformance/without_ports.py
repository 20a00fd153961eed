"""In a network namespace of its own: proxyd with four local ports to connect from. Run by test_resource.py."""
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from client import Client
from origin import Origin, ok
from proxyd import Proxyd, eventually, site

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
gate = threading.Event()
origin = Origin(lambda request: [gate, ok()])
document = site(18080, origin.address)
document["upstreams"]["app"]["retry"] = {"retries": 0}
with Proxyd(document) as proxyd:
    clients = [Client(18080) for _ in range(8)]
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("61000 61003")
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    eventually(lambda: proxyd.metric("proxyd_upstream_errors_total", token="connection_limit_reached") == 4)
    gate.set()
    responses = [client.response() for client in clients]
    assert sorted(response.status for response in responses) == [200] * 4 + [503] * 4, responses
    refused = next(response for response in responses if response.status == 503)
    assert "connection_limit_reached" in refused.value("Proxy-Status") and refused.value("Retry-After")
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response().status == 200
