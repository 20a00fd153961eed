"""One proxyd for all tests of the cache, with a host for each policy."""
import pytest
from pages import OPEN, Caches

POLICIES = {
    "plain": {},
    "open": OPEN,
    "heuristic": {"heuristic": "on"},
    "sturdy": {"stale_if_error": "1h"},
    "prolonged": {"stale_while_revalidate": "1h", "stale_if_error": "1h"},
    "ttl": {"default_ttl": {"200": "1h", "404": "1h"}, "min_ttl": "1m", "max_ttl": "2h"},
    "knowing": {"default_ttl": {"200": "1h"}, "ignore_cookies": True},
    "cookies": {"default_ttl": {"200": "1h"}, "key": {"cookies": ["currency"]}},
    "keyed": {"key": {"query": {"except": ["utm_*"]}, "headers": ["X-Country"], "cookies": ["currency"]}},
    "versioned": {"key": {"query": {"only": ["v"]}}},
    "bypassing": {"bypass": {"cookies": ["session", "wp_*"], "headers": ["X-Skip"], "query": ["preview"], "paths": ["/cart*"]}},
    "ignoring": {"ignore": ["Cache-Control", "Expires", "Pragma", "Vary"], "default_ttl": {"200": "1h"}},
    "tagged": {"tags": {"headers": ["Surrogate-Key", "Cache-Tag"], "expose": True}},
    "grouping": {"tags": {"headers": ["Cache-Groups"]}},
    "small": {"max_object": "4KiB"},
    "cookieless": {"store_set_cookie": "strip"},
    "getonly": {"methods": ["GET"]},
    "edge": {"targeted": ["Edge-Cache-Control"]},
}


@pytest.fixture(scope="session")
def caches():
    with Caches(POLICIES) as running:
        yield running
        assert [worker["restarts"] for worker in running.proxyd.workers()] == [0], running.proxyd.logs()
