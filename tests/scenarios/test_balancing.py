"""Which target a request goes to: by algorithm, weight, key, cookie and what all workers know."""
import collections
import concurrent.futures
import threading

from client import Client, exchange, get
from named_origins import NamedOrigins
from origin import Origin, ok
from proxyd import Proxyd, eventually

THREE = {"a": {}, "b": {}, "c": {}}


def test_round_robin_is_one_sequence_for_all_workers():
    with NamedOrigins({"a": {"weight": 500}, "b": {"weight": 100}, "c": {"weight": 100}}, {"balance": "round_robin"}, workers=4) as site:
        assert "".join(site.names(14)) == "aabacaaaabacaa"


def test_least_requests_goes_around_a_target_that_is_busy():
    gate = threading.Event()
    with NamedOrigins(THREE, {"balance": "least_requests"}, workers=2) as site:
        site.scripts["a"] = lambda request: [gate, ok(b"a")]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = []
            while not any(name == "a" for name, _ in site.asked):
                waiting.append(pool.submit(site.names, 1))
                eventually(lambda: len(site.asked) == len(waiting))
            assert set(site.names(20)) == {"b", "c"}
            gate.set()
            assert "a" in [future.result()[0] for future in waiting]


def test_a_key_goes_to_one_target_whichever_worker_gets_it():
    with NamedOrigins(THREE, {"balance": "consistent_hash", "hash_key": "header:X-Tenant"}, workers=4) as site:
        seen = collections.defaultdict(set)
        for _ in range(3):
            for tenant in range(30):
                seen[tenant].update(site.names(1, get(b"/", b"X-Tenant: t%d" % tenant)))
        assert all(len(names) == 1 for names in seen.values())
        assert set().union(*seen.values()) == set(THREE)


def test_a_request_without_the_key_is_hashed_by_the_fallback():
    with NamedOrigins(THREE, {"balance": "consistent_hash", "hash_key": "cookie:session", "hash_fallback": "path"}) as site:
        assert len(set(site.names(10, get(b"/one")))) == 1
        assert len({site.names(1, get(b"/%d" % n))[0] for n in range(40)}) == 3
        same = {site.names(1, get(b"/%d" % n, b"Cookie: session=x"))[0] for n in range(20)}
        assert len(same) == 1


def test_keys_of_a_drained_target_move_along_the_ring_and_come_back():
    with NamedOrigins(THREE, {"balance": "consistent_hash", "hash_key": "query:k"}) as site:
        def all_keys():
            return {k: site.names(1, get(b"/?k=%d" % k))[0] for k in range(40)}
        before = all_keys()
        assert site.proxyd.proxyctl("upstream", "drain", "app", "b").returncode == 0
        during = all_keys()
        assert all(during[k] == name for k, name in before.items() if name != "b")
        assert "b" not in during.values() and "b" in before.values()
        assert site.proxyd.proxyctl("upstream", "ready", "app", "b").returncode == 0
        assert all_keys() == before


def cookie_of(response):
    value = response.value("Set-Cookie")
    return value.split(";")[0].encode() if value else None


def test_a_sticky_client_goes_where_it_went_and_nobody_else_sees_its_cookie():
    with NamedOrigins(THREE, {"sticky": {"cookie": "at", "ttl": "1h"}}, workers=2) as site:
        first = exchange(site.port, get())
        cookie = cookie_of(first)
        assert first.value("Set-Cookie").endswith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600")
        assert set(site.names(12, get(b"/", b"Cookie: a=1; " + cookie + b"; b=2"))) == {first.body.decode()}
        assert exchange(site.port, get(b"/", b"Cookie: " + cookie)).value("Set-Cookie") is None
        sent = [request.values("Cookie") for _, request in site.asked]
        assert sent == [[]] + [["a=1; b=2"]] * 12 + [[]]


def test_a_sticky_client_stays_through_a_drain_and_leaves_a_dead_target():
    with NamedOrigins(THREE, {"sticky": {"cookie": "at"}}) as site:
        first = exchange(site.port, get())
        name, sticky = first.body.decode(), get(b"/", b"Cookie: " + cookie_of(first))
        site.proxyd.proxyctl("upstream", "drain", "app", name)
        assert set(site.names(8, sticky)) == {name} and name not in site.names(20)
        site.proxyd.proxyctl("upstream", "maintenance", "app", name)
        moved = exchange(site.port, sticky)
        assert moved.body.decode() != name and cookie_of(moved)


def test_a_forged_cookie_is_no_place_and_is_replaced():
    with NamedOrigins(THREE, {"sticky": {"cookie": "at"}}) as site:
        for forged in (b"at=a", b"at=", b"at=" + b"0" * 20):
            assert cookie_of(exchange(site.port, get(b"/", b"Cookie: " + forged)))


def test_a_mark_outlives_a_restart_of_the_master(tmp_path):
    with NamedOrigins(THREE, {"sticky": {"cookie": "at"}}, state=str(tmp_path)) as site:
        first = exchange(site.port, get())
        site.proxyd.stop()
        site.proxyd = Proxyd(site.document, state=str(tmp_path))
        assert set(site.names(8, get(b"/", b"Cookie: " + cookie_of(first)))) == {first.body.decode()}


def test_our_cookie_reaches_no_other_upstream_of_the_host_either():
    other = Origin()
    with NamedOrigins(THREE, {"sticky": {"cookie": "at"}}) as site:
        site.document["upstreams"]["other"] = {"targets": {"x": {"address": other.address}}}
        site.document["hosts"]["all"]["routes"].insert(0, {"name": "o", "match": {"path": "/o"}, "upstream": "other"})
        site.proxyd.apply(site.document)
        exchange(site.port, get(b"/o", b"Cookie: a=1;\tat=x; b=2"))
        assert other.requests[0].values("Cookie") == ["a=1; b=2"]
    other.stop()


def test_a_long_cookie_field_loses_ours_alone():
    pairs = b"; ".join(b"c%d=%s" % (n, b"v" * 50) for n in range(120))
    with NamedOrigins(THREE, {"sticky": {"cookie": "at"}}) as site:
        cookie = cookie_of(exchange(site.port, get()))
        assert exchange(site.port, get(b"/", b"Cookie: " + pairs + b"; " + cookie)).status == 200
        assert site.asked[-1][1].values("Cookie") == [pairs.decode()]


def test_two_sticky_upstreams_of_one_host_may_not_share_a_cookie():
    with NamedOrigins({"a": {}}, {"sticky": {"cookie": "at"}}) as site:
        document = dict(site.document)
        document["upstreams"]["other"] = {"sticky": {"cookie": "at"}, "targets": {"x": {"address": "127.0.0.1:9"}}}
        document["hosts"]["all"]["routes"].append({"name": "o", "match": {"path": "/o"}, "upstream": "other"})
        status, answer = site.proxyd.api("PUT", "/api/v1/config", document)
        assert status == 422 and answer["errors"][0]["code"] == "clash", answer


def held(site, gate):
    """A script that answers when the gate opens."""
    return lambda request: [gate, ok(b"held")]


def test_requests_wait_in_line_for_room_in_the_order_they_came():
    gate = threading.Event()
    with NamedOrigins({"a": {"max_connections": 1}}, {"queue": {"wait": "20s"}}) as site:
        site.scripts["a"] = lambda request: [gate, ok(request.target.encode())] if request.target == "/first" else ok(request.target.encode())
        with concurrent.futures.ThreadPoolExecutor() as pool:
            first = pool.submit(exchange, site.port, get(b"/first"))
            eventually(lambda: len(site.asked) == 1)
            others = []
            for n in range(5):
                others.append(pool.submit(exchange, site.port, get(b"/%d" % n)))
                eventually(lambda: site.proxyd.metric("proxyd_upstream_queued_total") == n + 1)
            gate.set()
            assert [first.result().status] + [other.result().status for other in others] == [200] * 6
        assert [request.target for _, request in site.asked] == ["/first", "/0", "/1", "/2", "/3", "/4"]


def test_who_finds_the_line_full_or_waits_too_long_gets_503():
    gate = threading.Event()
    with NamedOrigins({"a": {"max_connections": 1}}, {"queue": {"size": 1, "wait": "3s"}}, workers=2) as site:
        site.scripts["a"] = held(site, gate)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            first = pool.submit(exchange, site.port)
            eventually(lambda: len(site.asked) == 1)
            late = pool.submit(exchange, site.port)
            eventually(lambda: site.proxyd.metric("proxyd_upstream_queued_total") == 1)
            assert exchange(site.port).status == 503 and not late.done()
            response = late.result()
            assert response.status == 503 and "connection_limit_reached" in response.value("Proxy-Status")
            gate.set()
            assert first.result().status == 200


def test_max_connections_holds_over_all_workers():
    gate = threading.Event()
    with NamedOrigins({"a": {"max_connections": 3}}, {"queue": {"wait": "30s", "size": 100}}, workers=4) as site:
        now, most, lock = [0], [0], threading.Lock()

        def answer(request):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            gate.wait(0.005)
            with lock:
                now[0] -= 1
            return ok(b"a")
        site.scripts["a"] = answer
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            assert {response.status for response in pool.map(lambda _: exchange(site.port), range(240))} == {200}
        assert most[0] <= 3


def test_without_a_queue_nobody_waits():
    gate = threading.Event()
    with NamedOrigins({"a": {"max_connections": 1}}, {"queue": "off"}) as site:
        site.scripts["a"] = held(site, gate)
        with Client(site.port) as client:
            client.send(get())
            eventually(lambda: len(site.asked) == 1)
            assert exchange(site.port).status == 503
            gate.set()
            assert client.response().status == 200


def test_a_client_says_how_long_it_waits():
    gate = threading.Event()
    with NamedOrigins({"a": {}}, document={"defaults": {"timeouts": {"deadline_header": "X-Deadline"}}}) as site:
        site.scripts["a"] = held(site, gate)
        response = exchange(site.port, get(b"/", b"X-Deadline: 200ms"))
        assert response.status == 504 and "http_response_timeout" in response.value("Proxy-Status")
        for wrong in (b"soon", b"-1", b"1 s", b""):
            assert exchange(site.port, get(b"/", b"X-Deadline: " + wrong)).status == 400, wrong
        gate.set()
        assert exchange(site.port, get(b"/", b"X-Deadline: 20")).status == 200
        assert site.health("a")["failures_in_a_row"] == 0, "a client's haste is no fault of the target"


def test_explain_tells_who_may_get_the_request():
    with NamedOrigins({"a": {}, "b": {"weight": 0}}, {"balance": "least_requests"}) as site:
        forward = site.proxyd.api("POST", "/api/v1/explain", {"url": "http://a.test/"})[1]["action"]["forward"]
        assert forward["balance"] == "least_requests"
        assert {t["id"]: t["eligible"] for t in forward["targets"]} == {"a": True, "b": False}


def test_requests_of_many_connections_are_shared_by_weight():
    targets = {"a": {"weight": 300}, "b": {"weight": 100}, "c": {"weight": 200}}
    for balance in ("p2c", "round_robin", "least_requests"):
        with NamedOrigins(targets, {"balance": balance}, workers=2) as site:
            def ask(_):
                with Client(site.port) as client:
                    for _ in range(15):
                        client.send(get())
                        assert client.response().status == 200
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                list(pool.map(ask, range(200)))
            counts = collections.Counter(name for name, _ in site.asked)
            shares = {name: counts[name] / 3000 for name in targets}
            assert abs(shares["a"] - 1 / 2) < 0.05 and abs(shares["b"] - 1 / 6) < 0.05, (balance, shares)


def test_a_storm_of_failures_is_sent_again_within_the_budget_alone():
    gate = threading.Event()
    retry = {"retries": 3, "when": ["connect_error", "reset_before_response", "503"], "budget_percent": 20}
    with NamedOrigins({"a": {}, "b": {}}, {"retry": retry, "health": {"passive": "off"}}, workers=4) as site:
        now, most, lock = [0], [0], threading.Lock()
        failing = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

        def answer(request):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            gate.wait(0.02)
            with lock:
                now[0] -= 1
            return failing
        site.scripts.update(a=answer, b=answer)
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            assert set(pool.map(lambda _: exchange(site.port).status, range(600))) == {503}
        retries = site.proxyd.metric("proxyd_upstream_retries_total")
        assert len(site.asked) == 600 + retries
        # At most 20 % of a hundred at once run again: of six rounds of a hundred no more than twenty each, each up to
        # three times.
        assert 0 < retries <= 600 * 0.2 * 3, retries
