"""Every row of bad-input.tsv has a test, or the feature that brings it is named here."""
import re
from pathlib import Path

import bad_input
from test_bad_input import ELSEWHERE
from test_http2_bad_input import ROWS as HTTP2_ROWS
from test_http2_bad_input import TIMED

AREAS = ("h1/", "h2/", "tls", "upstream", "resource", "cache")
LATER = {
    "health checks": {"UP-038"},
    "adoption and upgrade": {"RS-012", "RS-021", "RS-022"},
}
TESTS = Path(__file__).resolve().parents[1]


def marked():
    """What tests say they cover, by the mark `rows`."""
    text = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    return {row for marks in re.findall(r"mark\.rows\(([^)]*)\)", text) for row in re.findall(r'"([A-Z0-9-]+)"', marks)}


def test_every_row_of_the_areas_served_has_a_test():
    later = set().union(*LATER.values())
    by_table = {row["id"] for row in bad_input.rows() if row["area"].startswith("h1/")} - ELSEWHERE
    by_table |= {row["id"] for row in HTTP2_ROWS} - TIMED
    wanted = {row["id"] for row in bad_input.rows() if row["area"].startswith(AREAS)} | {"AD-034"}
    assert not wanted - by_table - marked() - later
    assert not later & marked(), "what has a test is no longer later"


def test_every_mark_names_a_row_that_there_is():
    assert not marked() - {row["id"] for row in bad_input.rows()}
