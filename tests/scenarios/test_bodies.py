"""Content of every size, both ways, by each pair of protocols: the same octets arrive, and the trailers behind them."""
import bulk
import bulk_http2
import pytest
from bulk import BulkOrigin
from certificates import Authority, unverified
from proxyd import Proxyd, free_port, site
from scale import scaled

SIZES = (0, 1, 1000, 16_384, 65_535, 65_536, (1 << 20) + 1, scaled(16 << 20, 1 << 30))
DOWNSTREAM = ("h1", "h1-tls", "h2c", "h2")
UPSTREAM = ("h1", "h2c", "h2")


class Chain:
    """proxyd before a bulk origin; before proxyd once more where it is to be spoken to by HTTP/2."""

    def __init__(self, folder, upstream):
        self.origin, self.plain, self.secure, self.running = BulkOrigin(), free_port(), free_port(), []
        self.certificates = {"bulk": Authority(folder).issue("bulk.test").document()}
        address, protocol = self.origin.address, {}
        if upstream != "h1":
            behind = free_port()
            between = site(behind, address)
            self._add_listener(between["listeners"]["main"], between, secure=upstream == "h2")
            self.running.append(Proxyd(between))
            address = f"127.0.0.1:{behind}"
            protocol = {"protocol": upstream, **({"tls": {"verify": False, "sni": "bulk.test"}} if upstream == "h2" else {})}
        document = site(self.plain, address)
        document["upstreams"]["app"].update(protocol)
        self._add_listener(document["listeners"]["main"], document, secure=False)
        document["listeners"]["secure"] = {"address": f"127.0.0.1:{self.secure}"}
        self._add_listener(document["listeners"]["secure"], document, secure=True)
        self.running.append(Proxyd(document))

    def _add_listener(self, listener, document, secure):
        if secure:
            document["certificates"] = self.certificates
        listener.update({"tls": {}} if secure else {"protocols": ["h1", "h2c"]})

    def transfer(self, downstream, way, octets, chunked):
        client = bulk_http2 if downstream.startswith("h2") else bulk
        secure = downstream in ("h1-tls", "h2")
        return getattr(client, way)(self.secure if secure else self.plain, octets, chunked, unverified() if secure else None)

    def stop(self):
        for one in reversed(self.running):
            one.stop()
        self.origin.stop()


@pytest.fixture(scope="module", params=UPSTREAM)
def chain(request, tmp_path_factory):
    made = Chain(tmp_path_factory.mktemp("certificates"), request.param)
    yield made
    made.stop()


@pytest.mark.parametrize("octets", SIZES)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("way", ["download", "upload"])
@pytest.mark.parametrize("downstream", DOWNSTREAM)
def test_content_arrives_as_it_was_sent_and_its_trailers_behind_it(chain, downstream, way, chunked, octets):
    assert chain.transfer(downstream, way, octets, chunked) == octets
