"""bad-input.tsv as values: payloads unescaped, outcomes taken apart."""
import csv
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent


def unescape(text):
    return re.sub(rb"\\x([0-9a-fA-F]{2})|\\r|\\n|\\t|\\\\", lambda m: bytes([int(m[1], 16)]) if m[1] else
                  {b"\\r": b"\r", b"\\n": b"\n", b"\\t": b"\t", b"\\\\": b"\\"}[m[0]], text.encode("latin-1", "backslashreplace"))


def get(fields=b"", line=b"GET / HTTP/1.1"):
    return line + b"\r\nHost: a.test\r\n" + fields + b"\r\n"


CHUNKED = b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"

# The rows whose payload is described in words.
WRITTEN = {
    "H1-047": CHUNKED + b"".join(b"1;" + b"e" * 200 + b"\r\nx\r\n" for _ in range(201)) + b"0\r\n\r\n",
    "H1-059": CHUNKED + b"0\r\n" + b"X-T: 1\r\n" * 3000 + b"\r\n",
    "H1-080": b"\r\n" * 5000 + get(),
    "H1-099": b"A" * 300 + b" / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "H1-113": b"GET /" + b"a" * 200000,
    "H1-134": get(b"".join(b"X-%d: 1\r\n" % i for i in range(300))),
    "H1-137": get(b"Cookie: " + b"; ".join(b"c%04d=vvvv" % i for i in range(3000)) + b"\r\n"),
    "H1-138": get(b"Range: bytes=" + b",".join(b"%d-%d" % (i, i) for i in range(1000)) + b"\r\n"),
    "H1-142": get(b"If-Modified-Since: " + b"1" * 4000 + b"\r\nIf-None-Match: " + b", ".join(b'"%d"' % i for i in range(900)) + b"\r\n"),
}


def rows():
    with open(HERE / "bad-input.tsv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def payload(row):
    return WRITTEN.get(row["id"]) or unescape(row["payload"])


# Where a row leaves the choice, and we take what it names second: an encoded NUL is never decoded, and ranges are the
# origin's business. Everywhere else its first status is the one that passes.
ALTERNATIVE = {"H1-109": "status=200 upstream=1", "H1-140": "status=200 upstream=1"}


def outcome(row):
    """The words of the outcome that passes."""
    return ALTERNATIVE.get(row["id"], row["expected"])


def status(row):
    """The one status that passes; an origin that is asked says 200."""
    named = re.search(r"status=(\d{3}|upstream)", outcome(row))[1]
    return 200 if named == "upstream" else int(named)
