"""Basic authentication: who gets in, what the others are told, what it costs, and where the users' file shows."""
import base64
import signal
import subprocess
import threading

import grpc
import pytest
from client import Client, exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="   # of "secret"


def hashed(name, password, method="-B"):
    return subprocess.run(["htpasswd", "-nb" + method.strip("-"), name, password], check=True, capture_output=True, text=True).stdout.strip()


def showing(name, password, scheme=b"Basic"):
    return b"Authorization: " + scheme + b" " + base64.b64encode(f"{name}:{password}".encode())


class World:
    def __init__(self, tmp_path, workers=1):
        self.users = tmp_path / "users"
        self.users.write_text("# ours\n" + hashed("ann", "secret") + "\nbob:" + SHA + "\n" + hashed("joe", "secret", "-5") + "\n")
        self.staff = tmp_path / "staff"
        self.staff.write_text("boss:" + SHA + "\n")
        self.origin, self.port = Origin(), free_port()
        self.origin.answer = lambda request: ok(b"hello", b"Cache-Control: public, max-age=60")
        document = site(self.port, self.origin.address, cached={"default_ttl": {"200": "1h"}})
        host = document["hosts"]["all"]
        host.update({"auth": self.basic("ours"), "purge": {"allow": ["127.0.0.1/32"]}})
        host["routes"] = [
            {"name": "ready", "match": {"path": "/ready"}, "ready": True, "auth": None},
            {"name": "open", "match": {"path_prefix": "/open"}, "upstream": "app", "auth": None},
            {"name": "both", "match": {"path_prefix": "/both"}, "upstream": "app", "auth": {"basic": {"realm": "st\\aff", "users_file": str(self.staff)}}},
            {"name": "away", "match": {"path": "/away"}, "redirect": {"to": "/new"}},
            {"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "main"}]
        self.document = document
        self.proxyd = Proxyd(document, workers=workers)

    def basic(self, realm):
        return {"basic": {"realm": realm, "users_file": str(self.users)}}

    def ask(self, path=b"/", *fields, method=b"GET"):
        return exchange(self.port, get(path, *fields, method=method), method.decode())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.proxyd.logs())
        self.proxyd.stop()
        self.origin.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("users")) as world:
        yield world


def test_who_shows_a_password_of_the_file_gets_in_and_nobody_else(world):
    for name in ("ann", "bob", "joe"):
        assert world.ask(b"/in", showing(name, "secret")).status == 200, name
        assert world.ask(b"/in", showing(name, "secret", b"bASIC")).status == 200, name
        for _ in range(2):
            assert world.ask(b"/in", showing(name, "Secret")).status == 401, name
    seen = len(world.origin.requests)
    for shown in (showing("nobody", "secret"), showing("ann", ""), showing("", ""), b"Authorization: Basic", b"Authorization: Basic %%%",
                  b"Authorization: Bearer YW5uOnNlY3JldA==", b"X-Other: 1", b"Authorization: Basic " + 9000 * b"x",
                  showing("ann", "secret") + b"\r\n" + showing("bob", "secret")):
        answer = world.ask(b"/in", shown)
        assert answer.status == 401, shown[:60]
        assert answer.value("WWW-Authenticate") == 'Basic realm="ours", charset="UTF-8"'
        assert answer.value("Cache-Control") == "no-store"
    assert len(world.origin.requests) == seen


def test_a_route_asks_besides_its_host_and_null_asks_nothing(world):
    answer = world.ask(b"/both", showing("ann", "secret"))
    assert (answer.status, answer.value("WWW-Authenticate")) == (401, 'Basic realm="st\\\\aff", charset="UTF-8"')
    assert world.ask(b"/both", showing("boss", "secret")).value("WWW-Authenticate") == 'Basic realm="ours", charset="UTF-8"', "the host's first"
    assert world.ask(b"/open").status == 200
    assert world.ask(b"/ready").status == 200


def test_what_we_answer_ourselves_and_what_is_cached_is_guarded_too_and_purges_are_not(world):
    assert world.ask(b"/away").status == 401
    assert world.ask(b"/away", showing("bob", "secret")).status == 308
    assert world.ask(b"/stored", showing("bob", "secret")).status == 200
    hit = world.ask(b"/stored", showing("ann", "secret"))
    assert (hit.status, "hit" in hit.value("Cache-Status")) == (200, True), "public: it may be stored"
    assert world.ask(b"/stored").status == 401
    assert world.ask(b"/stored", method=b"PURGE").status == 200
    head = world.ask(b"/stored", method=b"HEAD")
    assert (head.status, head.body) == (401, b"")


def test_a_path_whose_meaning_is_not_plain_is_refused_where_it_is_guarded(world):
    for path in (b"/a%2fb", b"/a%5Cb"):
        assert world.ask(path, showing("bob", "secret")).status == 400
        assert world.ask(b"/open" + path).status == 200


def test_the_connection_goes_on_after_a_refusal(world):
    with Client(world.port) as client:
        for shown, status in ((b"X: 1", 401), (showing("bob", "secret"), 200), (b"X: 1", 401)):
            client.send(get(b"/in", shown))
            assert client.response().status == status


def test_results_are_counted_and_explain_shows_the_step(world):
    before = {result: world.proxyd.metric("proxyd_auth_total", route="away", result=result) for result in ("admitted", "missing", "refused")}
    world.ask(b"/away")
    world.ask(b"/away", showing("bob", "wrong"))
    world.ask(b"/away", showing("bob", "secret"))
    for result, count in before.items():
        eventually(lambda: world.proxyd.metric("proxyd_auth_total", route="away", result=result) == count + 1, what=result)
    answer = world.proxyd.api("POST", "/api/v1/explain", {"url": f"http://a.test/both"})[1]
    assert answer["auth"] == [{"basic": {"realm": "ours", "users_file": str(world.users)}}, {"basic": {"realm": "st\\aff", "users_file": str(world.staff)}}]


def test_what_is_in_the_file_is_in_no_answer_and_no_log(world):
    world.ask(b"/in", showing("ann", "secret"))
    words = [line.split(":", 1)[1] for line in world.users.read_text().splitlines() if ":" in line]
    texts = [world.proxyd.logs()] + [world.proxyd.api("GET", path, parse=False)[1] for path in ("/api/v1/config", "/api/v1/status", "/metrics", "/api/v1/audit")]
    assert not any(word in text for word in words for text in texts)


def test_a_bad_file_is_refused_by_its_line_and_a_new_one_counts_on_reload(tmp_path):
    with World(tmp_path) as world:
        assert world.ask(b"/in", showing("bob", "secret")).status == 200
        good = world.users.read_text()
        world.users.write_text(good + "eve:hunter2\n")
        status, answer = world.proxyd.api("PUT", "/api/v1/config", {**world.document, "defaults": {"cache_status": "off"}})
        assert status == 422 and "line 5" in answer["errors"][0]["message"], answer
        assert "hunter2" not in str(answer) + world.proxyd.logs()
        assert world.ask(b"/in", showing("bob", "secret")).status == 200
        world.users.write_text("eve:" + SHA + "\n")
        world.proxyd.signal(signal.SIGHUP)
        eventually(lambda: world.ask(b"/in", showing("eve", "secret")).status == 200, what="the new file")
        assert world.ask(b"/in", showing("bob", "secret")).status == 401, "what was remembered was for the other file"


def test_guesses_do_not_keep_out_who_is_known_nor_hold_the_worker(tmp_path):
    with World(tmp_path) as world:
        assert world.ask(b"/in", showing("ann", "secret")).status == 200
        over = threading.Event()
        statuses = []

        def guess(number):
            while not over.is_set():
                statuses.append(world.ask(b"/in", showing("ann", f"guess {number} {len(statuses)}")).status)

        crowd = [threading.Thread(target=guess, args=[number]) for number in range(8)]
        for one in crowd:
            one.start()
        for _ in range(50):
            assert world.ask(b"/in", showing("ann", "secret")).status == 200
            assert world.ask(b"/open").status == 200
        over.set()
        for one in crowd:
            one.join()
        assert set(statuses) <= {401, 503} and 503 in statuses, "one address has two places among those who wait"
        eventually(lambda: world.proxyd.metric("proxyd_auth_total", result="busy") == statuses.count(503), what="the count")


def test_an_unauthenticated_grpc_call_is_told_so(tmp_path):
    users = tmp_path / "users"
    users.write_text("bob:" + SHA + "\n")
    origin, port = Origin(), free_port()
    document = site(port, origin.address, auth={"basic": {"realm": "ours", "users_file": str(users)}})
    document["listeners"]["main"]["protocols"] = ["h1", "h2c"]
    with Proxyd(document):
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]) as channel:
            with pytest.raises(grpc.RpcError) as failed:
                channel.unary_unary("/t.Service/Unary")(b"x", timeout=10)
        assert failed.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert not origin.requests
    origin.stop()
