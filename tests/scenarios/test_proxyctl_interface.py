"""proxyctl's interface to scripts: outputs, exit codes, errors with hints, addresses, tokens, completions, manual."""
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest
from origin import Origin
from proxyd import BUILD, Proxyd, free_port, site

PROXYCTL = BUILD / "bin/proxyctl"


@pytest.fixture(scope="module")
def world():
    origin, port, admin = Origin(), free_port(), free_port()
    document = site(port, origin.address)
    document["upstreams"]["api"] = {"targets": {"list": {"address": origin.address}}}   # named like commands
    with Proxyd(document, admin=f"127.0.0.1:{admin}") as proxyd:
        proxyd.admin = f"http://127.0.0.1:{admin}"
        yield proxyd
    origin.stop()


def run(*arguments, stdin=None, **environment):
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PROXYCTL")}
    return subprocess.run([PROXYCTL, *arguments], input=stdin, capture_output=True, text=True, timeout=60, env={**variables, **environment})


READERS = [
    (["status"], "/api/v1/status"), (["upstream", "list"], "/api/v1/upstreams"), (["upstream", "show", "app"], "/api/v1/upstreams/app"),
    (["worker", "list"], "/api/v1/workers"), (["config", "history", "--limit", "200"], "/api/v1/revisions?limit=200"), (["config", "show", "1"], "/api/v1/revisions/1"),
    (["export"], "/api/v1/config"), (["token", "list"], "/api/v1/tokens"), (["audit"], "/api/v1/audit"), (["logs", "rejects"], "/api/v1/rejects"),
    (["diff", "1"], "/api/v1/revisions/1/diff"), (["host", "list"], "/api/v1/hosts"), (["route", "list"], "/api/v1/config"), (["metrics"], "/metrics"),
    (["cache", "stats"], "/api/v1/cache"), (["cache", "purges"], "/api/v1/cache/purges"), (["cert", "list"], "/api/v1/certificates"),
]


def steady(text):
    """Without the numbers that move between two calls."""
    return re.sub(r"[0-9.]+", "N", text)


@pytest.mark.parametrize("command, path", READERS, ids=lambda one: " ".join(one) if isinstance(one, list) else "")
def test_json_is_the_body_of_the_api_verbatim_and_every_form_works(world, command, path):
    body = world.api("GET", path, parse=False)[1]
    assert steady(world.proxyctl("-o", "json", *command).stdout) == steady(body)
    for form in ("table", "wide", "yaml", "name"):
        shown = world.proxyctl(*command, "-o", form)
        assert shown.returncode in (0, 1) and not shown.stderr.startswith("error"), (form, shown)


def test_yaml_and_names_are_for_scripts(world):
    assert world.proxyctl("upstream", "list", "-o", "name").stdout == "api\napp\n"
    assert world.proxyctl("worker", "list", "-o", "name").stdout == "0\n"
    assert "name: app" in world.proxyctl("upstream", "show", "app", "-o", "yaml").stdout
    wrong = world.proxyctl("upstream", "list", "-o", "xml")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: ")


def test_names_that_are_also_commands_are_taken_as_names(world):
    assert world.proxyctl("upstream", "show", "api").stdout.startswith("upstream api: ")
    drained = world.proxyctl("upstream", "drain", "api", "list")
    assert drained.returncode == 0 and world.proxyctl("upstream", "ready", "api", "list").returncode == 0


@pytest.mark.parametrize("arguments, cause, hint", [
    (["upstrem", "list"], "proxyctl has no command 'upstrem'", "did you mean 'upstream'?"),
    (["upstream", "lst"], "proxyctl upstream has no command 'lst'", "did you mean 'list'?"),
    (["upstream", "drain", "app", "one", "--reson", "x"], "proxyctl upstream drain has no option '--reson'", "did you mean '--reason'?"),
    (["status", "more"], "proxyctl status has no further argument 'more'", "proxyctl status --help"),
    (["upstream", "drain", "app"], "id is required", "proxyctl upstream drain --help"),
    (["upstream", "drain", "app", "one", "--timeout", "30"], "'30' is no duration", "--help"),
    (["upstream", "weight", "app", "one", "half"], "'half' is no weight", "--help"),
    (["upstream", "target", "add", "app", "127.0.0.1:1", "--weight", "x"], "--weight", "--help"),
    (["upstream", "target", "remove", "app", "one", "--force", "--keep"], "excludes", "--help"),
    (["upstream", "target", "set", "app", "one"], "nothing is to be set", "--weight"),
    (["diff"], "diff of what?", "proxyctl diff -f FILE"),
    (["apply", "-f", "/nonexistent/file"], "/nonexistent/file cannot be read: No such file or directory", None),
    (["explain", "http://a.test/", "-H", "nothing"], "-H 'nothing' is no field", "Name: value"),
    (["apply"], "--file is required", "proxyctl apply --help"),
    ([], "proxyctl needs a command", "--help"),
    (["upstream", "target"], "proxyctl upstream target needs a command", "--help"),
])
def test_a_command_line_that_is_wrong_exits_2_with_what_was_meant(world, arguments, cause, hint):
    wrong = world.proxyctl(*arguments)
    assert wrong.returncode == 2 and wrong.stdout == ""
    assert f"error: " in wrong.stderr and cause in wrong.stderr, wrong.stderr
    assert hint is None or f"hint: " in wrong.stderr and hint in wrong.stderr.split("hint: ")[1], wrong.stderr


def test_nobody_there_exits_3_and_says_how_to_name_the_server(tmp_path):
    gone = f"127.0.0.1:{free_port()}"
    for address in (f"unix:{tmp_path}/none.sock", f"http://{gone}", f"https://{gone}"):
        for command in (["status"], ["apply", "-f", "-"], ["metrics"], ["events"], ["upstream", "drain", "a", "b"], ["export"], ["config", "validate", "-f", "-"]):
            away = run("--addr", address, *command, stdin="version: 1\n")
            assert away.returncode == 3 and away.stdout == "", (address, command, away)
            assert f"error: no proxyd answers at {address}: " in away.stderr and "--addr" in away.stderr and "PROXYCTL_ADDR" in away.stderr
    assert "--offline" in run("--addr", f"http://{gone}", "config", "validate", "-f", "-", stdin="version: 1\n").stderr
    assert run("--addr", f"http://{gone}", "version").stdout.splitlines()[1] == f"proxyd   not reached at http://{gone}"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "unix:", "unix:/" + "x" * 200, "ftp://a/", "http://", "http://h/path", "http://user:secret@h/"])
def test_an_address_that_is_none_exits_2(address):
    wrong = run("--addr", address, "status")
    assert wrong.returncode == 2 and f"'{address}': " in wrong.stderr


def test_the_server_is_found_by_flag_then_environment(world):
    assert run("upstream", "list", "-o", "name", PROXYCTL_ADDR="unix:" + world.socket).stdout == "api\napp\n"
    assert run("--addr", "unix:" + world.socket, "upstream", "list", "-o", "name", PROXYCTL_ADDR="unix:/nonexistent").returncode == 0
    assert "unix:/run/proxyd/admin.sock" in run("status").stderr


def test_a_server_that_is_not_proxyd_is_told_so():
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if "status" in self.path else 404)
            self.send_header("Content-Type", "application/json" if "status" in self.path else "text/html")
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for command in (["status"], ["upstream", "list"]):
            other = run("--addr", address, *command)
            assert other.returncode == 10 and f"what answers at {address} is no proxyd" in other.stderr
        server.shutdown()


@pytest.mark.parametrize("answer, words", [(b"", "broke off"), (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}", "broke off")])
def test_an_answer_that_breaks_off_is_never_taken_for_whole(answer, words):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)
        threading.Thread(target=serve, daemon=True).start()
        broken = run("--addr", f"http://127.0.0.1:{listener.getsockname()[1]}", "status")
    assert broken.returncode == 3 and words in broken.stderr and broken.stdout == ""


def test_tokens_come_from_a_file_or_the_environment_and_bound_what_may_be_done(world, tmp_path):
    made = world.proxyctl("token", "create", "--name", "ci", "--scope", "viewer", "--expires", "1h")
    assert made.returncode == 0 and re.fullmatch(r"pxy_\w+_\w+\n", made.stdout) and "--token-file" in made.stderr
    file = tmp_path / "token"
    file.write_text(made.stdout)
    over_tcp = ["--addr", world.admin]
    assert run(*over_tcp, "--token-file", str(file), "upstream", "list").returncode == 0
    assert run(*over_tcp, "upstream", "list", PROXYCTL_TOKEN=made.stdout.strip()).returncode == 0
    nobody = run(*over_tcp, "upstream", "list")
    assert nobody.returncode == 4 and "proxyctl token create" in nobody.stderr and "--token-file" in nobody.stderr
    viewer = run(*over_tcp, "--token-file", str(file), "upstream", "drain", "app", "one")
    assert viewer.returncode == 4 and "upstreams:runtime" in viewer.stderr
    assert run(*over_tcp, "--token-file", str(tmp_path / "none"), "status").returncode == 2
    (tmp_path / "empty").write_text("")
    assert run(*over_tcp, "--token-file", str(tmp_path / "empty"), "status").returncode == 2
    assert run("--token", "pxy_a_b", "status").returncode == 2
    token = json.loads(world.proxyctl("token", "list", "-o", "json").stdout)["items"][0]["id"]
    assert world.proxyctl("token", "list", "-o", "name").stdout == token + "\n"
    close = token[:-1] + ("0" if token[-1] != "0" else "1")
    wrong = world.proxyctl("token", "revoke", close, "--yes")
    assert wrong.returncode == 5 and f"did you mean '{token}'?" in wrong.stderr
    assert world.proxyctl("token", "revoke", token, "--yes").returncode == 0
    assert run(*over_tcp, "--token-file", str(file), "upstream", "list").returncode == 4


def test_a_scope_that_is_none_exits_7_and_names_them(world):
    wrong = world.proxyctl("token", "create", "--name", "x", "--scope", "vewer")
    assert wrong.returncode == 7 and "vewer" in wrong.stderr and "viewer, operator, deployer, admin" in wrong.stderr


def test_api_makes_one_call_and_prints_its_body(world):
    assert json.loads(world.proxyctl("api", "get", "upstreams/app").stdout)["name"] == "app"
    assert world.proxyctl("api", "GET", "/livez").stdout == "alive\n"
    missing = world.proxyctl("api", "GET", "nothing")
    assert missing.returncode == 5 and json.loads(missing.stdout)["status"] == 404 and "error: " in missing.stderr
    assert world.proxyctl("api", "DELETE", "status").returncode == 2
    checked = world.proxyctl("api", "POST", "config:validate", "-d", "@-", stdin="version: 1\n")
    assert checked.returncode == 0 and json.loads(checked.stdout)["valid"]
    changed = world.proxyctl("api", "PUT", "config", "-H", 'If-Match: "r99"', "-d", '{"version":1}')
    assert changed.returncode == 6 and "--overwrite" in changed.stderr


def test_version_names_both(world):
    assert re.fullmatch(r"proxyctl \d+\.\d+\.\d+\nproxyd   \d+\.\d+\.\d+\n", world.proxyctl("version").stdout)
    assert set(json.loads(world.proxyctl("version", "-o", "json").stdout)) == {"proxyctl", "proxyd"}
    assert run("--version").stdout.startswith("proxyctl ")


def commands_in(text=""):
    """Every command's words, from the help texts of the program itself."""
    listed = run(*text.split(), "--help").stdout.split("Subcommands:\n")
    if len(listed) == 1:
        return [text]
    words = [line.split()[0] for line in listed[1].splitlines() if re.match(r"  \S", line)]
    return [command for word in words for command in commands_in(f"{text} {word}".strip())]


def test_every_command_has_help_that_explains_its_arguments():
    commands = commands_in()
    assert {"status", "upstream target add", "config rollback", "ui login", "logs rejects", "man"} <= set(commands)
    for command in commands:
        text = run(*command.split(), "--help").stdout
        assert f"proxyctl {command}" in text, text
        lines = text.splitlines()
        for line, following in zip(lines, lines[1:]):
            if re.match(r"  \S", line):   # what it is stands beside it, or in the next line when it is long
                assert len(line) > 30 and line[29] == " " or following.startswith(" " * 30), (command, line)


def complete(shell_script, words):
    script = f"{shell_script}\nCOMP_WORDS=({' '.join(words)})\nCOMP_CWORD={len(words) - 1}\n_proxyctl\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_completion_for_bash_offers_commands_options_choices_and_names(world, tmp_path):
    script = run("completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""
    script = f'proxyctl() {{ "{PROXYCTL}" --addr "unix:{world.socket}" "$@"; }}\n' + script
    assert complete(script, ["proxyctl", "up"]) == ["upstream"]
    assert set(complete(script, ["proxyctl", "upstream", "target", "''"])) == {"add", "remove", "set", "sync"}
    assert complete(script, ["proxyctl", "-o", "json", "upstream", "sh"]) == ["show"]
    assert complete(script, ["proxyctl", "-o", "y"]) == ["yaml"]
    assert complete(script, ["proxyctl", "upstream", "drain", "app", "one", "--ti"]) == ["--timeout"]
    assert complete(script, ["proxyctl", "upstream", "show", "''"]) == ["api", "app"]
    assert complete(script, ["proxyctl", "completion", "f"]) == ["fish"]
    assert complete(script, ["proxyctl", "logs", "level", "w"]) == ["warning"]
    (tmp_path / "site.yaml").write_text("")
    assert complete(f"cd {tmp_path}\n" + script, ["proxyctl", "apply", "-f", "si"]) == ["site.yaml"]


@pytest.mark.parametrize("shell, check", [("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
def test_completions_for_other_shells_are_well_formed(shell, check, tmp_path):
    script = run("completion", shell)
    assert script.returncode == 0 and "upstream" in script.stdout and "--base-revision" in script.stdout.replace("-l base", "--base")
    if shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(script.stdout)
        checked = subprocess.run([*check, str(path)], capture_output=True, text=True)
        assert checked.returncode == 0 and checked.stderr == ""


def test_the_manual_page_is_clean_roff_and_names_every_command(tmp_path):
    page = run("man").stdout
    path = tmp_path / "proxyctl.1"
    path.write_text(page)
    formatted = subprocess.run(["groff", "-ww", "-K", "utf8", "-man", "-Tutf8", str(path)], capture_output=True, text=True)
    assert formatted.returncode == 0 and formatted.stderr == ""
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", formatted.stdout)
    for command in commands_in():
        assert command in text
    for code in ("0", "9", "10"):
        assert re.search(rf"^ +{code} +\S", text, re.M), code
