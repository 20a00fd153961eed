"""Floods of HTTP/2 in short (tests/campaigns/floods.py): others are served, the attacker is cut off, the origin is spared."""
import select
import socket

import pytest
from attacker import CALM, FLOODS
from flooded_site import FloodedSite
from http2_frames import GOAWAY, PREFACE, SETTINGS, Incoming, frame

pytestmark = pytest.mark.alone
SECONDS = 1


def check(site, flood):
    assert site.round(SECONDS, flood).faults(int(SECONDS * site.RATE)) == []
    assert site.workers_are_the_same()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with FloodedSite(tmp_path_factory.mktemp("certificates")) as running:
        yield running


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_cut_off_and_everybody_else_is_served(site, flood):
    check(site, flood)


def test_a_flood_over_tls_is_cut_off_and_everybody_else_is_served(tmp_path):
    with FloodedSite(tmp_path, over="tls") as secure:
        for flood in ("rapid-reset", "reset-by-window-overflow", "empty-data"):
            check(secure, flood)


@pytest.mark.parametrize("flood", ["late-reset", "late-overflow"])
def test_of_requests_that_are_reset_once_they_run_no_more_than_a_hundred_run_at_once(site, flood):
    most = []
    while len(most) < 8 and max(most, default=0) <= 20:   # the origin may be too slow to see them before their end
        most.append(site.round(SECONDS, flood).most_running)
    assert 20 < max(most) <= 100, most


def told_to_calm_down(site):
    """A client that was, with some of what it sent still not read."""
    client = socket.create_connection(("127.0.0.1", site.port), 10)
    client.sendall(PREFACE + frame(SETTINGS) + FLOODS["rapid-reset"]()[:60_000])
    incoming, goaways = Incoming(), []
    while not goaways:
        octets = client.recv(65536)
        assert octets, "ended without a word"
        goaways = [payload for kind, _, _, payload in incoming.take(octets) if kind == GOAWAY]
    assert goaways[0][4:8] == CALM
    return client


def test_nothing_more_is_taken_from_a_client_that_was_told_to_calm_down(site):
    with told_to_calm_down(site) as client:
        sent, most = 0, 16 << 20   # the kernels of both sides keep less
        client.setblocking(False)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while sent < most and select.select([], [client], [], 10)[1]:
                sent += client.send(b"\0" * 65536)


def test_a_client_that_was_told_to_calm_down_and_stays_is_cut_off(site):
    with told_to_calm_down(site) as client, pytest.raises(ConnectionResetError):
        assert client.recv(1) == b"", "more was said"
