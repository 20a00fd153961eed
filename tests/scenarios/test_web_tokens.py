"""JSON Web Tokens: which let a request in, which do not, and what the client and the origin see of them."""
import json
import time

import pytest
from client import exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site
from web_tokens import Signer, encoded

ALGORITHMS = ["RS256", "ES256", "HS256", "EdDSA"]


class World:
    def __init__(self, tmp_path):
        self.signer = Signer()
        self.keys = tmp_path / "keys.json"
        self.keys.write_text(self.signer.key_set())
        self.origin, self.port = Origin(), free_port()
        self.origin.answer = lambda request: ok(b"hello", b"Cache-Control: max-age=60")
        rules = {"issuer": "https://issuer.test", "audience": ["site", "other"], "algorithms": ALGORITHMS, "jwks_file": str(self.keys)}
        document = site(self.port, self.origin.address, cached={}, auth={"jwt": rules})
        document["hosts"]["all"]["routes"] = [
            {"name": "open", "match": {"path_prefix": "/open"}, "auth": None, "upstream": "app"},
            {"name": "seen", "match": {"path_prefix": "/seen"}, "auth": {"jwt": {**rules, "forward": True}}, "upstream": "app"},
            {"name": "signed", "match": {"path_prefix": "/signed"}, "auth": {"jwt": {"algorithms": ["RS256"], "jwks_file": str(self.keys)}}, "upstream": "app"},
            {"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "main"}]
        self.document = document
        self.proxyd = Proxyd(document)

    def ask(self, token, path=b"/x", *fields):
        return exchange(self.port, get(path, b"Authorization: Bearer " + (token if isinstance(token, bytes) else token.encode()), *fields))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("keys"))
    with world.proxyd:
        yield world
    world.origin.stop()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_signed_by_a_key_of_the_set_lets_in_and_the_origin_does_not_see_it(world, algorithm):
    for token in (world.signer.token(algorithm), world.signer.token(algorithm, header={"kid": None}), world.signer.token(algorithm, aud=["none", "other"])):
        for _ in range(2):
            assert world.ask(token).status == 200
    assert world.origin.requests[-1].values("Authorization") == []


def test_a_route_without_a_word_forwards_what_it_was_told_to(world):
    token = world.signer.token()
    assert world.ask(token, b"/open").status == 200
    assert world.origin.requests[-1].values("Authorization") == ["Bearer " + token]
    assert world.ask(token, b"/seen").status == 200
    assert world.origin.requests[-1].values("Authorization") == [], "the host keeps it, whatever the route would do"


def wrong_tokens(signer):
    now, good = int(time.time()), signer.token()
    head, claims, signature = good.split(".")
    right = {"iss": "https://issuer.test", "aud": "site", "exp": now + 300}
    yield "expired", signer.token(exp=now - 60)
    yield "without an end", signer.token(exp=None)
    yield "an end that is a text", signer.by_hand({"alg": "HS256"}, {**right, "exp": str(now + 300)})
    yield "not yet", signer.token(nbf=now + 120)
    yield "from the future", signer.token(iat=now + 120)
    yield "nbf no number", signer.by_hand({"alg": "HS256"}, {**right, "nbf": "now"})
    yield "another issuer", signer.token(iss="https://issuer.test/")
    yield "no issuer", signer.token(iss=None)
    yield "another audience", signer.token(aud="sit")
    yield "no audience", signer.token(aud=None)
    yield "an audience that is an object", signer.by_hand({"alg": "HS256"}, {**right, "aud": {"site": 1}})
    yield "none", encoded({"alg": "none"}) + "." + encoded(right) + "."
    yield "none, signed", signer.by_hand({"alg": "none"}, right)
    yield "None", signer.by_hand({"alg": "None"}, right)
    yield "no algorithm", signer.by_hand({"typ": "JWT"}, right)
    yield "another algorithm", signer.token("HS384", key=signer.keys["HS256"], header={"kid": "hs256"})
    yield "a public key taken for a secret", signer.by_hand({"alg": "HS256", "kid": "rs256"}, right, signer.as_secret("RS256"))
    yield "the algorithm of another key", signer.by_hand({"alg": "HS256", "kid": "rs256"}, right)
    yield "an unknown key", signer.token(header={"kid": "other"})
    yield "a key that is a number", signer.by_hand({"alg": "HS256", "kid": 1}, right)
    yield "another secret", signer.by_hand({"alg": "HS256", "kid": "hs256"}, right, b"x" * 32)
    yield "critical", signer.by_hand({"alg": "HS256", "crit": ["exp"], "exp": 1}, right)
    yield "not encoded", signer.by_hand({"alg": "HS256", "b64": False}, right)
    yield "a key of its own", signer.by_hand({"alg": "HS256", "jwk": {"kty": "oct", "k": encoded(b"x" * 32)}}, right, b"x" * 32)
    yield "a member twice", signer.by_hand('{"alg":"HS256"}', '{"exp":1,' + json.dumps(right)[1:])
    yield "a header's member twice", signer.by_hand('{"alg":"none","alg":"HS256"}', right)
    yield "no object", signer.by_hand({"alg": "HS256"}, [right])
    yield "no JSON", signer.by_hand({"alg": "HS256"}, "exp")
    yield "another signature", f"{head}.{claims}.{signature[:-4]}AAAA"
    yield "no signature", f"{head}.{claims}."
    yield "two parts", f"{head}.{claims}"
    yield "four parts", good + "." + signature
    yield "padded", f"{head}=.{claims}.{signature}"
    yield "five parts of another kind", ".".join([head] * 5)
    yield "text", "token"
    yield "too large", signer.token(more="x" * 9000)
    rsa_head, rsa_claims, rsa_signature = signer.token("ES256").split(".")
    yield "a curve's signature of nothing", f"{rsa_head}.{rsa_claims}." + encoded(bytes(64))
    yield "a curve's signature cut short", f"{rsa_head}.{rsa_claims}." + rsa_signature[:-4]


def test_a_token_that_is_wrong_lets_nobody_in_and_the_answer_does_not_say_why(world):
    seen = len(world.origin.requests)
    for what, token in wrong_tokens(world.signer):
        for _ in range(2):
            answer = world.ask(token)
            assert answer.status == 401, what
            told = 'Bearer realm="token"' if what == "too large" else 'Bearer realm="token", error="invalid_token"'
            assert answer.value("WWW-Authenticate") == told, what
    assert len(world.origin.requests) == seen
    bare = exchange(world.port, get(b"/x"))
    assert (bare.status, bare.value("WWW-Authenticate")) == (401, 'Bearer realm="token"')


def test_clocks_may_be_apart_by_the_leeway(world):
    now = int(time.time())
    assert world.ask(world.signer.token(exp=now - 5, iat=now + 5, nbf=now + 5.5)).status == 200


def test_a_token_that_is_remembered_ends_all_the_same(world):
    token = world.signer.token(exp=time.time() - 20)   # the leeway is 30 s: time enough for the first answer
    assert world.ask(token).status == 200
    eventually(lambda: world.ask(token).status == 401, seconds=30, what="its end")


def test_the_algorithms_of_the_document_bind(world):
    assert world.ask(world.signer.token("RS256"), b"/signed").status == 200
    assert world.ask(world.signer.token("ES256"), b"/signed").status == 401


def test_what_was_asked_with_a_token_is_stored_only_by_leave_and_served_to_nobody_without(world):
    token = world.signer.token()
    assert world.ask(token, b"/stored").status == 200
    asked = len(world.origin.requests)
    assert world.ask(token, b"/stored").status == 200
    assert len(world.origin.requests) == asked + 1
    world.origin.answer = lambda request: ok(b"hello", b"Cache-Control: public, max-age=60")
    assert world.ask(token, b"/public").status == 200
    assert "hit" in world.ask(token, b"/public").value("Cache-Status")
    assert exchange(world.port, get(b"/public")).status == 401


@pytest.mark.parametrize("keys, words", [
    ("{}", "no set of JSON Web Keys"), ("[", "no set"), ('{"keys":[],"keys":[]}', "no set"), ('{"keys":[]}', "none of its keys"),
    ('{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}', "key 1"), ('{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}', "key 1"),
    ('{"keys":[{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}]}' % (encoded(bytes(32)), encoded(bytes(32))), "key 1"),
    ('{"keys":[{"kty":"oct","use":"enc","k":"%s"}]}' % encoded(bytes(32)), "none of its keys"),
    ('{"keys":[{"kty":"oct","alg":"HS512","k":"%s"}]}' % encoded(bytes(64)), "none of its keys"),
    ('{"keys":[{"kty":"oct","key_ops":["sign"],"k":"%s"}]}' % encoded(bytes(32)), "none of its keys"),
    ('{"keys":[{"kty":"OKP","crv":"Ed25519","x":"%s","d":"%s"}]}' % (encoded(bytes(32)), encoded(bytes(32))), "private"),
    ('{"keys":[{"kty":"oct","kid":"a","k":"%s"},{"kty":"oct","kid":"a","k":"%s"}]}' % (encoded(bytes(32)), encoded(bytes(32))), "key 2"),
    ('{"keys":[{"kty":"oct","k":"%s"}]}' % encoded(b"x" * 32), "no key for"),
])
def test_a_key_set_that_is_wrong_is_refused_without_what_it_holds(world, keys, words):
    good = world.keys.read_text()
    world.keys.write_text(keys)
    try:
        status, answer = world.proxyd.api("PUT", "/api/v1/config", {**world.document, "defaults": {"cache_status": "off"}})
        assert status == 422 and words in answer["errors"][0]["message"], answer
        assert encoded(bytes(32)) not in str(answer)
    finally:
        world.keys.write_text(good)
    assert world.ask(world.signer.token()).status == 200


def test_explain_shows_what_is_asked(world):
    asked = world.proxyd.api("POST", "/api/v1/explain", {"url": "http://a.test/x"})[1]["auth"]
    assert asked == [{"jwt": {"jwks_file": str(world.keys), "algorithms": ALGORITHMS}}]
    assert "jwt" in world.proxyd.proxyctl("explain", "http://a.test/x").stdout
