"""A virtual machine with another kernel, by software emulation, that sees this machine's files and changes none of them."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"]
# The kernel loads modules by the first file system's modprobe, whatever root a process has.
_INIT = """#!/bin/busybox sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module || poweroff -f; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose host /host || poweroff -f
mount -t tmpfs tmpfs /changes
mkdir /changes/upper /changes/work
mount -t overlay -o lowerdir=/host,upperdir=/changes/upper,workdir=/changes/work overlay /root || poweroff -f
mount -t devtmpfs dev /root/dev
mkdir -p /root/dev/shm
mount -t tmpfs tmpfs /root/dev/shm
mount -t proc proc /root/proc
mount -t sysfs sys /root/sys
ip link set lo up
chroot /root /bin/sh /{command}
echo "machine: ended with $?"
poweroff -f
"""


class Machine:
    """`folder`: where the Debian packages of qemu, busybox and a kernel are unpacked; fetched when they are not there."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        if not list(self.folder.glob("boot/vmlinuz-*")):
            self._fetch()
        self.kernel = max(self.folder.glob("boot/vmlinuz-*"))
        self.release = self.kernel.name.removeprefix("vmlinuz-")

    def _fetch(self):
        """By name and not installed, so nobody needs to be root; what qemu needs and this machine has is not fetched."""
        (self.folder / "packages").mkdir(parents=True, exist_ok=True)
        plan = subprocess.run(["apt-get", "--simulate", "--no-install-recommends", "install", "qemu-system-x86"], capture_output=True, text=True, check=True)
        needed = {line.split()[1] for line in plan.stdout.splitlines() if line.startswith("Inst ")}
        depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True)
        needed |= {"qemu-system-x86", "busybox-static", re.search(r"Depends: (linux-image-\S+)", depends.stdout)[1]}
        subprocess.run(["apt-get", "download", *sorted(needed)], cwd=self.folder / "packages", check=True)
        for package in (self.folder / "packages").glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, self.folder], check=True)

    def _modules(self):
        """The files of what is needed before there is a file system, each behind what it needs itself."""
        base = self.folder / "lib/modules" / self.release
        subprocess.run([self.folder / "bin/busybox", "depmod", "-b", self.folder, self.release], check=True)
        needs = dict(line.split(":") for line in (base / "modules.dep").read_text().splitlines())
        by_name = {Path(path).stem: path for path in needs}
        order = []

        def add(path):
            for needed in reversed(needs[path].split()):
                add(needed)
            if path not in order:
                order.append(path)

        for name in _MODULES:
            if name in by_name:   # else built in
                add(by_name[name])
        return [base / path for path in order]

    def _initial_files(self, folder, command):
        for name in ("bin", "sbin", "lib", "proc", "dev", "host", "changes", "root", "modules"):
            (folder / name).mkdir()
        shutil.copy(self.folder / "bin/busybox", folder / "bin/busybox")
        for name in ("sh", "mount", "cat", "insmod", "mkdir", "ip", "chroot", "poweroff", "echo"):
            (folder / "bin" / name).symlink_to("busybox")
        (folder / "sbin/modprobe").symlink_to("/bin/busybox")
        (folder / "lib/modules").symlink_to(f"/host{self.folder}/lib/modules")
        modules = self._modules()
        for module in modules:
            shutil.copy(module, folder / "modules")
        (folder / "modules/order").write_text("\n".join(module.name for module in modules) + "\n")
        (folder / "init").write_text(_INIT.replace("{command}", str(command).lstrip("/")))
        (folder / "init").chmod(0o755)

    def run(self, command, seconds, memory="3G"):
        """Runs a shell's command as root at this working directory, prints what it prints, and gives its exit status; None:
        it did not come to its end."""
        with tempfile.TemporaryDirectory(prefix="proxyd-machine-") as scratch:
            scratch = Path(scratch)
            script = scratch / "command"
            script.write_text(f"export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\ncd '{os.getcwd()}'\n{command}\n")
            (scratch / "files").mkdir()
            self._initial_files(scratch / "files", script)
            with open(scratch / "initrd", "wb") as initrd:
                names = "\n".join(str(path.relative_to(scratch / "files")) for path in sorted((scratch / "files").rglob("*")))
                subprocess.run([self.folder / "bin/busybox", "cpio", "-o", "-H", "newc"], input=names, text=True, stdout=initrd,
                               stderr=subprocess.DEVNULL, cwd=scratch / "files", check=True)
            return self._boot(scratch / "initrd", seconds, memory)

    def _boot(self, initrd, seconds, memory):
        libraries = self.folder / "usr/lib/x86_64-linux-gnu"
        machine = subprocess.Popen(
            ["timeout", str(seconds), self.folder / "usr/bin/qemu-system-x86_64", "-L", self.folder / "usr/share/qemu",
             "-L", self.folder / "usr/share/seabios", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", memory, "-nodefaults", "-nographic",
             "-no-reboot", "-serial", "stdio", "-kernel", self.kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1",
             "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap", "-device", "virtio-9p-pci,fsdev=host,mount_tag=host"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
            env={**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{self.folder / 'lib/x86_64-linux-gnu'}"})
        status = None
        for line in machine.stdout:
            print(line, end="", flush=True)
            if found := re.search(r"machine: ended with (\d+)", line):
                status = int(found[1])
        machine.wait()
        return status
