#!/usr/bin/python3
"""testssl.sh against proxyd with an ECDSA and an RSA certificate, a staple each and HSTS: two minutes. Prints all findings of
severity LOW and above and fails when there is one above LOW. The origin's answer has the fields that are not a proxy's to add."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from certificates import Authority   # noqa: E402
from origin import Origin, ok   # noqa: E402
from proxyd import Proxyd, free_port, site   # noqa: E402

NOTED = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
REVOCATION = "crlDistributionPoints = URI:http://crl.a.test/all.crl\nauthorityInfoAccess = OCSP;URI:http://ocsp.a.test/\n"
FIELDS = (b"X-Content-Type-Options: nosniff", b"X-Frame-Options: DENY", b"Content-Security-Policy: default-src 'self'", b"Referrer-Policy: no-referrer")


def findings(folder):
    authority = Authority(folder)
    middle = Authority(folder, "middle", signed_by=authority)
    certificates = {kind: middle.issue("a.test", key=kind, more=REVOCATION) for kind in ("ecdsa", "rsa")}
    for issued in certificates.values():
        middle.ocsp(issued)
    origin, port, report = Origin(lambda request: ok(b"content", *FIELDS)), free_port(), Path(folder) / "report.json"
    document = site(port, origin.address, force_https={"hsts": "365d"})
    document["certificates"] = {kind: issued.document() for kind, issued in certificates.items()}
    document["listeners"]["main"]["tls"] = {}
    document["hosts"]["all"]["names"] = ["a.test"]
    with Proxyd(document, workers=2) as proxyd:
        done = subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--add-ca", authority.certificate, "--ip", "127.0.0.1",
                               "--jsonfile", report, f"a.test:{port}"], capture_output=True, text=True, timeout=900)
        assert proxyd.workers()[0]["restarts"] == 0
    origin.stop()
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = findings(folder)
    noted = [one for one in found if one["severity"] in NOTED]
    for one in noted:
        print(f"{one['severity']:8} {one['id']}: {one['finding']}")
    above = [one for one in noted if one["severity"] != "LOW"]
    print(f"testssl: {len(found)} findings, {len(noted)} of them noted, {len(above)} above LOW")
    sys.exit(1 if above or len(found) < 100 else 0)
