"""Pages of a host in place of our own words, when something is wrong."""
import signal

import pytest
from client import exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site


class World:
    def __init__(self, folder):
        self.pages = {name: folder / name for name in ("502.html", "404.json", "503.txt", "401.page")}
        for name, path in self.pages.items():
            path.write_text(f"page of {name}: ü\n")
        self.origin, self.port = Origin(), free_port()
        document = site(self.port, self.origin.address, error_pages={name[:3]: str(path) for name, path in self.pages.items()})
        document["upstreams"]["gone"] = {"targets": {"one": {"address": f"127.0.0.1:{free_port()}"}}}
        document["upstreams"]["none"] = {}
        users = folder / "users"
        users.write_text("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
        host = document["hosts"]["all"]
        host.update({"names": ["a.test"], "headers": {"response": {"set": {"X-Edited": "yes"}}}})
        host["routes"] = [
            {"name": "app", "match": {"path_prefix": "/app"}, "upstream": "app"},
            {"name": "gone", "match": {"path_prefix": "/gone"}, "upstream": "gone"},
            {"name": "none", "match": {"path_prefix": "/none"}, "upstream": "none"},
            {"name": "own", "match": {"path": "/own"}, "respond": {"status": 503, "body": "its own"}},
            {"name": "guarded", "match": {"path": "/guarded"}, "upstream": "app", "auth": {"basic": {"realm": "r", "users_file": str(users)}}}]
        document["hosts"]["plain"] = {"names": ["plain.test"], "routes": [{"name": "all", "match": {"path": "/x"}, "upstream": "gone"}]}
        self.document = document
        self.proxyd = Proxyd(document)

    def ask(self, path, method=b"GET", host=b"a.test"):
        return exchange(self.port, get(path, host=host, method=method), method.decode())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("pages"))
    with world.proxyd:
        yield world
    world.origin.stop()


@pytest.mark.parametrize("path, name, kind", [
    (b"/gone", "502.html", "text/html; charset=utf-8"), (b"/nothing", "404.json", "application/json"), (b"/none", "503.txt", "text/plain; charset=utf-8"),
    (b"/guarded", "401.page", "text/html; charset=utf-8"),
])
def test_an_answer_that_we_make_has_the_page_of_its_status(world, path, name, kind):
    answer = world.ask(path)
    assert (answer.status, answer.body) == (int(name[:3]), world.pages[name].read_bytes())
    assert answer.value("Content-Type") == kind and answer.value("Cache-Control") == "no-store"
    if name[0] == "4":
        assert answer.value("X-Edited") == "yes", "edited as all others"
    head = world.ask(path, b"HEAD")
    assert (head.status, head.body, head.value("Content-Length")) == (int(name[:3]), b"", str(len(answer.body)))


def test_what_others_answer_and_other_hosts_stay_as_they_are(world):
    world.origin.answer = lambda request: b"HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\nown"
    assert (world.ask(b"/app").status, world.ask(b"/app").body) == (502, b"own")
    assert world.ask(b"/own").body == b"its own"
    assert b"page of" not in world.ask(b"/x", host=b"plain.test").body
    assert b"page of" not in world.ask(b"/x", host=b"nobody.test").body


def test_a_page_is_read_again_on_reload_and_a_bad_one_is_refused(world):
    page = world.pages["502.html"]
    page.write_text("new")
    assert world.ask(b"/gone").body != b"new"
    world.proxyd.signal(signal.SIGHUP)
    eventually(lambda: world.ask(b"/gone").body == b"new", what="the new page")
    for content, words in ((b"x" * (256 * 1024 + 1), "larger"), (b"\xff", "UTF-8"), (None, "502.html")):
        page.unlink() if content is None else page.write_bytes(content)
        status, answer = world.proxyd.api("PUT", "/api/v1/config", {**world.document, "defaults": {"cache_status": "off"}})
        assert status == 422 and answer["errors"][0]["pointer"] == "/hosts/all/error_pages/502" and words in answer["errors"][0]["message"], answer
    page.write_text("new")
