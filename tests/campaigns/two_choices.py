#!/usr/bin/python3
"""Two choices against taking turns, with four workers and targets of unequal speed: each target serves one request at a
time, three in 2 ms, one in 20 ms, and 64 connections ask as fast as they are answered. Prints the 99th percentile of
both, which may be at most 0.6 of the other, and each target's share."""
import argparse
import asyncio
import re
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from proxyd import Proxyd, free_port, site   # noqa: E402

TIMES = {"fast1": 0.002, "fast2": 0.002, "fast3": 0.002, "slow": 0.02}
BAR = 0.6


class SerialOrigin:
    """Serves one request at a time, each in so many seconds, in the event loop of its thread."""

    def __init__(self, seconds):
        self.seconds, self.served, self.started = seconds, 0, threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()
        self.started.wait()

    async def _run(self):
        self.turn = asyncio.Lock()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        self.started.set()
        await asyncio.Event().wait()

    async def _serve(self, reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                async with self.turn:
                    await asyncio.sleep(self.seconds)
                self.served += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def measure(balance, seconds):
    origins = {name: SerialOrigin(time) for name, time in TIMES.items()}
    port = free_port()
    document = site(port, "127.0.0.1:1")
    document["upstreams"]["app"] = {"balance": balance, "health": {"passive": "off"},
                                    "targets": {name: {"address": origin.address} for name, origin in origins.items()}}
    with Proxyd(document, workers=4):
        text = subprocess.run(["wrk", "-t2", "-c64", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/"],
                              capture_output=True, text=True, check=True).stdout
    p99 = milliseconds(re.search(r"99%\s+(\S+)", text)[1])
    total = sum(origin.served for origin in origins.values())
    shares = ", ".join(f"{name} {100 * origin.served / total:.1f} %" for name, origin in origins.items())
    print(f"{balance}: p99 {p99:.0f} ms, {total / seconds:.0f} requests a second ({shares})")
    return p99


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=10)
    seconds = options.parse_args().seconds
    turns, choices = measure("round_robin", seconds), measure("p2c", seconds)
    ratio = choices / turns
    print(f"p2c's p99 is {ratio:.2f} of round robin's (bar {BAR}): {'kept' if ratio <= BAR else 'EXCEEDED'}")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
