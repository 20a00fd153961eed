"""What unsafe methods make invalid: RFC 9111 4.4, and cache groups, RFC 9875."""
import pytest
from pages import date

FRESH = ["Cache-Control: max-age=100000", "Last-Modified: " + date(), "Expires: " + date(100000)]
METHODS = ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "FOO"]


@pytest.mark.rows("CA-043")
@pytest.mark.parametrize("status", [200, 201, 204, 303])
@pytest.mark.parametrize("method", METHODS)
def test_a_success_of_an_unsafe_method_makes_its_url_invalid_rfc9111_4_4(caches, method, status):
    for policy in ("plain", "open"):
        page = caches.saying(*FRESH, policy=policy).says(status=status).says(*FRESH)
        assert page.fates((), ()) == ["miss", "hit"]
        assert page.get(method=method, body=b"abc").status == status
        assert page.get().number == 3


@pytest.mark.parametrize("status", [400, 404, 500, 503])
@pytest.mark.parametrize("method", METHODS)
def test_a_failure_of_an_unsafe_method_leaves_what_is_stored_rfc9111_4_4(caches, method, status):
    page = caches.saying(*FRESH).says(status=status)
    page.get()
    assert page.get(method=method, body=b"abc").status == status
    assert page.get().fate == "hit"


@pytest.mark.parametrize("method", ["OPTIONS", "PROPFIND", "SEARCH", "REPORT"])
def test_a_safe_method_leaves_what_is_stored_rfc9111_4_4(caches, method):
    page = caches.saying(*FRESH).says()
    page.get()
    assert page.get(method=method).number == 2
    assert page.get().fate == "hit"


@pytest.mark.parametrize("form", ["{path}", "http://plain.test{path}", "HTTP://PLAIN.test:80{path}", "../..{path}", "{path}#part", "//plain.test{path}"])
@pytest.mark.parametrize("field", ["Location", "Content-Location"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "M-SEARCH"])
def test_the_urls_that_the_answer_names_are_made_invalid_too_rfc9111_4_4(caches, method, field, form):
    other, page = caches.saying(*FRESH), caches.page()
    page.says(f"{field}: " + form.format(path=other.path))
    assert other.fates((), ()) == ["miss", "hit"]
    page.get(method=method, body=b"abc")
    assert other.get().fate == "miss"


def test_both_urls_of_one_answer_are_made_invalid_rfc9111_4_4(caches):
    one, two, page = caches.saying(*FRESH), caches.saying(*FRESH), caches.page()
    page.says("Location: " + one.path, "Content-Location: " + two.path, status=201)
    one.get(), two.get()
    page.get(method="POST", body=b"abc")
    assert (one.get().fate, two.get().fate) == ("miss", "miss")


@pytest.mark.parametrize("status", [200, 500])
def test_a_relative_url_is_resolved_against_the_request_rfc9111_4_4(caches, status):
    other, page = caches.page(path=f"/r{status}/d/other").says(*FRESH), caches.page(path=f"/r{status}/d/page").says("Location: other", status=status)
    other.get()
    page.get(method="PUT", body=b"abc")
    assert other.get().fate == ("miss" if status == 200 else "hit")


@pytest.mark.parametrize("host", ["http://other.test", "https://plain.test", "http://plain.test:8080"])
def test_urls_of_another_origin_are_left_alone_rfc9111_4_4(caches, host):
    page = caches.saying(*FRESH)
    keeper = caches.saying(f"Location: {host}{page.path}", f"Content-Location: {host}{page.path}")
    page.get()
    keeper.get(method="POST", body=b"abc")
    assert page.get().fate == "hit"


def test_all_variants_are_made_invalid_rfc9111_4_4(caches):
    page = caches.saying(*FRESH, "Vary: Foo").says(*FRESH, "Vary: Foo").says().says(*FRESH, "Vary: Foo")
    page.get("Foo: 1"), page.get("Foo: 2")
    page.get(method="POST", body=b"abc")
    assert page.fates("Foo: 1", "Foo: 2") == ["miss", "miss"]


def test_a_query_is_part_of_the_url_that_is_made_invalid_rfc9111_4_4(caches):
    page = caches.saying(*FRESH)
    page.get(query="?a=1"), page.get(query="?a=2")
    page.get(method="POST", body=b"abc", query="?a=1")
    assert (page.get(query="?a=2").fate, page.get(query="?a=1").fate) == ("hit", "miss")


def test_an_unsafe_method_makes_invalid_though_it_is_not_cached_itself_rfc9111_4_4(caches):
    page = caches.saying(*FRESH, policy="bypassing").says().says(*FRESH)
    page.get()
    page.get("Cookie: session=1", method="POST", body=b"abc")
    assert page.get().fate == "miss"


def grouped(caches, *groups, policy="plain"):
    return caches.saying(*FRESH, *(f"Cache-Groups: {group}" for group in groups), policy=policy)


def test_a_group_is_made_invalid_together_rfc9875_3(caches):
    pages = [grouped(caches, '"one-a"'), grouped(caches, '"x", "one-a";p=1'), grouped(caches, '"x"', '"one-a"'), grouped(caches, '"one-b"'), grouped(caches, '"ONE-A"'), caches.saying(*FRESH)]
    for page in pages:
        page.get()
    caches.saying('Cache-Group-Invalidation: "one-a"').get(method="POST", body=b"abc")
    assert [page.get().fate for page in pages] == ["miss", "miss", "miss", "hit", "hit", "hit"]


def test_a_group_is_one_also_where_its_field_is_taken_for_tags(caches):
    page = grouped(caches, '"own"', policy="grouping")
    assert page.fates((), ()) == ["miss", "hit"]
    caches.saying('Cache-Group-Invalidation: "own"', policy="grouping").get(method="POST", body=b"abc")
    assert page.get().fate == "miss"


def test_several_groups_are_made_invalid_by_one_answer_rfc9875_3(caches):
    pages = [grouped(caches, '"two-a"'), grouped(caches, '"two-b"'), grouped(caches, '"two-c"')]
    for page in pages:
        page.get()
    caches.saying('Cache-Group-Invalidation: "two-a"', 'Cache-Group-Invalidation: "two-b", "none"').get(method="DELETE")
    assert [page.get().fate for page in pages] == ["miss", "miss", "hit"]


@pytest.mark.parametrize("field, method", [('"three"', "GET"), ("three", "POST"), ('"three", (', "POST"), ("", "POST")])
def test_only_an_answer_to_an_unsafe_method_with_a_list_of_strings_invalidates_rfc9875_3(caches, field, method):
    page = grouped(caches, '"three"')
    page.get()
    caches.saying("Cache-Group-Invalidation: " + field).get(method=method, **({"body": b"abc"} if method == "POST" else {}))
    assert page.get().fate == "hit"


@pytest.mark.parametrize("field", [", ".join(f'"g{i}"' for i in range(200)), '"%s"' % ("x" * 2000)], ids=["many", "long"])
def test_groups_beyond_those_that_are_kept_take_rather_too_much_with_them_rfc9875_3(caches, field):
    page = grouped(caches, '"g199"')
    page.get()
    caches.saying("Cache-Group-Invalidation: " + field).get(method="POST", body=b"abc")
    assert page.get().fate == "miss"


def test_a_group_is_of_its_origin_alone_rfc9875_2(caches):
    here, there = grouped(caches, '"four"'), grouped(caches, '"four"', policy="open")
    here.get(), there.get()
    caches.saying('Cache-Group-Invalidation: "four"').get(method="POST", body=b"abc")
    assert (here.get().fate, there.get().fate) == ("miss", "hit")

