"""A copy of a documentation tree by `wget -r`, and what differs between two copies."""
import filecmp
import os
import shutil
import subprocess
from pathlib import Path

DOCUMENTATION = Path("/usr/share/doc")


def take_documentation(into, least_files):
    """Copies folders of it that hold at least so many files together, all for None, so that nothing changes under a
    test while packages come and go; gives their names."""
    into.mkdir()
    chosen, files = [], 0
    for folder in sorted(DOCUMENTATION.iterdir()):
        if not folder.is_dir():
            continue
        if least_files is not None and files >= least_files:
            break
        chosen.append(folder.name)
        shutil.copytree(folder, into / folder.name, symlinks=True)
        files += sum(len(names) for _, _, names in os.walk(folder))
    return chosen


def copy(port, names, into, at_once):
    """Mirrors the named folders with so many wgets side by side; each keeps its connection as long as it can."""
    into.mkdir()
    running = []
    for part in range(at_once):
        urls = "".join(f"http://127.0.0.1:{port}/{name}/\n" for name in names[part::at_once])
        wget = subprocess.Popen(["wget", "-r", "-l", "inf", "-np", "-nH", "-nv", "-e", "robots=off", "--tries=1", "-i", "-"], cwd=into,
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        running.append((wget, urls))
    messages = ""
    for wget, urls in running:
        messages += wget.communicate(urls)[1]
    return messages


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def differences(copied, direct):
    """Files that only one of them has, and files that differ."""
    here, there = files(copied), files(direct)
    _, unequal, unreadable = filecmp.cmpfiles(copied, direct, sorted(set(here) & set(there)), shallow=False)
    return sorted(set(here) ^ set(there)) + unequal + unreadable
