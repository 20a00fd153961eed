"""Certificates that are uploaded: sealed in the store, live when the answer comes, removable when nobody uses them."""
import json
import os
import stat

import pytest
from certificates import Authority, fingerprint_served, openssl
from proxyd import Proxyd, free_port, site

ALL = "/api/v1/certificates"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def proxyd():
    with Proxyd(site(free_port(), "127.0.0.1:9")) as running:
        yield running


def body(issued):
    return {"certificate": issued.certificate_file.read_text(), "private_key": issued.key_file.read_text()}


def put(proxyd, name, issued, query="", **headers):
    return proxyd.api("PUT", f"{ALL}/{name}{query}", body(issued), headers={field.replace("_", "-"): value for field, value in headers.items()})


def with_tls(document, **tls):
    """The document as it is, its listener with TLS by whatever certificates there are."""
    document["listeners"]["main"]["tls"] = tls
    document["hosts"]["all"]["names"] = ["www.test", "a.shop.test"]
    return document


def config(proxyd):
    return proxyd.api("GET", "/api/v1/config")[1]


def revision(proxyd):
    return proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"]


def test_the_first_upload_makes_the_line_in_the_document_and_the_next_ones_no_revision(proxyd, authority):
    first, second = authority.issue("www.test"), authority.issue("www.test", "*.shop.test", key="rsa")
    status, answer = put(proxyd, "www", first)
    assert status == 200 and answer["acknowledged"] == 1, answer
    assert [one["pointer"] for one in answer["changes"]] == ["/certificates"]
    assert answer["certificate"]["fingerprint_sha256"] == first.fingerprint()
    assert config(proxyd)["certificates"] == {"www": {"uploaded": True}}
    proxyd.apply(with_tls(config(proxyd)))
    before = revision(proxyd)
    status, answer = put(proxyd, "www", second)
    assert status == 200 and answer["acknowledged"] == 1 and answer["changes"] == [], answer
    shown = proxyd.api("GET", f"{ALL}/www")[1]
    assert shown == answer["certificate"]
    assert shown["fingerprint_sha256"] == second.fingerprint() and shown["key_type"] == "RSA 2048"
    assert shown["names"] == ["www.test", "*.shop.test"] and shown["source"] == "uploaded" and shown["ocsp"] == "none"
    assert shown["issuer"] == "CN=authority" and shown["not_before"] < shown["not_after"]
    assert shown["used_by"] == {"listeners": ["main"], "hosts": ["all"]}
    assert revision(proxyd) == before
    assert proxyd.api("GET", ALL)[1] == {"items": [shown], "next_cursor": None}


def test_an_upload_serves_in_every_worker_when_it_is_answered(authority):
    with Proxyd(site(port := free_port(), "127.0.0.1:9"), workers=3) as proxyd:
        put(proxyd, "www", authority.issue("www.test"))
        proxyd.apply(with_tls(config(proxyd)))
        for _ in range(3):
            issued = authority.issue("www.test")
            status, answer = put(proxyd, "www", issued)
            assert status == 200 and answer["acknowledged"] == 3
            assert {fingerprint_served(port, "www.test") for _ in range(20)} == {issued.fingerprint()}


def test_the_key_is_in_no_answer_no_log_and_no_copy_and_sealed_in_the_store(authority, tmp_path):
    issued = authority.issue("www.test")
    secret = "".join(issued.key_file.read_text().splitlines()[1:-1])[:40]
    with Proxyd(site(free_port(), "127.0.0.1:9"), state=str(tmp_path)) as proxyd:
        assert put(proxyd, "www", issued)[0] == 200
        said = "".join(proxyd.api("GET", path, parse=False)[1] for path in (ALL, f"{ALL}/www", "/api/v1/config", "/api/v1/audit", "/api/v1/status", "/api/v1/revisions"))
        said += proxyd.logs() + proxyd.proxyctl("cert", "show", "www", "-o", "yaml").stdout
    assert secret not in said and "PRIVATE KEY" not in said
    key = tmp_path / "certificates.key"
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600 and key.stat().st_size == 32
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert any(path.name.startswith("backup-") for path in files)
    for path in files:
        content = path.read_bytes()
        assert secret.encode() not in content and b"PRIVATE KEY" not in content, path
        assert path == key or key.read_bytes() not in content, path


def test_an_uploaded_certificate_outlives_a_restart_and_is_missed_without_its_key_file(authority, tmp_path):
    issued = authority.issue("www.test")
    with Proxyd(site(free_port(), "127.0.0.1:9"), state=str(tmp_path)) as proxyd:
        put(proxyd, "www", issued)
        proxyd.apply(with_tls(config(proxyd)))
    with Proxyd(None, state=str(tmp_path)) as proxyd:
        assert proxyd.api("GET", f"{ALL}/www")[1]["fingerprint_sha256"] == issued.fingerprint()
    (tmp_path / "certificates.key").unlink()
    with Proxyd(None, state=str(tmp_path), ready=False) as proxyd:
        assert proxyd.ended() != 0
        assert "certificates.key" in proxyd.logs() and "'www'" in proxyd.logs()


def test_what_cannot_be_served_is_refused_and_changes_nothing(proxyd, authority, tmp_path):
    good, other = authority.issue("www.test"), authority.issue("other.test")
    encrypted = tmp_path / "encrypted.key"
    openssl("pkey", "-in", good.key_file, "-aes256", "-passout", "pass:secret", "-out", encrypted)
    put(proxyd, "www", good)
    before = proxyd.api("GET", f"{ALL}/www"), revision(proxyd)
    wrong = [({**body(good), "private_key": other.key_file.read_text()}, "/private_key", "the key of another"),
             ({**body(good), "private_key": encrypted.read_text()}, "/private_key", "is encrypted"),
             ({**body(good), "certificate": "nothing"}, "/certificate", "holds no certificate"),
             ({"certificate": body(good)["certificate"]}, "/private_key", "private_key is PEM"), ({**body(good), "passphrase": "x"}, "/passphrase", "")]
    for content, pointer, reason in wrong:
        for name in ("www", "new"):
            status, answer = proxyd.api("PUT", f"{ALL}/{name}", content)
            assert status == 422 and answer["errors"][0]["pointer"] == pointer and reason in answer["errors"][0]["message"], answer
    assert proxyd.api("PUT", f"{ALL}/a%20b", body(good))[0] == 422
    assert before == (proxyd.api("GET", f"{ALL}/www"), revision(proxyd))
    assert proxyd.api("GET", f"{ALL}/new")[0] == 404


def test_a_document_may_not_name_as_uploaded_what_is_not_there(proxyd, authority):
    document = with_tls(config(proxyd))
    document["certificates"] = {"www": {"uploaded": True}}
    status, answer = proxyd.api("PUT", "/api/v1/config", document)
    assert status == 422 and answer["errors"][0]["pointer"] == "/certificates/www/uploaded"
    assert "proxyctl cert add www" in answer["detail"]
    put(proxyd, "www", authority.issue("www.test"))
    proxyd.apply(document)


def test_a_trial_says_what_would_happen_and_keeps_nothing(proxyd, authority):
    issued = authority.issue("www.test")
    status, answer = put(proxyd, "www", issued, "?dry_run=true")
    assert status == 200 and answer["dry_run"] is True
    assert proxyd.api("GET", f"{ALL}/www")[0] == 404 and "certificates" not in config(proxyd)
    assert proxyd.api("PUT", f"{ALL}/www?dry_run=true", {**body(issued), "private_key": "x"})[0] == 422
    put(proxyd, "www", issued)
    assert put(proxyd, "www", authority.issue("www.test"), "?dry_run=true")[0] == 200
    assert proxyd.api("DELETE", f"{ALL}/www?dry_run=true")[0] == 200
    assert proxyd.api("GET", f"{ALL}/www")[1]["fingerprint_sha256"] == issued.fingerprint()


def test_a_change_on_top_of_another_one_is_told(proxyd, authority):
    put(proxyd, "www", authority.issue("www.test"))
    status, answer = put(proxyd, "www", authority.issue("www.test"), If_None_Match="*")
    assert status == 409 and answer["type"].endswith("already-exists")
    status, answer = put(proxyd, "www", authority.issue("www.test"), If_Match='"www@0000000000000000"')
    assert status == 412 and answer["type"].endswith("changed-meanwhile")
    assert put(proxyd, "www", authority.issue("www.test"), If_Match=answer["current"])[0] == 200
    status, answer = put(proxyd, "www", authority.issue("www.test"), If_Match=answer["current"])
    assert status == 412, "it is another one now"
    assert proxyd.api("DELETE", f"{ALL}/www", headers={"If-Match": '"www@0"'})[0] == 412
    assert proxyd.api("DELETE", f"{ALL}/www", headers={"If-Match": answer["current"]})[0] == 200


def test_one_in_use_is_not_removed_and_another_leaves_nothing_behind(proxyd, authority):
    put(proxyd, "www", authority.issue("www.test"))
    put(proxyd, "both", authority.issue("www.test", "a.shop.test"))
    proxyd.apply(with_tls(config(proxyd)))
    status, answer = proxyd.api("DELETE", f"{ALL}/both")
    assert status == 409 and answer["type"].endswith("in-use") and answer["users"] == ["hosts/all"]
    assert proxyd.api("DELETE", "/api/v1/config/certificates/both")[0] == 409
    assert proxyd.api("DELETE", f"{ALL}/www")[0] == 200
    assert list(config(proxyd)["certificates"]) == ["both"] and proxyd.api("GET", f"{ALL}/www")[0] == 404
    proxyd.apply(with_tls(config(proxyd), certificates=["both"]))
    assert proxyd.api("DELETE", f"{ALL}/both")[1]["users"] == ["listeners/main", "hosts/all"]
    assert proxyd.api("DELETE", f"{ALL}/none")[0] == 404
    assert proxyd.api("DELETE", f"{ALL}/none?missing_ok=true")[0] == 200


def test_one_that_no_document_names_is_kept_shown_and_removable(proxyd, authority):
    put(proxyd, "www", authority.issue("www.test"))
    document = config(proxyd)
    proxyd.apply({name: part for name, part in document.items() if name != "certificates"})
    shown = proxyd.api("GET", f"{ALL}/www")[1]
    assert shown["in_document"] is False and shown["names"] == ["www.test"]
    proxyd.apply(document)
    assert proxyd.api("GET", f"{ALL}/www")[1]["in_document"] is True
    proxyd.apply({name: part for name, part in document.items() if name != "certificates"})
    assert proxyd.api("DELETE", f"{ALL}/www")[0] == 200 and proxyd.api("GET", ALL)[1]["items"] == []


def test_one_of_files_is_shown_with_them_reloaded_by_name_and_not_overwritten(proxyd, authority):
    issued = authority.issue("www.test")
    document = with_tls(config(proxyd))
    document["certificates"] = {"www": issued.document()}
    proxyd.apply(document)
    shown = proxyd.api("GET", f"{ALL}/www")[1]
    assert shown["source"] == "files" and shown["certificate_file"] == str(issued.certificate_file) and shown["fault"] is None
    status, answer = put(proxyd, "www", authority.issue("www.test"))
    assert status == 409 and str(issued.certificate_file) in answer["detail"]
    status, answer = proxyd.api("POST", f"{ALL}/www:reload", {})
    assert status == 200 and answer["changed"] is False
    other = authority.issue("www.test", ends=50)
    issued.replace_by(other)
    status, answer = proxyd.api("POST", f"{ALL}/www:reload", {})
    assert status == 200 and answer["certificate"]["fingerprint_sha256"] == other.fingerprint()
    issued.key_file.write_text("nothing")
    status, answer = proxyd.api("POST", f"{ALL}/www:reload", {})
    assert status == 422 and answer["errors"][0]["pointer"] == "/certificates/www/private_key_file"
    assert proxyd.api("GET", f"{ALL}/www")[1]["fingerprint_sha256"] == other.fingerprint()
    assert str(issued.key_file) in proxyd.api("GET", f"{ALL}/www")[1]["fault"]
    assert proxyd.api("POST", f"{ALL}/none:reload", {})[0] == 404


def test_a_response_to_staple_is_shown(proxyd, authority, tmp_path):
    middle = Authority(tmp_path, "middle", signed_by=authority)
    issued, revoked = middle.issue("www.test"), middle.issue("old.test")
    middle.ocsp(issued)
    middle.revoke(revoked)
    middle.ocsp(revoked)
    document = with_tls(config(proxyd))
    document["certificates"] = {"www": issued.document(), "old": revoked.document()}
    warnings = proxyd.apply(document)["warnings"]
    assert "ocsp-not-stapled" in [one["code"] for one in warnings]
    assert proxyd.api("GET", f"{ALL}/www")[1]["ocsp"] == "stapled"
    shown = proxyd.api("GET", f"{ALL}/old")[1]
    assert shown["ocsp"] == "refused" and "revoked" in shown["ocsp_fault"]


def test_proxyctl_adds_shows_reloads_and_removes(proxyd, authority, tmp_path):
    issued = authority.issue("www.test")
    assert "there are no certificates" in proxyd.proxyctl("cert", "list").stderr
    files = ["--certificate", str(issued.certificate_file), "--private-key", str(issued.key_file)]
    added = proxyd.proxyctl("cert", "add", "www", *files)
    assert added.returncode == 0 and "www serves, until 20" in added.stdout, added.stderr
    listed = proxyd.proxyctl("cert", "list")
    assert "www" in listed.stdout and "uploaded" in listed.stdout
    assert issued.fingerprint() in proxyd.proxyctl("cert", "show", "www").stdout
    assert proxyd.proxyctl("cert", "list", "-o", "name").stdout == "www\n"
    assert proxyd.proxyctl("cert", "reload", "www").stdout == "certificate www is as it was\n"
    assert proxyd.proxyctl("cert", "add", "www", "--certificate", str(issued.key_file), "--private-key", str(issued.key_file)).returncode == 7
    assert proxyd.proxyctl("cert", "add", "www", "--certificate", str(tmp_path / "none"), "--private-key", str(issued.key_file)).returncode == 2
    unknown = proxyd.proxyctl("cert", "show", "wwww")
    assert unknown.returncode == 5 and "did you mean 'www'" in unknown.stderr
    assert proxyd.proxyctl("cert", "remove", "www").returncode == 2, "--yes is missing"
    removed = proxyd.proxyctl("cert", "remove", "www", "--yes")
    assert (removed.returncode, removed.stdout) == (0, "certificate www is removed\n")
    assert proxyd.proxyctl("cert", "remove", "www", "--yes").returncode == 5


def test_a_document_that_is_in_a_file_takes_an_upload_that_it_names(authority, tmp_path):
    document = site(free_port(), "127.0.0.1:9")
    file, bootstrap = tmp_path / "site.json", tmp_path / "proxyd.yaml"
    file.write_text(json.dumps(document))
    bootstrap.write_text(f"config_source: file\nconfig_file: {file}\n")
    with Proxyd(None, arguments=("--bootstrap", str(bootstrap))) as proxyd:
        status, answer = put(proxyd, "www", authority.issue("www.test"))
        assert status == 200 and str(file) in answer["warnings"][0]["message"], answer
        assert answer["certificate"]["in_document"] is False
        document["certificates"] = {"www": {"uploaded": True}}
        file.write_text(json.dumps(document))
        assert proxyd.api("POST", "/api/v1/reload", {})[0] == 200
        assert proxyd.api("GET", f"{ALL}/www")[1]["in_document"] is True
        assert put(proxyd, "www", authority.issue("www.test"))[0] == 200


@pytest.mark.parametrize("scope, expected", [("read", 403), ("config:write", 403), ("certs:write", 200)])
def test_an_upload_needs_its_own_scope(proxyd, authority, tmp_path, scope, expected):
    token = proxyd.api("POST", "/api/v1/tokens", {"name": "t", "scopes": [scope]})[1]["token"]
    status, _ = put(proxyd, "www", authority.issue("www.test"), Authorization=f"Bearer {token}")
    assert status == expected
    audit = proxyd.api("GET", "/api/v1/audit")[1]["items"][0]
    assert audit["action"] == "PUT /api/v1/certificates/www" and audit["status"] == expected
