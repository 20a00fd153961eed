"""Steps of the machine's wall clock make nothing immortal and nothing stale (RFC 9111 4.2.3)."""
import subprocess
from pathlib import Path

import pytest
from pages import Caches, date
from proxyd import eventually

SOURCE = Path(__file__).resolve().parents[1] / "support" / "stepped_clock.c"


@pytest.mark.rows("CA-037")
@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_step_of_the_wall_clock_changes_no_lifetime(tmp_path, step):
    library, seconds = tmp_path / "clock.so", tmp_path / "seconds"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    seconds.write_text("0")
    with Caches({"plain": {}}, environment={"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(seconds)}) as caches:
        long, short = caches.saying("Cache-Control: max-age=60"), caches.saying("Cache-Control: max-age=2")
        said = long.get().value("Date")
        short.get()
        seconds.write_text(str(step))
        probe = caches.page().says("Cache-Control: no-store", "Date: none")
        eventually(lambda: abs(hours(probe.get().value("Date")) - hours(date(step))) < 0.1, what="the step of the clock")
        for _ in range(3):
            hit = long.get()
            assert (hit.fate, hit.value("Date")) == ("hit", said) and hit.age <= 30
        eventually(lambda: short.get().number > 1, what="the end of a lifetime of two seconds")
        stored = caches.saying("Cache-Control: max-age=60", "Date: none")
        assert stored.fates((), ()) == ["miss", "hit"] and stored.get().age <= 30


def hours(text):
    from email.utils import parsedate_to_datetime
    return parsedate_to_datetime(text).timestamp() / 3600
