#!/usr/bin/python3
"""The house rules that a machine can check: dependencies run one way, files stay small, names say something."""
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Each folder and what it may include; lower ones first.
MAY_INCLUDE = {
    "shared/base": [], "shared/memory": ["shared/base"], "shared/config": ["shared/base", "shared/memory"],
    "shared/cache": ["shared/base", "shared/memory"],
    "shared/ipc": ["shared/base", "shared/memory"],
    "shared/metrics": ["shared/base", "shared/memory"], "shared/status": ["shared/base", "shared/memory"],
    "worker/http": ["shared/base"], "worker/async": ["shared/base"], "worker/http1": ["shared/base", "worker/http"],
    "worker/http2": ["shared/base", "shared/metrics", "worker/http"],
    "worker/net": ["shared/base", "worker/async"], "worker/routing": ["shared/base", "shared/config", "shared/limits", "worker/http"],
    "worker/caching": ["shared/base", "shared/config", "shared/metrics", "worker/http"],
    "shared/tickets": ["shared/base", "shared/memory"],
    "shared/limits": ["shared/base", "shared/memory"],
    "shared/authentication": ["shared/base"],
    "worker/authentication": ["shared/authentication", "shared/base", "shared/config", "worker/http"],
    "worker/tls": ["shared/base", "shared/config", "shared/metrics", "shared/tickets", "worker/async", "worker/net"],
    "worker/message": ["shared/base", "worker/http", "worker/http1", "worker/net", "worker/async"],
}
BELOW = ["shared/", "worker/http", "worker/async", "worker/http1", "worker/http2", "worker/net", "worker/tls", "worker/message"]
MAY_INCLUDE["worker/upstream"] = BELOW
MAY_INCLUDE["worker/downstream"] = BELOW
MAY_INCLUDE["worker/proxy/relay"] = ["shared/base", "shared/config", "worker/http", "worker/async", "worker/net"]
MAY_INCLUDE["worker/proxy/stored"] = [*BELOW, "worker/caching", "worker/upstream", "worker/proxy/relay"]
MAY_INCLUDE["worker/proxy"] = [*BELOW, "worker/authentication", "worker/routing", "worker/caching", "worker/upstream", "worker/downstream", "worker/proxy/"]
MAY_INCLUDE["worker"] = ["shared/", "worker/"]
MAY_INCLUDE["master/store"] = ["shared/"]
MAY_INCLUDE["master/certificates"] = ["shared/base", "shared/config"]
MAY_INCLUDE["master/dns"] = ["shared/base", "shared/config"]
MAY_INCLUDE["master"] = ["shared/", "master/store", "master/certificates", "master/dns"]
MAY_INCLUDE["master/admin"] = ["shared/", "master/"]
MAY_INCLUDE["cli/output"] = []
MAY_INCLUDE["cli/rest"] = ["shared/base", "shared/config"]
MAY_INCLUDE["cli"] = ["shared/base", "shared/config", "cli/output", "cli/rest"]
MAY_INCLUDE["cli/commands"] = ["shared/base", "shared/config", "cli/"]
ONLY_IN = {"openssl/": ["shared/base", "shared/authentication", "worker/authentication", "worker/tls", "master/certificates", "master/store"], "Poco/": ["master", "cli"], "sqlite": ["master/store"], "re2/": ["shared/cache", "shared/config", "worker/routing"],
           "yaml-cpp/": ["shared/config"], "xxhash": ["worker/routing"], "CLI/": ["master", "cli"], "zlib": [], "nghttp2/": ["worker/http2"], "ares": ["master/dns"]}
FORBIDDEN_NAME = re.compile(r"\b(?:class|struct) \w*(?:Manager|Helper|Util|Impl|Base)\b")
ALLOWED_NAMES = {"AdoptedSocketImpl"}   # POCO's own word for what it derives from
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_FILES_WITHOUT_README = 20
# A table with a line for each status; the path of a request, which is one coroutine to be read top to bottom.
LONG_ON_PURPOSE = {"worker/http/status.cpp", "worker/proxy/request_path.cpp"}


def functions(lines):
    """(where, how long) of each function outside a class: it begins at the last line before its brace that is not indented."""
    start = 0
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z_~]", line):
            start = number
        if line == "}":
            yield start, number - start + 1


sources = sorted(p for top in ("shared", "worker", "master", "cli", "tests") for p in (ROOT / top).rglob("*")
                 if p.suffix in (".h", ".cpp"))
formatted = subprocess.run(["clang-format-19", "--dry-run", *map(str, sources)], cwd=ROOT, capture_output=True, text=True)
faults = [line.removeprefix(f"{ROOT}/") for line in formatted.stderr.splitlines() if ": warning:" in line]
for path in (p for p in sources if p.relative_to(ROOT).parts[0] != "tests"):
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text()
    folder = path.parent.relative_to(ROOT).as_posix()
    key = max((k for k in MAY_INCLUDE if folder == k or folder.startswith(k + "/")), key=len)
    for number, line in enumerate(text.splitlines(), 1):
        include = re.match(r'#include "((shared|worker|master|cli)/[^"]+)"', line)
        if include:
            target = str(Path(include[1]).parent)
            allowed = path.name == "main.cpp" or target == folder or target == key or any(
                target == one.rstrip("/") or target.startswith(one.rstrip("/") + "/") for one in MAY_INCLUDE[key])
            if not allowed:
                faults.append(f"{name}:{number}: {folder} may not include {include[1]}")
        for library, folders in ONLY_IN.items():
            if re.match(rf"#include <{library}", line) and not any(folder == f or folder.startswith(f + "/") for f in folders):
                faults.append(f"{name}:{number}: <{library}…> belongs in {', '.join(folders)}")
        found = FORBIDDEN_NAME.search(line)
        if found and not any(allowed in line for allowed in ALLOWED_NAMES):
            faults.append(f"{name}:{number}: a name that says nothing: {found[0]}")
        if "TODO" in line or "FIXME" in line:
            faults.append(f"{name}:{number}: a TODO in place of behaviour")
    for start, length in functions(text.splitlines()) if name not in LONG_ON_PURPOSE else []:
        if length > MOST_LINES_OF_A_FUNCTION:
            faults.append(f"{name}:{start}: a function of {length} lines; {MOST_LINES_OF_A_FUNCTION} fit on a screen")
    if text.count("\n") > MOST_LINES:
        faults.append(f"{name}: {text.count(chr(10))} lines; look for the noun that wants out")
for top in ("shared", "worker", "master", "cli", "etc", "tests"):
    if not (ROOT / top / "README.md").exists():
        faults.append(f"{top}/README.md is missing")
for folder, files in Counter(p.parent for p in sources if p.relative_to(ROOT).parts[0] != "tests").items():
    if files > MOST_FILES_WITHOUT_README and not (folder / "README.md").exists():
        faults.append(f"{folder.relative_to(ROOT)}: {files} files and no README.md that says what is where")
print("\n".join(faults) or "lint: clean")
sys.exit(1 if faults else 0)
