"""Every document that the unit tests know, put to the real program."""
import json
import re
import subprocess

import pytest
from certificates import Authority
from client import Client
from origin import Origin
from proxyd import BUILD, ROOT, Proxyd, free_port, site
from web_tokens import Signer

EXAMPLES = sorted(path.name for path in (ROOT / "etc/examples").glob("*.yaml"))


def documents(kind):
    return json.loads(subprocess.run([BUILD / "bin/test_documents", kind], capture_output=True, check=True).stdout)


def write_files_of_auth(folder):
    """The files that `auth` and `error_pages` name in the documents, by key."""
    files = {"users_file": folder / "users", "jwks_file": folder / "keys.json", "error_pages": folder / "page.html"}
    files["users_file"].write_text("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    files["jwks_file"].write_text(Signer().key_set())
    files["error_pages"].write_text("page")
    return {key: str(file) for key, file in files.items()}


class Places:
    """Stands in for addresses and files that a test may not use: the same one for the same one."""

    def __init__(self, folder):
        self.folder, self.ports = folder, {}
        self.secret = folder / "secret"
        self.secret.write_text("hidden\n")
        self.files = write_files_of_auth(folder)
        self.authority = Authority(folder)
        self.issued = self.authority.issue("a.test")

    def address(self, given):
        if given.startswith("unix:"):
            return f"unix:{self.folder}/{abs(hash(given)) % 997}.sock"
        return f"127.0.0.1:{self.ports.setdefault(given, None) or self._port(given)}"

    def _port(self, given):
        self.ports[given] = free_port()
        return self.ports[given]

    def fit(self, json_value, key=""):
        if key == "error_pages":
            return dict.fromkeys(json_value, self.files[key])
        if isinstance(json_value, dict):
            if "uploaded" in json_value or ("certificate_file" in json_value and key != "tls"):
                return self.issued.document()
            if "certificate_file" in json_value:
                json_value = {**json_value, **self.issued.document()}
            return {name: self.fit(value, name) for name, value in json_value.items()}
        if isinstance(json_value, list):
            return [self.fit(value, key) for value in json_value]
        if key in ("users_file", "jwks_file"):
            return self.files[key]
        if key == "ca_file":
            return str(self.authority.certificate)
        if key == "ciphers":
            return "ECDHE+AESGCM:ECDHE+CHACHA20"
        if key in ("file", "token_file") and isinstance(json_value, str):
            return str(self.secret if "secret" in json_value or key == "token_file" else self.folder / "log")
        return json_value

    def fit_document(self, document):
        document = self.fit(document)
        for listener in document.get("listeners", {}).values():
            if "address" in listener:
                listener["address"] = self.address(listener["address"])
            if "addresses" in listener:
                listener["addresses"] = [self.address(one) for one in listener["addresses"]]
        return document


def export_is_a_fixed_point(proxyd):
    """What `proxyctl export | proxyctl apply -f -` does: nothing."""
    before = proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"]
    exported = proxyd.api("GET", "/api/v1/config?format=yaml", parse=False)[1]
    status, answer = proxyd.api("PUT", "/api/v1/config", exported.encode(), "application/yaml", headers={"If-Match": f'"r{before}"'})
    assert status == 200 and answer["changes"] == [] and answer["revision"] == before, (answer, exported)


@pytest.fixture(scope="module")
def proxyd(tmp_path_factory):
    with Proxyd(site(free_port(), "127.0.0.1:9"), workers=1, arguments=("--cache", "1TiB")) as running:
        yield running


def test_export_and_apply_change_nothing_of_two_hundred_generated_documents(proxyd, tmp_path):
    places = Places(tmp_path)
    some = 200 if BUILD.name == "release" else 40   # a sanitizer takes its time
    for number, document in enumerate(documents("valid")[:some]):
        status, answer = proxyd.api("PUT", "/api/v1/config", places.fit_document(document))
        assert status == 200 and answer["acknowledged"] == 1, (number, answer)
        export_is_a_fixed_point(proxyd)


@pytest.mark.parametrize("name", EXAMPLES)
def test_export_and_apply_change_nothing_of_an_example(proxyd, name, tmp_path):
    text = (ROOT / "etc/examples" / name).read_text()
    text = re.sub(r'"(?:0\.0\.0\.0|127\.0\.0\.1|\[::\])?:(?:80|443|8080)"', lambda _: f'"127.0.0.1:{free_port()}"', text)
    text = text.replace("/var/log/proxyd", str(tmp_path)).replace("/etc/proxyd/app.token", str(tmp_path / "token")).replace("/etc/proxyd/purge.token", str(tmp_path / "token")).replace("/run/proxyd/http.sock", str(tmp_path / "http.sock"))
    (tmp_path / "token").write_text("hidden\n")
    files = write_files_of_auth(tmp_path)
    text = text.replace("/etc/proxyd/users", files["users_file"]).replace("/etc/proxyd/keys.json", files["jwks_file"]).replace("/etc/proxyd/pages/5xx.html", files["error_pages"])
    if "certificates:" in text:
        authority = Authority(tmp_path)
        issued = authority.issue("www.example.com")
        text = re.sub(r"/etc/proxyd/tls/\S*clients\S*\.pem", str(authority.certificate), text)
        text = text.replace("/etc/proxyd/tls/client.pem", str(issued.certificate_file)).replace("/etc/proxyd/tls/client.key", str(issued.key_file))
        text = text.replace("/etc/proxyd/tls/www.pem", str(issued.certificate_file)).replace("/etc/proxyd/tls/www.key", str(issued.key_file))
        text = text.replace("{ uploaded: true }", json.dumps(issued.document()))
    applied = proxyd.proxyctl("apply", "--yes", "-f", "-", stdin=text)
    assert applied.returncode == 0, applied.stderr
    again = proxyd.proxyctl("apply", "-f", "-", stdin=proxyd.proxyctl("export").stdout)
    assert (again.returncode, again.stdout) == (0, "no changes\n"), again.stderr
    export_is_a_fixed_point(proxyd)


def test_every_wrong_document_is_refused_with_line_column_and_hint_and_changes_nothing(proxyd):
    wrong = documents("invalid")
    assert len(wrong) >= 50
    before = proxyd.api("GET", "/api/v1/config?source=true", parse=False), proxyd.api("GET", "/api/v1/revisions")
    for one in wrong:
        text = bytes.fromhex(one["text"])
        kind = "application/json" if text.lstrip()[:1] == b"{" else "application/yaml"
        status, answer = proxyd.api("PUT", "/api/v1/config", text, kind)
        assert status in (400, 422), one
        if "errors" not in answer:   # refused before it is a document
            assert not text or one["code"] == "utf-8", (one, answer)
            continue
        error = answer["errors"][0]
        assert (error["line"], error["column"], error["code"]) == (one["line"], one["column"], one["code"]), (one, error)
        assert one["pointer"] in (None, error["pointer"]) and error["message"], (one, error)
        assert one["suggestion"] == error.get("suggestion", ""), (one, error)
    assert before == (proxyd.api("GET", "/api/v1/config?source=true", parse=False), proxyd.api("GET", "/api/v1/revisions"))


BOMB = "version: 1\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))


@pytest.mark.parametrize("text, code", [
    (BOMB, "nodes"), ("version: 1\nhosts: {" + ",".join(f"h{i}: {{}}" for i in range(60_000)) + "}\n", "nodes"),
    ("version: 1\nhosts: " + "[" * 70 + "]" * 70 + "\n", "depth"), ("version: 1\nhosts: &a [*a]\n", "depth"),
], ids=["alias bomb", "too many values", "too deep", "a list that holds itself"])
def test_a_document_that_would_grow_is_refused_for_its_size(proxyd, text, code):
    status, answer = proxyd.api("PUT", "/api/v1/config", text.encode(), "application/yaml")
    assert status in (400, 422) and answer["errors"][0]["code"] == code and answer["errors"][0]["line"] >= 1


def test_all_errors_of_a_document_come_at_once(proxyd):
    wrong = proxyd.proxyctl("apply", "-f", "-", stdin="version: 1\nhostz: {}\nupstreams: { u: { balance: 5, targets: { t: { address: nowhere } } } }\ndefaults: { compression: {} }\n")
    assert wrong.returncode == 7
    for part in ("2:1: /hostz", "did you mean 'hosts'", "3:28: /upstreams/u/balance", "/upstreams/u/targets/t/address", "4:13: /defaults/compression", "not supported yet"):
        assert part in wrong.stderr, (part, wrong.stderr)


def test_a_change_is_shown_with_its_class_before_it_happens(proxyd):
    origin, port, other = Origin(), free_port(), free_port()
    document = site(port, origin.address)
    assert proxyd.api("PUT", "/api/v1/config", document)[0] == 200
    document["defaults"] = {"timeouts": {"connect": "9s"}}
    document["listeners"]["main"]["address"] = f"127.0.0.1:{other}"
    status, answer = proxyd.api("POST", "/api/v1/config:diff", document)
    assert {change["pointer"]: change["class"] for change in answer["changes"]} == {"/defaults": "live", "/listeners/main/addresses": "rebind"}
    pids = proxyd.pids()
    proxyd.apply(document)
    with Client(other) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response().status == 200
    with pytest.raises(ConnectionRefusedError):
        Client(port)
    assert proxyd.pids() == pids
    origin.stop()


def test_an_address_that_our_own_socket_is_in_the_way_of_is_told(proxyd):
    port = free_port()
    document = site(port, "127.0.0.1:9")
    document["listeners"]["main"]["address"] = f"0.0.0.0:{port}"
    proxyd.apply(document)
    document["listeners"]["main"]["address"] = f"127.0.0.1:{port}"
    status, answer = proxyd.api("PUT", "/api/v1/config", document)
    assert status == 422 and f"proxyd itself listens on 0.0.0.0:{port}: take that away first" in answer["text"]


def test_a_route_that_is_never_reached_and_an_address_that_does_not_resolve_are_warnings(proxyd):
    document = site(free_port(), "nowhere.invalid:80")
    document["hosts"]["all"]["routes"].append({"name": "late", "match": {"path_prefix": "/"}, "ready": True})
    answer = proxyd.apply(document)
    warnings = {warning["code"]: warning["message"] for warning in answer["warnings"]}
    assert "'all' before it" in warnings["unreachable"] and "'checking'" in warnings["unresolved"]
    assert proxyd.api("GET", "/api/v1/upstreams/app/targets/one")[1]["state"] == "checking"


def test_a_rollback_is_a_new_revision_equal_to_the_old_one(proxyd):
    port = free_port()
    first = proxyd.apply(site(port, "127.0.0.1:9"))["revision"]
    old = proxyd.api("GET", "/api/v1/config")[1]
    second = proxyd.apply({**site(port, "127.0.0.1:9"), "defaults": {"timeouts": {"connect": "9s"}}})["revision"]
    rolled = proxyd.proxyctl("config", "rollback", str(first))
    assert rolled.returncode == 0, rolled.stderr
    newest = proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]
    assert newest["revision"] == second + 1 and newest["active"] and proxyd.api("GET", "/api/v1/config")[1] == old
