"""The form of the admin API: its own description, its problems, its parameters."""
import re

import pytest


@pytest.fixture(scope="module")
def description(proxyd):
    return proxyd.root("GET", "/api/v1/openapi.json").json


def operations(description):
    return [(path, method, operation) for path, methods in description["paths"].items() for method, operation in methods.items()]


NONSENSE = {"no_such_key": 1}
VALUES = {"kind": "upstreams", "name": "none", "h": "none", "r": "none", "n": "9", "u": "none", "t": "none", "slot": "9", "id": "none", "c": "none", "code": "none"}


def fill(path):
    return re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], path)


def test_every_line_of_the_description_answers_as_it_says(proxyd, description):
    assert description["openapi"] == "3.1.0" and len(operations(description)) > 50
    for path, method, operation in operations(description):
        if path in ("/api/v1/shutdown", "/api/v1/events"):
            continue
        for target in (fill(path), fill(path) + "?no_such_parameter=1"):
            answer = proxyd.root(method.upper(), target, NONSENSE if "requestBody" in operation else None)
            assert str(answer.status) in operation["responses"], (method, target, answer)
            if answer.status >= 400:
                assert answer.status < 500 and answer.fields["Content-Type"] == "application/problem+json"
        assert answer.status == 400 and answer.type == "unknown-parameter", (method, path)
        nobody = proxyd.ask(method.upper(), fill(path), NONSENSE if "requestBody" in operation else None)
        assert str(nobody.status) in operation["responses"], (method, path, nobody)
        assert (nobody.status == 401) or operation["security"] == [], (method, path)


def test_every_line_takes_its_own_methods_alone(proxyd, description):
    for path, methods in description["paths"].items():
        for method in {"get", "put", "post", "patch", "delete"} - set(methods):
            answer = proxyd.root(method.upper(), fill(path))
            assert answer.status == 405 and answer.type == "method" and answer.fields["Allow"], (method, path)
            assert {word.strip().lower() for word in answer.fields["Allow"].split(",")} - {"head"} == set(methods)


def test_every_change_can_be_tried(description):
    for path, method, operation in operations(description):
        names = [one["name"] for one in operation["parameters"]]
        changes = method != "get" and not re.search(r"session|login-codes|:validate|:diff|:lookup|/explain", path)
        assert ("dry_run" in names) == changes, (method, path)


def test_every_list_has_pages(proxyd, description):
    for path in ("revisions", "upstreams", "workers", "rejects", "tokens", "audit", "operations", "certificates"):
        answer = proxyd.root("GET", f"/api/v1/{path}?limit=1").json
        assert set(answer) == {"items", "next_cursor"} and len(answer["items"]) <= 1
        for query in ("limit=0", "limit=x", "limit=99999", "cursor=1", "cursor=zz", "limit=1&limit=2"):
            refused = proxyd.root("GET", f"/api/v1/{path}?{query}")
            assert refused.status == 400 and refused.type == "malformed", (path, query)


def test_a_problem_has_its_own_page(proxyd):
    for code, status in (("changed-meanwhile", 412), ("store-full", 507), ("too-many-streams", 503), ("misdirected", 421), ("internal", 500)):
        assert proxyd.root("GET", f"/api/v1/problems/{code}").json["status"] == status
    problem = proxyd.root("GET", "/api/v1/upstreams/none").json
    assert set(problem) == {"type", "title", "status", "detail", "request_id"} and problem["type"] == "/api/v1/problems/not-found"


def test_a_flag_is_true_false_or_a_mistake(proxyd):
    for value in ("1", "yes", "TRUE", "tru"):
        refused = proxyd.root("DELETE", f"/api/v1/upstreams/app/targets/one?force=true&dry_run={value}")
        assert refused.status == 400, "what was meant as a trial is never the real thing"
    assert proxyd.root("GET", "/api/v1/upstreams/app/targets/one").status == 200
    assert proxyd.root("POST", "/api/v1/upstreams/app/targets/one:maintenance?dry_run", {}).json["dry_run"] is True
    assert proxyd.root("GET", "/api/v1/workers?all").status == 200


def test_what_the_caller_does_not_take_is_406_and_a_problem_is_always_taken(proxyd):
    for path, accept in (("/api/v1/status", "image/png"), ("/metrics", "application/json"), ("/livez", "application/json")):
        answer = proxyd.root("GET", path, Accept=accept)
        assert answer.status == 406 and answer.type == "not-acceptable"
    for accept in ("*/*", "application/*", "text/html, */*;q=0.1", "application/json;q=0.9"):
        assert proxyd.root("GET", "/api/v1/status", Accept=accept).status == 200


def test_head_is_get_without_its_content(proxyd):
    get, head = proxyd.root("GET", "/api/v1/config"), proxyd.root("HEAD", "/api/v1/config")
    assert head.status == 200 and head.text == "" and head.fields["ETag"] == get.fields["ETag"] and head.fields["Content-Length"] == get.fields["Content-Length"]


def test_errors_of_a_document_have_line_column_and_a_suggestion(proxyd):
    text = "version: 1\nlisteners:\n  main: { adress: \"127.0.0.1:1\" }\nupstreams:\n  app: { targets: { one: { address: \"a:1\", wieght: 3 } } }\n"
    for method, path in (("PUT", "/api/v1/config"), ("POST", "/api/v1/config:validate"), ("POST", "/api/v1/config:diff")):
        answer = proxyd.root(method, path, text, Content_Type="application/yaml")
        assert answer.status == 422 and answer.type == "invalid"
        errors = {one["pointer"]: one for one in answer.json["errors"]}
        assert errors["/listeners/main/adress"]["line"] == 3 and "address" in errors["/listeners/main/adress"]["suggestion"]
        assert errors["/upstreams/app/targets/one/wieght"]["line"] == 5 and errors["/upstreams/app/targets/one/wieght"]["column"] > 1
    assert proxyd.root("POST", "/api/v1/config:validate", "a: [", Content_Type="application/yaml").type == "malformed"


def test_the_secret_of_a_file_is_in_no_answer(proxyd, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    host = {"names": ["s.test"], "routes": [{"name": "r", "respond": {"status": 200, "body": "x"}, "headers": {"response": {"set": {"X-A": {"file": str(secret)}}}}}]}
    made = proxyd.root("PUT", "/api/v1/config/hosts/s", host)
    assert made.status == 200, made
    said = made.text + "".join(proxyd.root("GET", "/api/v1/" + path).text for path in ("config", "config?format=yaml", "config?source=true", "revisions/2", "revisions/1/diff", "status", "audit"))
    assert "hunter2" not in said + proxyd.root("POST", "/api/v1/explain", {"url": "http://s.test/"}).text + proxyd.logs()
    secret.write_text("two\nlines hunter3\n")
    refused = proxyd.root("PATCH", "/api/v1/config/hosts/s", {"names": ["t.test"]})
    assert refused.status == 422 and "hunter3" not in refused.text
    secret.write_text("hunter2\n")
    assert proxyd.root("DELETE", "/api/v1/config/hosts/s").status == 200
