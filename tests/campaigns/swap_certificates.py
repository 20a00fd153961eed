#!/usr/bin/python3
"""swap_certificates.py [TIMES]: as many changes of certificates, by files that are watched, by a reload and by an upload,
while clients make new connections, resume old sessions and stay. Fails when one handshake or request failed, when a client
was shown any but the certificate before a change or the one after it, or when a worker was replaced."""
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from swapped_certificates import SwappedCertificates   # noqa: E402

times = int(sys.argv[1]) if len(sys.argv) > 1 else 500
with tempfile.TemporaryDirectory() as folder:
    swapped, begun = SwappedCertificates(folder), time.monotonic()
    try:
        swapped.swap_often(times)
    finally:
        faults = swapped.stop()
print(f"{times} changes in {time.monotonic() - begun:.0f} s; done meanwhile: {dict(swapped.done)}")
print("\n".join(faults) or "swap_certificates: nobody noticed")
sys.exit(1 if faults else 0)
