"""What the admin API and proxyctl say of a request before it is made: a hit or not, and why."""
import pytest
from cached_world import World
from client import exchange, get


@pytest.fixture(scope="module")
def world():
    with World() as running:
        yield running


def lookup(world, url, **more):
    answer = world.proxyd.root("POST", "/api/v1/cache:lookup", {"url": url, **more})
    assert answer.status == 200, answer
    return answer.json


def test_a_lookup_says_what_is_stored_in_slices(world):
    assert lookup(world, "http://a.test/sliced")["result"] == "miss"
    world.seen("/sliced")
    found = lookup(world, "http://a.test/sliced")
    assert (found["result"], found["stored"]["bytes"], found["key"][-1]) == ("hit", 6, "#slice%204096:0"), found
    assert lookup(world, "http://a.test/sliced", headers={"Range": "bytes=4096-"})["result"] == "miss"


def test_a_lookup_looks_at_slices_where_the_whole_is_purged_as_serving_does(world):
    exchange(world.port, get(b"/sliced/one", b"Range: bytes=0-1, 3-4"))
    assert lookup(world, "http://a.test/sliced/one")["stored"]["bytes"] == 8
    world.purge(prefixes=["a.test/sliced/"])
    world.seen("/sliced/one")
    found = lookup(world, "http://a.test/sliced/one")
    assert (found["result"], found["key"][-1]) == ("hit", "#slice%204096:0"), found


def test_a_lookup_says_what_the_cache_would_be_and_why(world):
    assert lookup(world, "http://a.test/look")["result"] == "miss"
    world.seen("/look")
    hit = lookup(world, "http://a.test/look")
    assert (hit["result"], hit["reason"], hit["route"], hit["policy"]) == ("hit", None, "all", "main") and "fresh" in hit["why"]
    assert hit["stored"]["status"] == 200 and hit["stored"]["url"] == hit["url"] == "http://a.test/look"
    asked = lookup(world, "http://a.test/look", headers={"Cache-Control": "no-cache"})
    assert (asked["result"], asked["reason"]) == ("validate", "request_no_cache")
    posted = lookup(world, "http://a.test/look", method="POST")
    assert (posted["result"], posted["reason"]) == ("bypass", "method")
    world.purge(urls=["http://a.test/look"], mode="soft")
    soft = lookup(world, "http://a.test/look")
    assert (soft["result"], soft["reason"]) == ("stale", "soft_purged")
    world.purge(urls=["http://a.test/look"])
    assert lookup(world, "http://a.test/look")["result"] == "miss"
    assert world.asked[("a.test", "/look")] == 1, "to look asks nobody"


@pytest.mark.parametrize("more, reason", [({"headers": {"Cache-Control": "no-store"}}, "request_no_store"), ({"method": "HEAD"}, "miss")], ids=["no-store", "HEAD"])
def test_a_lookup_says_where_the_answer_would_not_be_stored_either(world, more, reason):
    found = lookup(world, f"http://a.test/unstored-{reason}", **more)
    assert (found["result"], found["reason"]) == ("pass", reason) and "not stored either" in found["why"]


def test_a_lookup_of_what_is_stored_in_part_says_what_the_part_answers(world):
    first = exchange(world.port, get(b"/open/part", b"Range: bytes=0-4"))
    assert (first.status, first.body) == (206, b"answe")
    for headers, result, reason in (({"Range": "bytes=1-2"}, "hit", None), ({"Range": "bytes=3-6"}, "miss", "partial"), ({}, "miss", "partial"),
                                    ({"Range": "bytes=1-2", "If-Range": '"other"'}, "miss", "partial")):
        looked = lookup(world, "http://a.test/open/part", headers=headers)
        assert (looked["result"], looked["reason"], looked["stored"]["status"]) == (result, reason, 206), (headers, looked)
    assert lookup(world, "http://a.test/open/part", method="HEAD", headers={"Range": "bytes=1-2"})["reason"] == "partial"
    real = exchange(world.port, get(b"/open/part", b"Range: bytes=1-2"))
    assert (real.status, real.body) == (206, b"ns") and world.asked[("a.test", "/open/part")] == 1
    exchange(world.port, get(b"/open/part"))
    assert world.asked[("a.test", "/open/part")] == 2, "as the lookup said"


def test_a_lookup_of_a_post_that_the_policy_names_is_a_miss_whatever_is_stored(world):
    world.seen("/open/post")
    posted = lookup(world, "http://a.test/open/post", method="POST")
    assert (posted["result"], posted["reason"], posted["policy"]) == ("miss", "method", "open") and posted["url"] == "http://a.test/open/post"
    bypassed = lookup(world, "http://a.test/open/post", method="POST", headers={"If-Match": '"a"'})
    assert (bypassed["result"], bypassed["reason"]) == ("bypass", "method")


def test_explain_says_by_which_policy_and_key_a_request_is_cached(world):
    explained = world.proxyd.root("POST", "/api/v1/explain", {"url": "http://a.test/few?b=1&v=2"}).json["action"]["cache"]
    assert explained == {"policy": "few", "reason": None, "url": "http://a.test/few?v=2", "key": ["@app"]}
    bypassed = world.proxyd.root("POST", "/api/v1/explain", {"url": "http://a.test/few", "method": "DELETE"}).json["action"]["cache"]
    assert bypassed == {"policy": "few", "reason": "method"}
    shown = world.proxyd.proxyctl("explain", "http://a.test/few?v=2")
    assert "few, key http://a.test/few?v=2 @app" in shown.stdout, shown


def test_a_lookup_shows_every_variant(world):
    world.fields = [b"Cache-Control: max-age=600", b"Vary: X-Kind"]
    try:
        for kind in (b"1", b"2"):
            world.seen("/look/vary", b"a.test", b"X-Kind: " + kind)
        found = lookup(world, "http://a.test/look/vary", headers={"X-Kind": "2"})
        assert found["result"] == "hit" and found["vary"] == "x-kind" and found["variants_complete"]
        assert {"x-kind:1", "x-kind:2"} <= {part for variant in found["variants"] for part in variant["key"]}
        other = lookup(world, "http://a.test/look/vary", headers={"X-Kind": "3"})
        assert (other["result"], other["reason"]) == ("miss", "vary_miss")
    finally:
        world.fields = [b"Cache-Control: max-age=600, stale-while-revalidate=600"]


def test_a_lookup_says_why_nothing_is_stored(world):
    world.fields = [b"Cache-Control: no-store"]
    try:
        exchange(world.port, get(b"/look/never"))
        passed = lookup(world, "http://a.test/look/never")
        assert passed["result"] == "pass" and passed["stored"]["state"] == "pass" and passed["reasons"]["no_store"] >= 1
    finally:
        world.fields = [b"Cache-Control: max-age=600, stale-while-revalidate=600"]


def test_a_lookup_of_what_is_no_request_is_refused(world):
    for body, pointer in (({}, "/url"), ({"url": "nonsense"}, "/url"), ({"url": "http://a.test/", "headers": {"X": 1}}, "/headers"), ({"url": "http://a.test/", "heders": {}}, "/heders")):
        refused = world.proxyd.root("POST", "/api/v1/cache:lookup", body)
        assert refused.status == 422 and refused.json["errors"][0]["pointer"] == pointer, refused


def test_proxyctl_looks_up(world):
    world.seen("/look/ctl")
    shown = world.proxyd.proxyctl("cache", "lookup", "http://a.test/look/ctl")
    assert shown.returncode == 0 and "hit" in shown.stdout and "it is fresh" in shown.stdout and "http://a.test/look/ctl" in shown.stdout, shown
    assert world.proxyd.proxyctl("cache", "lookup", "http://a.test/look/ctl", "-H", "Cache-Control: no-cache", "-o", "name").stdout == "validate\n"


def test_a_lookup_knows_what_only_if_cached_comes_to(world):
    only = {"Cache-Control": "only-if-cached"}
    missing = lookup(world, "http://a.test/only", headers=only)
    assert (missing["result"], missing["reason"]) == ("refuse", "miss") and "504" in missing["why"]
    world.seen("/only")
    assert lookup(world, "http://a.test/only", headers=only)["result"] == "hit"
    bypassed = lookup(world, "http://a.test/only", headers={**only, "If-Match": '"a"'})
    assert (bypassed["result"], bypassed["reason"]) == ("refuse", "precondition")
