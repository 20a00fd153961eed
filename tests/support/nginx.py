"""nginx as an origin: its own folder, configuration and port; ended by the process that was started."""
import subprocess
import tempfile
from pathlib import Path

from proxyd import eventually, free_port

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log error.log warn;
events {{ worker_connections 1024; }}
http {{
  include /etc/nginx/mime.types; access_log off; client_max_body_size 0; absolute_redirect off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""


class Nginx:
    def __init__(self, server):
        self.folder = tempfile.TemporaryDirectory(prefix="proxyd-nginx-")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.configuration = Path(self.folder.name) / "nginx.conf"
        self.configuration.write_text(CONFIGURATION.format(port=self.port, server=server))
        self.start()

    def start(self):
        pid_file = Path(self.folder.name) / "nginx.pid"
        pid_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.folder.name, "-e", "error.log", "-c", self.configuration],
                                        stderr=subprocess.DEVNULL)
        eventually(pid_file.exists, what="nginx's pid file")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()
