"""Runs a program on a pseudo terminal of a given width, as a person would: reads what it shows, types answers."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


class Terminal:
    def __init__(self, command, columns=100, environment=None):
        self.descriptor, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        variables = {**os.environ, "TERM": "xterm", **(environment or {})}
        if environment is None or "NO_COLOR" not in environment:
            variables.pop("NO_COLOR", None)
        self.process = subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=variables, start_new_session=True)
        os.close(child)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        os.close(self.descriptor)

    def _read(self, patience):
        if not select.select([self.descriptor], [], [], patience)[0]:
            return False
        try:
            self.shown += os.read(self.descriptor, 65536).decode().replace("\r\n", "\n")
        except OSError:   # the other end is closed: the program has ended
            return False
        return True

    def expect(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end and (self._read(1) or self.process.poll() is None), f"{text!r} was not shown, but {self.shown!r}"
        return self.shown

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def end(self, seconds=20):
        """The exit status, after everything that was shown is in `shown`."""
        end = time.monotonic() + seconds
        while self._read(0.5) or self.process.poll() is None:
            assert time.monotonic() < end, self.shown
        return self.process.wait()
