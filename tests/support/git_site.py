"""A git repository served over smart HTTP: git-http-backend by fcgiwrap behind nginx."""
import os
import signal
import subprocess
from pathlib import Path

from nginx import Nginx
from proxyd import eventually

BACKEND = "/usr/lib/git-core/git-http-backend"
FASTCGI = """
location / {{
  include /etc/nginx/fastcgi_params; fastcgi_pass unix:{socket};
  fastcgi_param SCRIPT_FILENAME """ + BACKEND + """; fastcgi_param GIT_PROJECT_ROOT {root}; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
  fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER tester; fastcgi_read_timeout 300s;
}}
"""
IDENTITY = {"GIT_AUTHOR_NAME": "tester", "GIT_AUTHOR_EMAIL": "tester@a.test", "GIT_COMMITTER_NAME": "tester",
            "GIT_COMMITTER_EMAIL": "tester@a.test", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0"}


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **IDENTITY}, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"git {' '.join(map(str, arguments))}: {done.stderr[-2000:]}"
    return done.stdout.strip()


def commit_random_files(folder, count, octets, prefix):
    """Content that no compression makes smaller."""
    for number in range(count):
        (folder / f"{prefix}-{number}").write_bytes(os.urandom(octets))
    git(folder, "add", ".")
    git(folder, "-c", "core.compression=0", "commit", "-q", "-m", prefix)


class GitSite:
    def __init__(self, folder: Path, files, octets_each):
        self.folder = folder
        work = folder / "source"
        work.mkdir()
        git(work, "init", "-q", "-b", "main")
        commit_random_files(work, files, octets_each, "first")
        git(folder, "clone", "-q", "--bare", str(work), "site.git")
        self.repository = folder / "site.git"
        git(self.repository, "config", "http.receivepack", "true")
        path = folder / "fcgi.socket"
        self.wrapper = subprocess.Popen(["/usr/sbin/fcgiwrap", "-c", "2", "-s", f"unix:{path}"], start_new_session=True,
                                        stderr=subprocess.DEVNULL)
        eventually(path.exists, what="fcgiwrap's socket")
        self.nginx = Nginx(FASTCGI.format(socket=path, root=folder))
        self.address = self.nginx.address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.nginx.__exit__()
        os.killpg(self.wrapper.pid, signal.SIGTERM)
        self.wrapper.wait(10)


def clone_change_push(site, port):
    """What a developer does; every object arrives whole on both sides."""
    git(site.folder, "clone", "-q", f"http://127.0.0.1:{port}/site.git", "clone")
    clone = site.folder / "clone"
    git(clone, "fsck", "--full", "--strict")
    assert git(clone, "rev-parse", "HEAD") == git(site.repository, "rev-parse", "main")
    commit_random_files(clone, 3, 3_000_000, "second")   # beyond http.postBuffer: sent in chunks
    git(clone, "push", "-q", "origin", "main")
    assert git(clone, "rev-parse", "HEAD") == git(site.repository, "rev-parse", "main")
    git(site.repository, "fsck", "--full", "--strict")
    git(site.folder / "source", "pull", "-q", f"http://127.0.0.1:{port}/site.git", "main")
    return sum(path.stat().st_size for path in (clone / ".git/objects/pack").iterdir())
