"""Changing the document by the API: whole, by object, by route; preconditions; dry runs; what is refused."""
import tempfile
import threading
from pathlib import Path

import pytest
from admin import AdminProxyd, serving
from client import Client
from origin import Origin
from proxyd import free_port, site


def document(origin):
    made = site(free_port(), origin.address)
    made["upstreams"]["spare"] = {"targets": {"a": {"address": origin.address}}}
    made["hosts"]["all"]["routes"] = [{"name": name, "match": {"path": "/" + name}, "upstream": "app"} for name in ("a", "b", "c")]
    return made


@pytest.fixture
def proxyd():
    with serving(document) as running:
        yield running


@pytest.fixture(scope="module")
def shared():
    with serving(document) as running:
        yield running


def revision(proxyd):
    return int(proxyd.root("GET", "/api/v1/config").fields["Proxyd-Revision"])


def test_the_tag_of_an_object_moves_with_that_object_alone(proxyd):
    app = proxyd.root("GET", "/api/v1/config/upstreams/app")
    spare = proxyd.root("GET", "/api/v1/config/upstreams/spare")
    assert (app.fields["ETag"], spare.fields["ETag"]) == ('"app@r1"', '"spare@r1"')
    changed = proxyd.root("PATCH", "/api/v1/config/upstreams/spare", {"balance": "round_robin"})
    assert changed.status == 200 and changed.fields["ETag"] == '"spare@r2"' and changed.fields["Proxyd-Revision"] == "2"
    assert proxyd.root("GET", "/api/v1/config/upstreams/app").fields["ETag"] == '"app@r1"'
    assert proxyd.root("GET", "/api/v1/config").fields["ETag"] == '"r2"'
    assert proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "round_robin"}, If_Match='"app@r1"').status == 200
    assert proxyd.root("GET", "/api/v1/config/upstreams/app", If_None_Match='"app@r3"').status == 304


def test_a_tag_stands_for_what_was_read_and_for_nothing_that_moves(proxyd):
    forms = {query: proxyd.root("GET", "/api/v1/config" + query).fields["ETag"] for query in ("", "?format=yaml", "?source=true")}
    assert forms == {"": '"r1"', "?format=yaml": '"r1-yaml"', "?source=true": '"r1-source"'}
    assert proxyd.root("GET", "/api/v1/config?format=yaml", If_None_Match='"r1"').status == 200
    assert proxyd.root("GET", "/api/v1/config?format=yaml", If_None_Match='"r1-yaml"').status == 304
    target = "/api/v1/upstreams/app/targets/one"
    assert proxyd.root("GET", target, If_None_Match=proxyd.root("GET", target).fields["ETag"]).status == 200, "its state moves"
    assert "ETag" not in proxyd.root("GET", "/api/v1/revisions/1").fields, "it will not be active for ever"
    for seconds, tag, status in ((9, '"r1-yaml"', 200), (8, '"r1-yaml"', 412), (7, '"r2-source"', 200)):
        assert proxyd.root("PATCH", "/api/v1/config", {"defaults": {"timeouts": {"connect": f"{seconds}s"}}}, If_Match=tag).status == status, tag


def test_tags_outlive_a_restart():
    origin = Origin()
    with tempfile.TemporaryDirectory() as state:
        with AdminProxyd(document(origin), state=state) as proxyd:
            proxyd.root("PATCH", "/api/v1/config/upstreams/spare", {"balance": "round_robin"})
        with AdminProxyd(document(origin), state=state) as proxyd:
            assert proxyd.root("GET", "/api/v1/config/upstreams/app").fields["ETag"] == '"app@r1"'
            assert proxyd.root("GET", "/api/v1/config/upstreams/spare").fields["ETag"] == '"spare@r2"'
            assert proxyd.root("GET", "/api/v1/config/hosts/all/routes/a").fields["ETag"] == '"a@r1"'
    origin.stop()


def test_whoever_was_overtaken_hears_by_whom_and_how(proxyd):
    proxyd.root("PATCH", "/api/v1/config/upstreams/app?message=more%20turns", {"balance": "round_robin"})
    late = proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "p2c"}, If_Match='"app@r1"')
    assert late.status == 412 and late.type == "changed-meanwhile"
    assert late.json["by"].startswith("unix:") and late.json["message"] == "more turns" and late.json["at"] and late.json["current"] == '"app@r2"'
    assert [one["pointer"] for one in late.json["diff"]] == ["/upstreams/app/balance"] and late.fields["ETag"] == '"app@r2"'
    whole = proxyd.root("PUT", "/api/v1/config", proxyd.root("GET", "/api/v1/config").json, If_Match='"r1"')
    assert whole.status == 412 and whole.json["current"] == '"r2"'
    for tag in ('"app@r99"', 'W/"app@r2"', '"spare@r2"', "nonsense"):
        assert proxyd.root("PATCH", "/api/v1/config/upstreams/app", {}, If_Match=tag).status == 412, tag
    for tag in ("*", '"x", "app@r2"'):
        assert proxyd.root("PATCH", "/api/v1/config/upstreams/app", {}, If_Match=tag).status == 200, tag
    assert proxyd.root("PUT", "/api/v1/config/upstreams/new", {"targets": {}}, If_Match="*").status == 412


def test_only_when_absent_creates_and_never_replaces(shared):
    assert shared.root("PUT", "/api/v1/config/upstreams/app", {}, If_None_Match="*").type == "already-exists"
    assert shared.root("PUT", "/api/v1/config", document_now(shared), If_None_Match="*").status == 409
    assert shared.root("PUT", "/api/v1/upstreams/app/targets/one", {"address": "a:1"}, If_None_Match="*").status == 409
    assert shared.root("PUT", "/api/v1/config/upstreams/fresh?dry_run=true", {}, If_None_Match="*").status == 200


def document_now(proxyd):
    return proxyd.root("GET", "/api/v1/config").json


def test_a_tag_is_demanded_where_the_bootstrap_says_so():
    origin = Origin()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "proxyd.yaml"
        file.write_text("admin: { require_if_match: true }\n")
        with AdminProxyd(document(origin), bootstrap=file) as proxyd:
            refused = proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "round_robin"})
            assert refused.status == 428 and refused.type == "precondition-required"
            assert proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "round_robin"}, If_Match='"app@r1"').status == 200
            assert proxyd.root("PUT", "/api/v1/config/upstreams/new", {"targets": {}}).status == 200, "there is no tag of what is not there"
            assert proxyd.root("DELETE", "/api/v1/config/upstreams/new").status == 428
    origin.stop()


def test_changes_of_different_objects_at_once_are_all_kept(proxyd):
    answers = []

    def add(name):
        answers.append(proxyd.root("PUT", f"/api/v1/config/upstreams/{name}", {"targets": {"t": {"address": "127.0.0.1:9"}}}).status)

    threads = [threading.Thread(target=add, args=(f"u{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6
    assert {f"u{i}" for i in range(6)} <= set(document_now(proxyd)["upstreams"])


def test_what_changes_nothing_makes_no_revision(proxyd):
    for method, path, body in (("PUT", "/api/v1/config", document_now(proxyd)), ("PATCH", "/api/v1/config/upstreams/app", {}),
                               ("PUT", "/api/v1/upstreams/spare/targets/a", proxyd.root("GET", "/api/v1/config/upstreams/spare").json["targets"]["a"])):
        answer = proxyd.root(method, path, body)
        assert answer.status == 200 and answer.json["changes"] == [] and answer.json["revision"] == 1
    assert revision(proxyd) == 1


def test_a_write_says_what_it_did(proxyd):
    answer = proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "round_robin"})
    assert set(answer.json) == {"revision", "parent", "changes", "workers", "acknowledged", "warnings"}
    assert answer.json["changes"] == [{"op": "add", "pointer": "/upstreams/app/balance", "from": None, "to": "round_robin", "class": "live"}]
    assert (answer.json["revision"], answer.json["parent"], answer.json["workers"], answer.json["acknowledged"]) == (2, 1, 1, 1)


def test_routes_are_put_where_they_are_wanted(proxyd):
    def names():
        return [route["name"] for route in document_now(proxyd)["hosts"]["all"]["routes"]]

    base = "/api/v1/config/hosts/all/routes/"
    new = {"match": {"path": "/d"}, "upstream": "app"}
    assert proxyd.root("PUT", base + "d", new).status == 200 and names() == ["a", "b", "c", "d"]
    assert proxyd.root("PUT", base + "d?before=a", new).status == 200 and names() == ["d", "a", "b", "c"]
    assert proxyd.root("PATCH", base + "d?after=b", {}).status == 200 and names() == ["a", "b", "d", "c"]
    assert proxyd.root("PUT", base + "e?after=c", {**new, "match": {"path": "/e"}}).status == 200 and names() == ["a", "b", "d", "c", "e"]
    assert proxyd.root("PATCH", base + "d", {"match": {"path": "/dd"}}).status == 200
    got = proxyd.root("GET", base + "d")
    assert got.json == {"name": "d", "match": {"path": "/dd"}, "upstream": "app"} and got.fields["ETag"].startswith('"d@r')
    assert proxyd.root("PATCH", base + "d", {"upstream": "spare"}, If_Match='"d@r1"').status == 412
    assert proxyd.root("DELETE", base + "d", If_Match=got.fields["ETag"]).status == 200 and names() == ["a", "b", "c", "e"]
    assert proxyd.root("DELETE", base + "d").status == 404
    assert proxyd.root("DELETE", base + "d?missing_ok=true").status == 200
    for path, body, status in ((base + "x?before=none", new, 422), (base + "a?before=a", new, 400), (base + "a?before=b&after=c", new, 400),
                               (base + "a", {**new, "name": "b"}, 422), ("/api/v1/config/hosts/none/routes/a", new, 404)):
        assert proxyd.root("PUT", path, body).status == status, path


def test_what_others_use_does_not_go(shared):
    refused = shared.root("DELETE", "/api/v1/config/upstreams/app")
    assert refused.status == 409 and refused.type == "in-use" and "hosts/all/routes/a" in refused.json["used_by"]
    assert shared.root("DELETE", "/api/v1/config/upstreams/app?dry_run=true").status == 409


def test_a_cache_policy_goes_when_nobody_names_it_any_more(proxyd):
    assert proxyd.root("PUT", "/api/v1/config/cache_policies/pages", {"max_ttl": "10m"}).status == 200
    assert proxyd.root("PATCH", "/api/v1/config/hosts/all", {"cache": "pages"}).status == 200
    refused = proxyd.root("DELETE", "/api/v1/config/cache_policies/pages")
    assert refused.status == 409 and refused.type == "in-use" and refused.json["used_by"] == ["hosts/all"]
    assert proxyd.root("PATCH", "/api/v1/config/hosts/all", {"cache": None}).status == 200
    assert proxyd.root("DELETE", "/api/v1/config/cache_policies/pages").status == 200


def test_a_dry_run_is_never_better_than_the_real_call(shared):
    taken = free_port()
    import socket
    with socket.create_server(("127.0.0.1", taken)):
        body = {"address": f"127.0.0.1:{taken}"}
        dry = shared.root("PUT", "/api/v1/config/listeners/second?dry_run=true", body)
        real = shared.root("PUT", "/api/v1/config/listeners/second", body)
    assert (dry.status, dry.type) == (real.status, real.type) == (422, "activation-failed")
    host = {"names": ["x.test"], "routes": [{"name": "r", "respond": {"status": 200, "body": "x"}, "headers": {"response": {"set": {"X-A": {"file": "/no/such/file"}}}}}]}
    for path in ("/api/v1/config/hosts/x?dry_run=true", "/api/v1/config/hosts/x"):
        assert shared.root("PUT", path, host).status == 422
    assert shared.root("PUT", "/api/v1/config/upstreams/x?dry_run=true", {"balance": "sideways"}).status == 422


def test_a_dry_run_writes_nothing(shared):
    before = revision(shared)
    with_port = {"address": f"127.0.0.1:{free_port()}"}
    answer = shared.root("PUT", "/api/v1/config/listeners/second?dry_run=true", with_port)
    assert answer.status == 200 and answer.json["dry_run"] is True and answer.json["changes"][0]["class"] == "rebind"
    assert revision(shared) == before and "second" not in document_now(shared)["listeners"]
    assert shared.root("DELETE", "/api/v1/config/upstreams/spare?dry_run=true").status == 200
    assert "spare" in document_now(shared)["upstreams"]
    assert shared.root("GET", "/api/v1/revisions").json["items"][0]["revision"] == before
    with pytest.raises(OSError):
        Client(int(with_port["address"].split(":")[1]))


def test_a_dry_run_leaves_no_file_no_series_and_takes_none_away(shared, tmp_path):
    precious, log = tmp_path / "precious", tmp_path / "access.log"
    precious.write_text("content")
    for suffix in ("?dry_run=true", ""):
        refused = shared.root("PUT", "/api/v1/config/listeners/second" + suffix, {"address": f"unix:{precious}"})
        assert refused.status == 422 and str(precious) in refused.json["detail"] and precious.read_text() == "content"
    assert shared.root("PUT", "/api/v1/config/listeners/second?dry_run=true", {"address": f"unix:{tmp_path}/socket"}).status == 200
    logging = {"access": [{"to": "file", "file": str(log)}], "error": {"to": "file", "file": str(tmp_path / "error.log")}}
    assert shared.root("PUT", "/api/v1/config/logging?dry_run=true", logging).status == 200
    assert [one.name for one in tmp_path.iterdir()] == ["precious"]
    logging["access"][0]["file"] = str(tmp_path / "no" / "access.log")
    assert shared.root("PUT", "/api/v1/config/logging?dry_run=true", logging).status == 422
    rehearsed = {"targets": {"one": {"address": "127.0.0.1:9"}}}
    assert shared.root("PUT", "/api/v1/config/upstreams/rehearsed?dry_run=true", rehearsed).status == 200
    metrics = shared.root("GET", "/metrics").text
    assert "rehearsed" not in metrics and "\nproxyd_metrics_overflow_total 0\n" in metrics


def test_every_kind_of_object_is_there_or_not_supported_yet(shared):
    assert shared.root("GET", "/api/v1/config/listeners/main").status == 200
    assert shared.root("GET", "/api/v1/config/hosts/all").status == 200
    assert shared.root("GET", "/api/v1/config/gadgets/x").status == 404
    assert shared.root("GET", "/api/v1/config/gadgets").status == 404
    assert shared.root("PUT", "/api/v1/config/defaults", {"timeouts": {"connect": "3s"}}).status == 200
    assert shared.root("GET", "/api/v1/config/defaults").json == {"timeouts": {"connect": "3s"}}
    assert shared.root("DELETE", "/api/v1/config/defaults").status == 200
    assert shared.root("DELETE", "/api/v1/config/defaults").status == 404
    assert shared.root("DELETE", "/api/v1/config/defaults?missing_ok=true").status == 200
    for kind, value in (("rate_limits", {"rate": "50/s"}), ("access_lists", {"deny": ["10.0.0.0/8"]})):
        assert shared.root("PUT", f"/api/v1/config/{kind}/x", value).status == 200
        assert shared.root("GET", f"/api/v1/config/{kind}/x").json == value
        assert shared.root("DELETE", f"/api/v1/config/{kind}/x").status == 200
    refused = shared.root("PUT", "/api/v1/config/defaults", {"compression": {}})
    assert refused.status == 422 and "not supported yet" in refused.text


def test_history_has_pages_differences_and_a_way_back(proxyd):
    for balance in ("round_robin", "p2c", "round_robin"):
        proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": balance})
    seen, cursor = [], ""
    while True:
        page = proxyd.root("GET", f"/api/v1/revisions?limit=1{cursor and '&cursor=' + cursor}").json
        seen += [item["revision"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        assert page["next_cursor"] != str(seen[-1]), "opaque"
        cursor = page["next_cursor"]
    assert seen == [4, 3, 2, 1]
    assert proxyd.root("GET", "/api/v1/revisions/2/diff?to=1").json["changes"][0]["op"] == "remove"
    assert proxyd.root("GET", "/api/v1/revisions/1").json["document"]["version"] == 1
    assert proxyd.root("GET", "/api/v1/revisions/99").status == 404 and proxyd.root("GET", "/api/v1/revisions/x").status == 404
    assert proxyd.root("POST", "/api/v1/revisions/1:activate?dry_run=true").status == 200 and revision(proxyd) == 4
    back = proxyd.root("POST", "/api/v1/revisions/1:activate")
    assert back.json["revision"] == 5
    newest = proxyd.root("GET", "/api/v1/revisions/5").json
    assert newest["origin"] == "rollback" and "1" in newest["message"] and newest["document"] == proxyd.root("GET", "/api/v1/revisions/1").json["document"]


def test_the_document_is_given_as_json_yaml_and_as_it_was_written(shared):
    assert shared.root("GET", "/api/v1/config?format=yaml").text.startswith("version: 1")
    assert shared.root("GET", "/api/v1/config", Accept="application/yaml").fields["Content-Type"] == "application/yaml"
    assert shared.root("GET", "/api/v1/config?source=true").status == 200
    assert shared.root("GET", "/api/v1/config?format=xml").status == 400


def test_a_configuration_that_is_a_files_is_not_changed_by_the_api():
    origin = Origin()
    with tempfile.TemporaryDirectory() as folder:
        import json
        site_file, file = Path(folder) / "site.json", Path(folder) / "proxyd.yaml"
        site_file.write_text(json.dumps(document(origin)))
        file.write_text(f"config_source: file\nconfig_file: {site_file}\n")
        with AdminProxyd(None, bootstrap=file) as proxyd:
            for method, path, body in (("PUT", "/api/v1/config", document_now(proxyd)), ("PATCH", "/api/v1/config/upstreams/app", {}), ("PUT", "/api/v1/upstreams/app/targets/two", {"address": "a:1"}),
                                       ("DELETE", "/api/v1/upstreams/app/targets/one?force=true", None), ("POST", "/api/v1/revisions/1:activate", None)):
                for suffix in ("", ("&" if "?" in path else "?") + "dry_run=true"):
                    refused = proxyd.root(method, path + suffix, body)
                    assert refused.status == 409 and refused.type == "config-managed-by-file", path
            assert proxyd.root("POST", "/api/v1/upstreams/app/targets/one:maintenance", {}).status == 200
            assert proxyd.root("POST", "/api/v1/reload?dry_run=true").status == 200
            site_file.write_text("version: 1\nnonsense: 1\n")
            assert proxyd.root("POST", "/api/v1/reload?dry_run=true").status == 422
            assert proxyd.root("POST", "/api/v1/reload").status == 422
    origin.stop()
