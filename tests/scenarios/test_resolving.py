"""Names of targets: found by the master's DNS, asked again when their time is over, and members come and go with them."""
import collections
import contextlib
import threading

from client import Client, exchange, get
from name_server import NameServer
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site

APP = "/api/v1/upstreams/app"


def origins(count):
    """As many, each on an address of its own and all on one port, that say which they are."""
    while True:
        port, made = free_port(), []
        try:
            for number in range(count):
                host = f"127.0.0.{number + 2}"
                made.append(Origin(lambda request, host=host: ok(host.encode()), at=(host, port)))
            return port, made
        except OSError:
            for one in made:
                one.stop()


@contextlib.contextmanager
def world(count, document=lambda document: document, workers=1, **records):
    """A site of one target, app.test, and origins that it may be at."""
    with NameServer() as names:
        port, made = origins(count)
        for name, addresses in records.items():
            names.set(name + ".test", *addresses)
        front = free_port()
        with Proxyd(document(site(front, f"app.test:{port}")), workers=workers, environment=names.environment) as proxyd:
            yield proxyd, names, front, made, port
        for one in made:
            one.stop()


def addresses(proxyd, target="one"):
    shown = {one["id"]: one for one in proxyd.api("GET", APP)[1]["targets"]}[target]
    return sorted(one["address"].rsplit(":", 1)[0] for one in shown["addresses"])


def answered_by(front, requests=24):
    return set(exchange(front).body.decode() for _ in range(requests))


def test_each_address_of_a_name_is_a_member_that_joins_and_leaves_as_the_answers_say():
    with world(3, app=["127.0.0.2", "127.0.0.3"]) as (proxyd, names, front, made, port):
        assert addresses(proxyd) == ["127.0.0.2", "127.0.0.3"]
        assert answered_by(front) == {"127.0.0.2", "127.0.0.3"}
        revision = proxyd.api("GET", "/api/v1/config")[1]
        names.set("app.test", "127.0.0.3", "127.0.0.4")
        eventually(lambda: addresses(proxyd) == ["127.0.0.3", "127.0.0.4"], what="the new addresses")
        assert answered_by(front) == {"127.0.0.3", "127.0.0.4"}
        eventually(lambda: made[0].open == 0, what="the idle connections to the address that left are closed")
        assert proxyd.api("GET", "/api/v1/config")[1] == revision
        names.set("app.test", *[f"127.0.1.{n}" for n in range(1, 100)])   # too many for UDP, and for us
        eventually(lambda: len(addresses(proxyd)) == 64, what="an answer over TCP")


def test_what_is_not_answered_or_denied_keeps_the_addresses_and_says_so_once():
    with world(1, app=["127.0.0.2"]) as (proxyd, names, front, made, port):
        for turn, how in enumerate(("SERVFAIL", "NXDOMAIN"), 1):
            names.fail("app.test", how)
            before = names.times("app.test")
            told = eventually(lambda: proxyd.attention().get("resolve-failed"), what="the attention")
            assert f"'app.test:{port}' does not resolve any more" in told["message"], told
            eventually(lambda: names.times("app.test") >= before + 2, what="another try")
            assert exchange(front).body == b"127.0.0.2"
            assert proxyd.logs().count("does not resolve any more") == turn, proxyd.logs()
            names.set("app.test", "127.0.0.2")
            eventually(lambda: "resolve-failed" not in proxyd.attention(), what="the end of the attention")
            assert proxyd.logs().count("is resolved again") == turn, proxyd.logs()


def test_a_name_that_does_not_resolve_is_checking_until_it_does():
    with world(1) as (proxyd, names, front, made, port):
        shown = proxyd.api("GET", APP)[1]["targets"][0]
        assert (shown["state"], shown["addresses"]) == ("checking", []) and "does not resolve" in shown["reason"]
        assert exchange(front).status == 503 and "unresolved" in proxyd.attention()
        names.set("app.test", "127.0.0.2")
        eventually(lambda: exchange(front).status == 200, what="an answer")
        assert "unresolved" not in proxyd.attention()


def test_the_upstream_says_which_family_is_used_and_for_how_long_an_answer_is_good():
    def bounded(document):
        document["upstreams"]["app"]["resolve"] = {"family": "v6", "min_ttl": "1h", "max_ttl": "1h"}
        document["upstreams"]["other"] = {"targets": {"one": {"address": "other.test:80"}}, "resolve": {"family": "v4"}}
        return document
    with world(1, bounded, other=["127.0.0.9"]) as (proxyd, names, front, made, port):
        assert names.times("app.test", "AAAA") > 0 and names.times("app.test", "A") == 0
        assert names.times("other.test", "AAAA") == 0
        names.set("app.test", "::1", type="AAAA")
        eventually(lambda: addresses(proxyd) == ["[::1]"], what="the address")
        asked, others = names.times("app.test", "AAAA"), names.times("other.test")
        eventually(lambda: names.times("other.test") >= others + 2, what="the other is asked again")
        assert names.times("app.test", "AAAA") == asked


def test_requests_at_an_address_that_left_finish_and_count_for_their_target_until_they_are_cut():
    never, late = threading.Event(), threading.Event()
    with world(2, app=["127.0.0.2"], workers=2) as (proxyd, names, front, made, port):
        made[0].early = lambda request: {"/late": [late, ok(b"late")], "/never": [never]}.get(request.target)
        with Client(front) as finishing, Client(front) as cut:
            finishing.send(get(b"/late"))
            cut.send(get(b"/never"))
            eventually(lambda: len(made[0].requests) == 2, what="both at the origin")
            names.set("app.test", "127.0.0.3")
            eventually(lambda: addresses(proxyd) == ["127.0.0.3"], what="the new address")
            assert exchange(front).body == b"127.0.0.3"
            eventually(lambda: [(shown["in_flight"], shown["addresses"][0]["in_flight"]) for shown in proxyd.api("GET", APP)[1]["targets"]] == [(2, 0)])
            late.set()
            assert finishing.response().body == b"late"
            removed = proxyd.proxyctl("upstream", "target", "remove", "app", "one", "--force", "--yes")
            assert removed.returncode == 9, (removed.stdout, removed.stderr)
            assert cut.response().status in (502, 503)
        never.set()


def test_an_srv_target_has_the_ports_shares_and_reserves_of_its_records():
    def by_service(document):
        document["upstreams"]["app"]["balance"] = "round_robin"
        document["upstreams"]["app"]["targets"]["one"]["address"] = "srv:_http._tcp.app.test"
        document["upstreams"]["app"]["host"] = "target"
        return document
    with NameServer() as names, contextlib.ExitStack() as stack:
        one, two, reserve = (Origin(lambda request, name=name: ok(name)) for name in (b"one", b"two", b"reserve"))
        for origin in (one, two, reserve):
            stack.callback(origin.stop)
        ports = [int(origin.address.rsplit(":", 1)[1]) for origin in (one, two, reserve)]
        names.set("a.test", "127.0.0.1")
        names.set("_http._tcp.app.test", (10, 30, ports[0], "a.test"), (10, 10, ports[1], "a.test"), (20, 1, ports[2], "a.test"), type="SRV")
        front = free_port()
        with Proxyd(by_service(site(front, "")), environment=names.environment) as proxyd:
            told = collections.Counter(exchange(front).body for _ in range(40))
            assert told == {b"one": 30, b"two": 10}
            assert one.requests[0].values("Host") == ["app.test"]
            names.set("_http._tcp.app.test", (20, 1, ports[2], "a.test"), type="SRV")
            eventually(lambda: len(addresses(proxyd)) == 1, what="the new records")
            assert exchange(front).body == b"reserve"


def test_answers_that_change_under_load_fail_no_request():
    with world(4, app=["127.0.0.2", "127.0.0.3"], workers=2) as (proxyd, names, front, made, port):
        failed, done, over = [], [0], threading.Event()

        def load():
            with Client(front) as client:
                while not over.is_set():
                    client.send(get())
                    response = client.response()
                    done[0] += 1
                    if response.status != 200:
                        failed.append(response)
        clients = [threading.Thread(target=load) for _ in range(8)]
        for client in clients:
            client.start()
        for turn in range(4):
            hosts = [f"127.0.0.{2 + (turn + n) % 4}" for n in (1, 2)]
            names.set("app.test", *hosts)
            eventually(lambda: addresses(proxyd) == sorted(hosts), what="the new addresses")
        over.set()
        for client in clients:
            client.join()
        assert not failed and done[0] > 100, (failed, done)
