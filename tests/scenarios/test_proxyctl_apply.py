"""proxyctl with documents: apply, diff, export, config."""
import copy
import json

import pytest
from origin import Origin
from proxyd import Proxyd, free_port, site


@pytest.fixture
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    with Proxyd(document) as proxyd:
        yield proxyd, document
    origin.stop()


def write(tmp_path, name, document):
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def with_more(document, upstreams=0, hosts=0):
    document = copy.deepcopy(document)
    for i in range(upstreams):
        document["upstreams"][f"more{i}"] = {"targets": {"t": {"address": "127.0.0.1:9"}}}
    for i in range(hosts):
        document["hosts"][f"more{i}"] = {"names": [f"more{i}.test"], "routes": [{"name": "r", "match": {}, "respond": {"status": 204}}]}
    return document


def revision(proxyd):
    return proxyd.api("GET", "/api/v1/status")[1]["revision"]["revision"]


def test_apply_makes_the_document_equal_to_the_file_and_says_which_revision_is_active(world, tmp_path):
    proxyd, document = world
    done = proxyd.proxyctl("apply", "-f", write(tmp_path, "a.json", with_more(document, upstreams=1)), "-m", "one more")
    assert done.returncode == 0 and done.stderr == ""
    assert "+ /upstreams/more0" in done.stdout and "revision 2 is active on 1 of 1 workers" in done.stdout
    assert proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["message"] == "one more"
    again = proxyd.proxyctl("apply", "-f", write(tmp_path, "b.json", document), "--yes")
    assert again.returncode == 0 and "more0" not in proxyd.api("GET", "/api/v1/config")[1]["upstreams"]


def test_dry_run_and_diff_exit_1_when_something_would_change_and_change_nothing(world, tmp_path):
    proxyd, document = world
    changed, same = write(tmp_path, "changed.json", with_more(document, hosts=1)), write(tmp_path, "same.json", document)
    for command in (["apply", "--dry-run", "-f"], ["diff", "-f"]):
        assert proxyd.proxyctl(*command, same).returncode == 0
        differs = proxyd.proxyctl(*command, changed)
        assert differs.returncode == 1 and "+ /hosts/more0" in differs.stdout and "(live)" in differs.stdout
    assert revision(proxyd) == 1


def test_removals_are_printed_first_with_who_added_it_and_when(world, tmp_path):
    proxyd, document = world
    bigger = with_more(document, upstreams=1, hosts=1)
    assert proxyd.proxyctl("apply", "-f", write(tmp_path, "bigger.json", bigger)).returncode == 0
    created = proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["created"]
    del bigger["upstreams"]["more0"]
    bigger["defaults"] = {"timeouts": {"connect": "9s"}}
    lines = proxyd.proxyctl("apply", "--dry-run", "-f", write(tmp_path, "smaller.json", bigger)).stdout.splitlines()
    assert lines[0].startswith("- /upstreams/more0  (live; added by unix:") and lines[0].endswith(f"at {created}, revision 2)")
    assert any(line.startswith("+ /defaults") for line in lines)
    as_json = proxyd.proxyctl("-o", "json", "apply", "-f", str(tmp_path / "smaller.json"))
    assert as_json.returncode == 0 and as_json.stderr.startswith("- /upstreams/more0") and json.loads(as_json.stdout)["revision"] == 3


def test_a_section_that_goes_is_told_object_by_object_with_who_added_each(world, tmp_path):
    proxyd, document = world
    assert proxyd.proxyctl("apply", "-f", write(tmp_path, "more.json", with_more(document, hosts=1))).returncode == 0
    del document["hosts"]
    lines = proxyd.proxyctl("diff", "-f", write(tmp_path, "none.json", document)).stdout.splitlines()
    heads = [line for line in lines if line.startswith("- /hosts/")]
    assert [head.split()[1] for head in heads] == ["/hosts/all", "/hosts/more0"]
    assert "added by import" in heads[0] and "revision 1)" in heads[0] and "added by unix:" in heads[1] and "revision 2)" in heads[1]


def test_routes_that_go_are_removals_with_who_added_them_whatever_their_places_were(world, tmp_path):
    proxyd, document = world
    routes = document["hosts"]["all"]["routes"]
    routes.insert(0, {"name": "late", "match": {"path": "/late"}, "respond": {"status": 204}})
    assert proxyd.proxyctl("apply", "-f", write(tmp_path, "more.json", document)).returncode == 0
    routes[0] = {"name": "new", "match": {"path": "/new"}, "respond": {"status": 204}}
    lines = proxyd.proxyctl("apply", "--dry-run", "-f", write(tmp_path, "other.json", document)).stdout.splitlines()
    assert lines[0].startswith("- /hosts/all/routes/0 'late'  (live; added by unix:") and lines[0].endswith("revision 2)")
    del routes[1]
    heads = [line for line in proxyd.proxyctl("diff", "-f", write(tmp_path, "none.json", document)).stdout.splitlines() if line.startswith("- /hosts")]
    assert "/hosts/all/routes/1 'all'" in heads[1] and "added by import" in heads[1] and "revision 1)" in heads[1]


@pytest.mark.parametrize("loss, words", [
    (lambda d: d.pop("hosts"), "removes 1 of 1 hosts"),
    (lambda d: (d.pop("hosts"), d.pop("listeners")), "leaves no listener"),
    (lambda d: (d["hosts"]["all"]["routes"][0].pop("upstream"), d["hosts"]["all"]["routes"][0].update(respond={"status": 204}), d.pop("upstreams")), "removes 1 of 1 upstreams"),
])
def test_losing_most_needs_yes_where_nobody_can_be_asked(world, tmp_path, loss, words):
    proxyd, document = world
    lost = copy.deepcopy(document)
    loss(lost)
    path = write(tmp_path, "lost.json", lost)
    refused = proxyd.proxyctl("apply", "-f", path)
    assert refused.returncode == 2 and words in refused.stderr and "hint: say it with --yes" in refused.stderr
    assert revision(proxyd) == 1
    assert proxyd.proxyctl("apply", "-f", path, "--yes").returncode == 0


def test_losing_half_or_less_is_not_asked_about(world, tmp_path):
    proxyd, document = world
    proxyd.apply(with_more(document, upstreams=1, hosts=1))
    assert proxyd.proxyctl("apply", "-f", write(tmp_path, "half.json", document)).returncode == 0


def test_merge_changes_only_the_objects_that_the_file_names(world, tmp_path):
    proxyd, document = world
    proxyd.apply({**with_more(document, upstreams=2), "defaults": {"timeouts": {"connect": "9s", "first_byte": "8s"}}})
    part = {"upstreams": {"more0": {"targets": {"other": {"address": "127.0.0.1:10"}}}},
            "hosts": {"new": {"names": ["new.test"], "routes": [{"name": "r", "match": {}, "upstream": "app"}]}}}
    done = proxyd.proxyctl("apply", "--merge", "-f", write(tmp_path, "part.json", part))
    assert done.returncode == 0, done.stderr
    now = proxyd.api("GET", "/api/v1/config")[1]
    assert list(now["upstreams"]["more0"]["targets"]) == ["other"] and "t" in now["upstreams"]["more1"]["targets"]
    assert set(now["hosts"]) == {"all", "new"} and now["defaults"]["timeouts"] == {"connect": "9s", "first_byte": "8s"}
    defaults = proxyd.proxyctl("apply", "--merge", "-f", "-", stdin="defaults: { timeouts: { connect: 2s } }\n")
    assert defaults.returncode == 0, defaults.stderr
    assert "defaults" not in proxyd.api("GET", "/api/v1/config")[1]


def test_a_part_that_is_wrong_is_refused_where_it_was_written(world, tmp_path):
    proxyd, _ = world
    path = write(tmp_path, "part.yaml", "hosts:\n  new:\n    names: [new.test]\n    routes:\n      - { name: r, match: {}, upstream: ap }\n")
    refused = proxyd.proxyctl("apply", "--merge", "-f", path)
    assert refused.returncode == 7 and f"{path}:5:" in refused.stderr and "/hosts/new/routes/0/upstream" in refused.stderr
    assert "did you mean 'app'" in refused.stderr and revision(proxyd) == 1


def test_a_folder_is_one_document_and_its_errors_name_the_file(world, tmp_path):
    proxyd, document = world
    folder = tmp_path / "site"
    folder.mkdir()
    write(folder, "a.json", {key: document[key] for key in ("version", "listeners", "upstreams")})
    write(folder, "b.yaml", "hosts:\n  one:\n    names: [one.test]\n    routes: [ { name: r, match: {}, upstream: app } ]\n")
    write(folder, ".hidden.yaml", "nonsense")
    done = proxyd.proxyctl("apply", "-f", str(folder), "--yes")
    assert done.returncode == 0, done.stderr
    assert list(proxyd.api("GET", "/api/v1/config")[1]["hosts"]) == ["one"]
    write(folder, "c.yaml", "hosts:\n  one:\n    names: [two.test]\n")
    twice = proxyd.proxyctl("apply", "-f", str(folder))
    assert twice.returncode == 7 and "c.yaml:2:3: /hosts/one: 'one' is in " in twice.stderr and "b.yaml:2" in twice.stderr
    write(folder, "c.yaml", "hostz: {}\n")
    wrong = proxyd.proxyctl("config", "validate", "-f", str(folder))
    assert wrong.returncode == 7 and "c.yaml:1:1: /hostz:" in wrong.stderr
    assert proxyd.proxyctl("apply", "-f", str(tmp_path / "nothing")).returncode == 2


def test_export_begins_with_its_revision_and_applying_it_again_changes_nothing(world):
    proxyd, _ = world
    exported = proxyd.proxyctl("export").stdout
    assert exported.splitlines()[0] == "# proxyd revision 1"
    applied = proxyd.proxyctl("apply", "-f", "-", stdin=exported)
    assert applied.returncode == 0 and applied.stdout == "no changes\n" and revision(proxyd) == 1
    assert json.loads(proxyd.proxyctl("export", "-o", "json").stdout) == proxyd.api("GET", "/api/v1/config")[1]


def test_a_file_whose_base_is_not_active_any_more_exits_6_and_shows_both_sides(world):
    proxyd, document = world
    exported = proxyd.proxyctl("export").stdout
    proxyd.apply({**document, "defaults": {"timeouts": {"connect": "9s"}}})
    mine = exported + "defaults:\n  timeouts: { first_byte: 7s }\n"
    refused = proxyd.proxyctl("apply", "-f", "-", stdin=mine)
    assert refused.returncode == 6, refused.stderr
    theirs, yours = refused.stderr.split("yours:")
    assert "theirs: revision 2 by unix:" in theirs and "connect" in theirs and "first_byte" not in theirs
    assert "first_byte" in yours and "connect" not in yours and "--overwrite" in yours
    assert proxyd.proxyctl("apply", "--base-revision", "1", "-f", "-", stdin=mine.split("\n", 1)[1]).returncode == 6
    assert proxyd.proxyctl("apply", "--base-revision", "2", "-f", "-", stdin=mine).returncode == 0
    assert proxyd.proxyctl("apply", "--overwrite", "-f", "-", stdin=exported).returncode == 0
    assert "defaults" not in proxyd.api("GET", "/api/v1/config")[1]


def test_wrong_documents_are_told_by_file_line_column_pointer_online_and_offline(world, tmp_path):
    proxyd, _ = world
    path = write(tmp_path, "wrong.yaml", "version: 1\nupstreams:\n  app:\n    targets: { a: { adress: '127.0.0.1:1' } }\ndefaults: { timeouts: { connect: 30 } }\n")
    online = proxyd.proxyctl("config", "validate", "-f", path)
    offline = proxyd.proxyctl("--addr", "unix:/nonexistent", "config", "validate", "-f", path, "--offline")
    applied = proxyd.proxyctl("apply", "-f", path)
    for result in (online, offline, applied):
        assert result.returncode == 7 and result.stdout == ""
        assert f"{path}:4:21: /upstreams/app/targets/a/adress: " in result.stderr and "(did you mean 'address'?)" in result.stderr
        assert f"{path}:5:" in result.stderr and "error: " in result.stderr and "hint: " in result.stderr
    assert online.stderr == offline.stderr
    stdin = proxyd.proxyctl("config", "validate", "-f", "-", stdin="version: [\n")
    assert stdin.returncode == 7 and stdin.stderr.startswith("stdin:")


def test_what_is_valid_says_so_and_warnings_are_messages(world, tmp_path):
    proxyd, document = world
    document["hosts"]["all"]["routes"].append({"name": "never", "match": {"path_prefix": "/x"}, "upstream": "app"})
    document["hosts"]["all"]["routes"].append({"name": "dead", "match": {"path_prefix": "/"}, "upstream": "app"})
    path = write(tmp_path, "warned.json", document)
    for where in ([], ["--offline"]):
        valid = proxyd.proxyctl("config", "validate", "-f", path, *where)
        assert valid.returncode == 0 and valid.stdout == "valid\n" and "/routes/2" in valid.stderr and "warning: " in valid.stderr


def test_revisions_can_be_listed_shown_compared_and_rolled_back_to(world, tmp_path):
    proxyd, document = world
    proxyd.proxyctl("apply", "-f", write(tmp_path, "a.json", with_more(document, upstreams=1)), "-m", "a second upstream")
    history = proxyd.proxyctl("config", "history").stdout.splitlines()
    assert history[0].split() == ["REVISION", "CREATED", "AUTHOR", "ORIGIN", "MESSAGE"]
    assert "2  active" in history[1] and history[1].endswith("a second upstream")
    assert proxyd.proxyctl("config", "history", "-o", "name").stdout == "2\n1\n"
    page = proxyd.proxyctl("config", "history", "--limit", "1")
    cursor = page.stderr.split("--before ")[1].strip()
    assert proxyd.proxyctl("config", "history", "--before", cursor, "-o", "name").stdout == "1\n"
    shown = proxyd.proxyctl("config", "show").stdout
    assert shown.startswith("# revision 2, active, by unix:") and "a second upstream" in shown.splitlines()[0] and "more0" in shown
    assert "more0" not in proxyd.proxyctl("config", "show", "1").stdout
    assert proxyd.proxyctl("diff", "1").returncode == 1 and proxyd.proxyctl("diff", "2", "2").returncode == 0
    assert "- /upstreams/more0" in proxyd.proxyctl("diff", "2", "1").stdout
    missing = proxyd.proxyctl("config", "show", "22")
    assert missing.returncode == 5 and "did you mean '2'?" in missing.stderr and "proxyctl config history" in missing.stderr
    assert proxyd.proxyctl("config", "rollback", "1", "--dry-run").returncode == 1 and revision(proxyd) == 2
    back = proxyd.proxyctl("config", "rollback", "1")
    assert back.returncode == 0 and "revision 3 is active" in back.stdout
    assert proxyd.proxyctl("diff", "1", "3").returncode == 0


def test_the_schema_is_json_and_needs_no_server(world):
    proxyd, _ = world
    schema = proxyd.proxyctl("--addr", "unix:/nonexistent", "config", "schema")
    assert schema.returncode == 0 and json.loads(schema.stdout) == proxyd.api("GET", "/api/v1/schema/config.json")[1]


def test_a_listener_that_cannot_bind_is_told_with_its_place_and_changes_nothing(world, tmp_path):
    import socket
    proxyd, document = world
    with socket.create_server(("127.0.0.1", 0)) as taken:
        document["listeners"]["more"] = {"address": "127.0.0.1:%d" % taken.getsockname()[1]}
        refused = proxyd.proxyctl("apply", "-f", write(tmp_path, "taken.json", document))
    assert refused.returncode == 7 and "127.0.0.1" in refused.stderr and "hint: nothing was changed" in refused.stderr
    assert revision(proxyd) == 1
