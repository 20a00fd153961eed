#!/usr/bin/python3
"""make_certificates.py FOLDER: what the unit tests of certificates read."""
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "support"))
from certificates import Authority, openssl   # noqa: E402

FOLDER = Path(sys.argv[1])
root = Authority(FOLDER, "root")
middle = Authority(FOLDER, "middle", signed_by=root)


def keep(name, issued):
    shutil.copy(issued.certificate_file, FOLDER / f"{name}.pem")
    shutil.copy(issued.key_file, FOLDER / f"{name}.key")


site = middle.issue("www.test", "*.Shop.test", "IP:192.0.2.1", "IP:2001:db8::1")
keep("site", site)
keep("rsa", root.issue("rsa.test", key="rsa"))
keep("expired", root.expired("old.test"))
weak = FOLDER / "weak.key"
openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", weak)
shutil.copy(root.issue("weak.test", key_file=weak).certificate_file, FOLDER / "weak.pem")
openssl("pkey", "-in", site.key_file, "-aes256", "-passout", "pass:secret", "-out", FOLDER / "encrypted.key")
openssl("pkey", "-in", site.key_file, "-traditional", "-out", FOLDER / "traditional.key")
shutil.copy(middle.certificate, FOLDER / "middle.pem")
shutil.copy(root.certificate, FOLDER / "root.pem")
other = middle.issue("other.test")
middle.ocsp(site, FOLDER / "good.ocsp")
middle.ocsp(other, FOLDER / "other.ocsp")
middle.revoke(site)
middle.ocsp(site, FOLDER / "revoked.ocsp")
