import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))


def pytest_configure(config):
    config.addinivalue_line("markers", "rows(ids): the rows of bad-input.tsv whose outcome the test checks")
