#!/usr/bin/python3
"""rate_over_time.py [SECONDS]: four times as many requests as a limit of 100/s lets in, with 1 and with 4 workers, one of
which is killed on the way; prints how many were let in each second. Exits 0 when it were 100 ± 2 on average."""
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from client import Client, Closed, get
from origin import Origin, ok
from proxyd import Proxyd, free_port, site

RATE, CLIENTS = 100, 8


def ask_again_and_again(port, end, let_in):
    while time.monotonic() < end:
        try:
            with Client(port) as client:
                while time.monotonic() < end:
                    client.send(get())
                    if client.response().status == 200:
                        let_in.append(time.monotonic())
                    time.sleep(CLIENTS / RATE / 4)
        except (Closed, OSError):
            pass   # of a worker that was killed: another takes the next


def average(workers, seconds):
    origin, port = Origin(lambda request: ok(b"hello")), free_port()
    document = site(port, origin.address, rate_limit="each")
    document["rate_limits"] = {"each": {"rate": f"{RATE}/s"}}
    with Proxyd(document, workers=workers) as proxyd:
        let_in, began = [], time.monotonic()
        threads = [threading.Thread(target=ask_again_and_again, args=(port, began + seconds, let_in)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds / 2)
        if workers > 1:
            os.kill(proxyd.pids()[0], signal.SIGKILL)
        for thread in threads:
            thread.join()
    origin.stop()
    by_second = [sum(began + second <= when < began + second + 1 for when in let_in) for second in range(seconds)]
    print(f"{workers} workers: {len(let_in) / seconds:.2f} a second; {by_second}")
    return len(let_in) / seconds


seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
sys.exit(not all(abs(average(workers, seconds) - RATE) <= 2 for workers in (1, 4)))
