"""proxyctl on a terminal and in a pipe: questions, colour, widths, readers that leave."""
import copy
import json
import subprocess

import pytest
from origin import Origin
from proxyd import BUILD, Proxyd, free_port, site
from terminal import Terminal


@pytest.fixture(scope="module")
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["upstreams"]["app"]["targets"]["two"] = {"address": "127.0.0.1:9"}
    with Proxyd(document) as proxyd:
        yield proxyd, document
    origin.stop()


def proxyctl(proxyd, *arguments):
    return [BUILD / "bin/proxyctl", "--addr", "unix:" + proxyd.socket, *arguments]


def targets(proxyd):
    return [t["id"] for t in proxyd.api("GET", "/api/v1/upstreams/app")[1]["targets"]]


def test_what_destroys_asks_on_a_terminal_and_no_changes_nothing(world):
    proxyd, _ = world
    with Terminal(proxyctl(proxyd, "upstream", "target", "remove", "app", "two")) as terminal:
        terminal.expect("remove target 'two' of 'app'? [y/N] ")
        terminal.type("n\n")
        assert terminal.end() == 1 and "nothing was changed" in terminal.shown
    with Terminal(proxyctl(proxyd, "upstream", "target", "remove", "app", "two")) as terminal:
        terminal.expect("[y/N]")
        terminal.type("\n")
        assert terminal.end() == 1
    assert targets(proxyd) == ["one", "two"]
    with Terminal(proxyctl(proxyd, "upstream", "target", "remove", "app", "two")) as terminal:
        terminal.expect("[y/N]")
        terminal.type("y\n")
        assert terminal.end() == 0 and "is removed" in terminal.shown
    assert targets(proxyd) == ["one"]
    assert proxyd.proxyctl("upstream", "target", "add", "app", "127.0.0.1:9", "--id", "two").returncode == 0


@pytest.mark.parametrize("command", [
    ["upstream", "target", "remove", "app", "two"], ["token", "revoke", "x"], ["worker", "restart", "0"], ["shutdown"],
])
def test_what_destroys_needs_yes_where_nobody_can_be_asked(world, command):
    proxyd, _ = world
    refused = proxyd.proxyctl(*command)
    assert refused.returncode == 2 and refused.stdout == ""
    assert refused.stderr.startswith("error: ") and "hint: say it with --yes" in refused.stderr
    assert targets(proxyd) == ["one", "two"]


def test_an_apply_that_loses_most_asks_on_a_terminal_after_showing_what_goes(world, tmp_path):
    proxyd, document = world
    lost = copy.deepcopy(document)
    del lost["hosts"]
    path = tmp_path / "lost.json"
    path.write_text(json.dumps(lost))
    with Terminal(proxyctl(proxyd, "apply", "-f", path)) as terminal:
        terminal.expect("this removes 1 of 1 hosts; apply it? [y/N] ")
        assert terminal.shown.index("/hosts/all  (live; added by import at ") < terminal.shown.index("[y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1
    assert proxyd.api("GET", "/api/v1/config")[1]["hosts"]


def test_colour_is_for_terminals_and_not_under_no_color(world):
    proxyd, _ = world
    with Terminal(proxyctl(proxyd, "upstream", "list")) as terminal:
        assert terminal.end() == 0 and "\x1b[32mup" in terminal.shown
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal(proxyctl(proxyd, "upstream", "list"), environment=environment) as terminal:
            assert terminal.end() == 0 and "\x1b" not in terminal.shown and "up" in terminal.shown
    with Terminal(proxyctl(proxyd, "upstream", "list", "-o", "json")) as terminal:
        assert terminal.end() == 0 and "\x1b" not in terminal.shown
    with Terminal(proxyctl(proxyd, "upstream", "show", "ap")) as terminal:
        assert terminal.end() == 5 and "\x1b[1;31merror:\x1b[0m " in terminal.shown
    assert "\x1b" not in proxyd.proxyctl("upstream", "list").stdout + proxyd.proxyctl("upstream", "show", "ap").stderr


@pytest.mark.parametrize("columns", [100, 60, 40])
def test_tables_fit_the_terminal_but_are_whole_in_a_pipe_and_when_wide(world, columns):
    proxyd, document = world
    long = copy.deepcopy(document)
    name = "an-upstream-with-a-rather-long-name-that-fills-the-line"
    long["upstreams"][name] = {"targets": {"a-target-with-a-long-name": {"address": "127.0.0.1:9"}}}
    proxyd.apply(long)
    with Terminal(proxyctl(proxyd, "upstream", "list"), columns=columns, environment={"NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 0
        assert max(len(line) for line in terminal.shown.splitlines()) <= max(columns, 56) and "…" in terminal.shown
    with Terminal(proxyctl(proxyd, "upstream", "list", "-o", "wide"), columns=columns, environment={"NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 0 and name in terminal.shown
    assert name in proxyd.proxyctl("upstream", "list").stdout


def test_columns_stand_under_their_headings(world):
    proxyd, _ = world
    proxyd.proxyctl("upstream", "weight", "app", "two", "50%")
    lines = proxyd.proxyctl("upstream", "list").stdout.splitlines()
    at = lines[0].index("STATE")
    assert all(line[at:].startswith("up") and line[at - 1] == " " for line in lines[1:])
    ends = {line.rstrip().__len__() for line in lines}
    assert any("100 → 50" in line for line in lines) and len(ends) == 1, lines
    proxyd.proxyctl("upstream", "weight", "app", "two", "100%")


@pytest.mark.parametrize("command", ["proxyctl events -f", "proxyctl status -w", "proxyctl metrics", "proxyctl -o json status -w"])
def test_a_reader_that_leaves_ends_it_quietly(world, command):
    proxyd, _ = world
    script = f'proxyctl() {{ "{BUILD}/bin/proxyctl" --addr "unix:{proxyd.socket}" "$@"; }}; set -o pipefail; {command} | head -1'
    if "events" in command:
        proxyd.proxyctl("upstream", "drain", "app", "two", "--no-wait")
        proxyd.proxyctl("upstream", "ready", "app", "two")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stderr == "" and done.stdout.count("\n") == 1
    assert done.returncode in (0, 128 + 13)


def test_a_full_disk_is_said_and_not_taken_for_success(world):
    proxyd, _ = world
    with open("/dev/full", "w") as full:
        done = subprocess.run(proxyctl(proxyd, "export"), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 9 and "error: stdout cannot be written: No space left on device" in done.stderr


def test_what_others_wrote_cannot_steer_the_terminal(world):
    proxyd, document = world
    status, answer = proxyd.api("PUT", "/api/v1/config?message=%1b%5b2Jgone", {**document, "defaults": {"timeouts": {"connect": "7s"}}})
    assert status == 400 and "message" in answer["detail"]
    body = {"reason": "\x1b[2Jgone"}
    assert proxyd.api("POST", "/api/v1/upstreams/app/targets/one:maintenance", body)[0] in (200, 422)
    with Terminal(proxyctl(proxyd, "-o", "wide", "upstream", "show", "app"), environment={"NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 0 and "\x1b" not in terminal.shown


def test_watching_draws_over_itself_on_a_terminal_and_goes_on_in_a_pipe(world):
    proxyd, _ = world
    with Terminal(proxyctl(proxyd, "status", "-w"), environment={"NO_COLOR": "1"}) as terminal:
        terminal.expect("worker")
        first = terminal.shown.count("\x1b[H")
        terminal.shown = ""
        terminal.expect("worker")
        assert first == 1 and terminal.shown.startswith("\x1b[H")
    watching = subprocess.Popen(proxyctl(proxyd, "status", "-w"), stdout=subprocess.PIPE, text=True)
    lines = [watching.stdout.readline() for _ in range(12)]
    watching.terminate()
    watching.wait()
    assert sum(line.startswith("proxyd ") for line in lines) >= 2 and not any("\x1b" in line for line in lines)
