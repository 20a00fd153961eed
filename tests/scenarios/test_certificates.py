"""Certificates of the document: what is taken, what is refused and in which words."""
import pytest
from certificates import Authority, fingerprint_served, openssl
from proxyd import Proxyd, eventually, free_port, site


def secured(port, given, names=("www.test",), **tls):
    """A document whose one listener has TLS with these certificates."""
    document = site(port, "127.0.0.1:9")
    document["listeners"]["main"]["tls"] = tls
    document["certificates"] = {name: one if isinstance(one, dict) else one.document() for name, one in given.items()}
    document["hosts"]["all"]["names"] = list(names)
    return document


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def proxyd():
    with Proxyd(site(free_port(), "127.0.0.1:9")) as running:
        yield running


def refused(proxyd, document):
    """The one error of a refused document."""
    before = proxyd.api("GET", "/api/v1/config")
    status, answer = proxyd.api("PUT", "/api/v1/config", document)
    assert status == 422, answer
    assert proxyd.api("GET", "/api/v1/config") == before
    return answer["errors"][0]


def test_a_wrong_certificate_is_refused_naming_it_its_file_and_the_reason(proxyd, authority, tmp_path):
    good, other = authority.issue("www.test"), authority.issue("other.test")
    encrypted, broken, absent = tmp_path / "encrypted.key", tmp_path / "broken.pem", tmp_path / "absent.pem"
    openssl("pkey", "-in", good.key_file, "-aes256", "-passout", "pass:secret", "-out", encrypted)
    broken.write_text(good.certificate_file.read_text().replace("MII", "MIJ", 1))
    certificate, key = str(good.certificate_file), str(good.key_file)
    for files, part, reason in [((certificate, str(other.key_file)), 1, "the key of another certificate"), ((certificate, str(encrypted)), 1, "is encrypted"),
                                ((str(broken), key), 0, "cannot be read"), ((str(absent), key), 0, "No such file"), ((certificate, str(tmp_path)), 1, "no plain file"),
                                ((key, key), 0, "holds no certificate"), ((certificate, certificate), 1, "holds no private key")]:
        error = refused(proxyd, secured(free_port(), {"www": {"certificate_file": files[0], "private_key_file": files[1]}}))
        assert error["pointer"] == "/certificates/www/" + ("certificate_file", "private_key_file")[part], error
        for words in ("'www'", files[part], reason):
            assert words in error["message"], (words, error)
    assert "PRIVATE KEY" not in proxyd.logs()


def test_a_chain_in_the_wrong_order_is_refused_and_in_the_right_one_taken(proxyd, authority, tmp_path):
    middle = Authority(tmp_path, "middle", signed_by=authority)
    issued = middle.issue("www.test")
    leaf = issued.certificate_file.read_text().partition("-----END CERTIFICATE-----\n")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("".join(leaf[:2]) + authority.certificate.read_text() + middle.certificate.read_text())
    error = refused(proxyd, secured(free_port(), {"www": {"certificate_file": str(wrong), "private_key_file": str(issued.key_file)}}))
    assert error["pointer"] == "/certificates/www/certificate_file" and "wrong order: number 1 (CN=www.test)" in error["message"]
    assert proxyd.apply(secured(free_port(), {"www": issued}))["warnings"] == []


def test_authorities_of_clients_and_ciphers_are_checked(proxyd, authority, tmp_path):
    issued = authority.issue("www.test")
    document = secured(free_port(), {"www": issued}, client_auth={"ca_file": str(issued.key_file)})
    error = refused(proxyd, document)
    assert error["pointer"] == "/listeners/main/tls/client_auth/ca_file" and "holds no certificate" in error["message"]
    document["listeners"]["main"]["tls"] = {"ciphers": "HIGH:nonsense"}
    error = refused(proxyd, document)
    assert error["pointer"] == "/listeners/main/tls/ciphers" and "'nonsense'" in error["message"]
    document["listeners"]["main"]["tls"] = {"ciphers": "ECDHE+AESGCM", "client_auth": {"ca_file": str(authority.certificate)}}
    document["hosts"]["all"]["client_auth"] = {"ca_file": str(tmp_path / "absent.pem")}
    error = refused(proxyd, document)
    assert error["pointer"] == "/hosts/all/client_auth/ca_file" and "absent.pem" in error["message"]
    document["hosts"]["all"]["client_auth"] = {"ca_file": str(authority.certificate)}
    assert proxyd.apply(document)["acknowledged"] == 1


def test_an_expired_certificate_and_a_name_without_one_are_warnings(proxyd, authority):
    document = secured(free_port(), {"old": authority.expired("old.test"), "shop": authority.issue("*.shop.test")},
                       names=("old.test", "a.shop.test", "*.shop.test", "a.b.shop.test", "www.test"))
    warnings = {one["pointer"]: one for one in proxyd.apply(document)["warnings"]}
    assert sorted(warnings) == ["/certificates/old", "/hosts/all/names/3", "/hosts/all/names/4"]
    assert warnings["/certificates/old"]["code"] == "certificate-expired"
    assert "no certificate for 'www.test'" in warnings["/hosts/all/names/4"]["message"]
    assert proxyd.attention()["no-certificate"]["severity"] == "warning"


def test_a_certificate_that_a_listener_names_cannot_be_deleted(proxyd, authority):
    document = secured(free_port(), {"www": authority.issue("www.test"), "idle": authority.issue("idle.test")}, certificates=["www"])
    proxyd.apply(document)
    status, answer = proxyd.api("DELETE", "/api/v1/config/certificates/www")
    assert status == 409 and answer["type"].endswith("in-use") and "listeners/main" in str(answer)
    assert proxyd.api("DELETE", "/api/v1/config/certificates/idle")[0] == 200


def test_what_files_hold_is_in_no_answer_and_no_export(proxyd, authority):
    proxyd.apply(secured(free_port(), {"www": authority.issue("www.test")}))
    for path in ("/api/v1/config", "/api/v1/config?format=yaml", "/api/v1/config?source=true", "/api/v1/status", "/api/v1/revisions"):
        assert "PRIVATE KEY" not in proxyd.api("GET", path, parse=False)[1], path


def left(proxyd, name="www"):
    """Seconds until the certificate that is served expires."""
    return proxyd.metric("proxyd_cert_expiry_seconds", certificate=name)


DAY = 86400


def test_a_renewed_certificate_is_noticed_without_a_word_and_is_no_new_revision(proxyd, authority):
    issued, other, port = authority.issue("www.test", ends=30), authority.issue("www.test", ends=60), free_port()
    revision = proxyd.apply(secured(port, {"www": issued}))["revision"]
    assert 29 * DAY < left(proxyd) < 31 * DAY and fingerprint_served(port, "www.test") == issued.fingerprint()
    issued.replace_by(other)
    eventually(lambda: left(proxyd) > 59 * DAY)
    eventually(lambda: fingerprint_served(port, "www.test") == other.fingerprint())
    assert proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"] == revision
    assert "certificate-unusable" not in proxyd.attention()


@pytest.mark.rows("TL-022")
@pytest.mark.parametrize("spoil, reason", [
    (lambda issued, other: issued.key_file.write_bytes(other.key_file.read_bytes()), "the key of another certificate"),
    (lambda issued, other: issued.certificate_file.write_text("nothing"), "holds no certificate"),
    (lambda issued, other: issued.key_file.unlink(), "No such file"),
], ids=["the key of another", "no certificate", "no key"])
def test_a_file_that_became_wrong_leaves_the_old_certificate_and_is_attention_until_it_is_right(proxyd, authority, spoil, reason):
    issued, other = authority.issue("www.test", ends=30), authority.issue("www.test", ends=60)
    proxyd.apply(secured(free_port(), {"www": issued}))
    spoil(issued, other)
    told = eventually(lambda: proxyd.attention().get("certificate-unusable"))
    assert told["severity"] == "error" and told["command"].startswith("proxyctl ")
    for words in ("'www'", str(issued.certificate_file.parent), reason):
        assert words in told["message"], told
    assert 29 * DAY < left(proxyd) < 31 * DAY, "the old one stays"
    for query in ("?dry_run=true", ""):
        status, answer = proxyd.api("POST", "/api/v1/reload" + query, {})
        assert status == 422 and reason in str(answer), "a reload says no, and changes nothing"
    assert 29 * DAY < left(proxyd) < 31 * DAY
    issued.replace_by(other)
    eventually(lambda: left(proxyd) > 59 * DAY and "certificate-unusable" not in proxyd.attention(), 20)
    assert proxyd.api("POST", "/api/v1/reload", {})[0] == 200


def test_a_reload_reads_certificates_at_once(proxyd, authority):
    issued = authority.issue("www.test", ends=30)
    proxyd.apply(secured(free_port(), {"www": issued}))
    issued.replace_by(authority.issue("www.test", ends=60))
    assert proxyd.api("POST", "/api/v1/reload", {})[0] == 200
    assert left(proxyd) > 59 * DAY


@pytest.mark.rows("TL-021")
def test_the_end_of_a_certificate_is_attention_two_weeks_before_and_a_number_below_zero_after(proxyd, authority):
    proxyd.apply(secured(free_port(), {"soon": authority.issue("soon.test", ends=13), "later": authority.issue("later.test", ends=15), "old": authority.expired("old.test")}))
    told = proxyd.attention()
    assert told["certificate-expires"]["severity"] == "warning" and "'soon'" in told["certificate-expires"]["message"]
    assert told["certificate-expired"]["severity"] == "error" and "'old'" in told["certificate-expired"]["message"]
    assert "'later'" not in str(told)
    assert left(proxyd, "old") < 0 < left(proxyd, "soon")
    assert left(proxyd, "old") == pytest.approx(-DAY, abs=300)


@pytest.mark.rows("TL-021")
def test_a_start_with_an_expired_certificate_serves(authority, tmp_path):
    with Proxyd(secured(free_port(), {"www": authority.expired("www.test")}), state=str(tmp_path)) as first:
        assert left(first) < 0
    with Proxyd(None, state=str(tmp_path)) as again:
        assert left(again) < 0 and again.api("GET", "/readyz", parse=False)[0] == 200
        assert "certificate 'www' expired at" in again.logs()
