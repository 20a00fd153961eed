#!/usr/bin/python3
"""Kernel TLS, in a virtual machine whose kernel has it: what `kernel_tls_checks.py` looks at, or another command.

    PROXYD_BUILD=build/asan tests/campaigns/kernel_tls.py FOLDER [COMMAND]

FOLDER has Debian's qemu-system-x86, busybox-static and a kernel, unpacked; what is not there is fetched. Needs nothing
else: the machine is emulated, and has this one's files as its own, as they are until it changes them. COMMAND is a
shell's, at the root of the sources, as `pytest -q tests/scenarios/test_tls.py`. Fails when that does."""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from machine import Machine   # noqa: E402

SECONDS = int(os.environ.get("PROXYD_MACHINE_SECONDS", "3000"))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.chdir(ROOT)
    build = os.environ.get("PROXYD_BUILD", "build/release")
    command = sys.argv[2] if len(sys.argv) > 2 else "/usr/bin/python3 tests/campaigns/kernel_tls_checks.py"
    sys.exit(Machine(sys.argv[1]).run(f"export PROXYD_BUILD='{build}'\n{command}", SECONDS) != 0)


if __name__ == "__main__":
    main()
