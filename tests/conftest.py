"""What many tests begin with. A test file with a world of its own kind has its own fixture of that name."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))
from admin import serving
from origin import Origin
from proxyd import Proxyd, free_port, site


@pytest.fixture
def origin():
    made = Origin()
    yield made
    made.stop()


@pytest.fixture
def world(origin):
    """One worker, and all requests to one origin."""
    port = free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        yield proxyd, origin, port


@pytest.fixture(scope="module")
def proxyd():
    """One whose API is on TCP too, shared by the tests of a file."""
    with serving() as running:
        yield running



def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures what other work on the machine changes, so nothing runs beside it")
    config.addinivalue_line("markers", "rows(ids): the rows of bad-input.tsv whose outcome the test checks")
