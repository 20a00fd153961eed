"""Makes certificate authorities, and the certificates, keys and OCSP responses that they sign, by the openssl command."""
import datetime
import hashlib
import itertools
import socket
import ssl
import subprocess
from pathlib import Path

_KEYS = {"ecdsa": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}
_CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
new_certs_dir = {folder}/issued
certificate = {folder}/authority.pem
private_key = {folder}/authority.key
default_md = sha256
rand_serial = yes
unique_subject = no
policy = anything
email_in_dn = no
copy_extensions = none
[anything]
commonName = optional
[request]
distinguished_name = nothing
[nothing]
[authority_extensions]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
"""


def openssl(*arguments):
    """What the command prints."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"openssl {arguments}: {done.stderr}"
    return done.stdout


def make_key(path, kind="ecdsa"):
    openssl("genpkey", *_KEYS[kind], "-out", path)
    return Path(path)


def _moment(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Issued:
    """A certificate with what signed it, in one file, and its key in another."""

    def __init__(self, names, certificate_file, key_file):
        self.names = names
        self.certificate_file = Path(certificate_file)
        self.key_file = Path(key_file)

    def document(self):
        """Its entry in `certificates` of a document."""
        return {"certificate_file": str(self.certificate_file), "private_key_file": str(self.key_file)}

    def serial(self):
        return openssl("x509", "-in", self.certificate_file, "-noout", "-serial").strip().partition("=")[2]

    def fingerprint(self):
        """SHA-256 of the leaf, hexadecimal, in lower case."""
        return openssl("x509", "-in", self.certificate_file, "-noout", "-fingerprint", "-sha256").strip().partition("=")[2].replace(":", "").lower()

    def replace_by(self, other):
        """What a renewal does: the files of this one hold the other, each put there whole."""
        for mine, new in ((self.key_file, other.key_file), (self.certificate_file, other.certificate_file)):
            beside = mine.with_name(mine.name + ".new")
            beside.write_bytes(new.read_bytes())
            beside.rename(mine)


class Authority:
    """Signs certificates; `signed_by` another it is an intermediate one. Its files lie below `folder`."""

    _numbers = itertools.count()

    def __init__(self, folder, name="authority", signed_by=None, key="ecdsa"):
        self.folder = Path(folder) / f"{name}-{next(self._numbers)}"
        (self.folder / "issued").mkdir(parents=True)
        (self.folder / "index.txt").touch()
        self.configuration = self.folder / "openssl.cnf"
        self.configuration.write_text(_CONFIGURATION.format(folder=self.folder))
        self.certificate = self.folder / "authority.pem"
        self.key = make_key(self.folder / "authority.key", key)
        self.above = []   # the intermediate ones, this first, that a server sends behind its own certificate
        if signed_by:
            request = self._request(self.key, name)
            signed_by._sign(request, self.certificate, "basicConstraints = critical, CA:true\nkeyUsage = keyCertSign, cRLSign, digitalSignature\n", -1, 365)
            self.above = [self.certificate, *signed_by.above]
        else:
            openssl("req", "-x509", "-new", "-config", self.configuration, "-key", self.key, "-subj", f"/CN={name}", "-days", 3650,
                    "-extensions", "authority_extensions", "-out", self.certificate)

    def _request(self, key, name):
        request = Path(key).with_suffix(".csr")
        openssl("req", "-new", "-config", self.configuration, "-key", key, "-subj", f"/CN={name}", "-out", request)
        return request

    def _sign(self, request, certificate, extensions, starts, ends):
        asked = Path(request).with_suffix(".ext")
        asked.write_text(extensions)
        openssl("ca", "-config", self.configuration, "-batch", "-notext", "-in", request, "-out", certificate, "-startdate", _moment(starts),
                "-enddate", _moment(ends), "-extfile", asked)

    def issue(self, *names, key="ecdsa", starts=-1, ends=90, client=False, more="", key_file=None):
        """A certificate for these DNS names (a wildcard is "*.name"; an address "IP:…"), valid from `starts` to `ends`, days
        from now: one with ends=-0.5 has expired. `client`: for clients, not for servers. `more`: lines of extensions."""
        stem = self.folder / f"leaf-{next(self._numbers)}"
        key_file = Path(key_file) if key_file else make_key(stem.with_suffix(".key"), key)
        alone = stem.with_suffix(".leaf")
        listed = ", ".join(name if name.startswith("IP:") else f"DNS:{name}" for name in names)
        extensions = f"basicConstraints = CA:false\nextendedKeyUsage = {'clientAuth' if client else 'serverAuth'}\n"
        self._sign(self._request(key_file, names[0].removeprefix("IP:")), alone, extensions + (f"subjectAltName = {listed}\n" if not client else "") + more, starts, ends)
        whole = stem.with_suffix(".pem")
        whole.write_text("".join(Path(part).read_text() for part in (alone, *self.above)))
        return Issued(list(names), whole, key_file)

    def expired(self, *names, **more):
        return self.issue(*names, starts=-30, ends=-1, **more)

    def revoke(self, issued):
        openssl("ca", "-config", self.configuration, "-revoke", issued.certificate_file)

    def ocsp(self, issued, path=None, days=2):
        """Writes a response about one of its certificates beside it, or to `path`."""
        path = Path(path or f"{issued.certificate_file}.ocsp")
        request = path.with_suffix(".request")
        openssl("ocsp", "-issuer", self.certificate, "-cert", issued.certificate_file, "-no_nonce", "-reqout", request)
        openssl("ocsp", "-index", self.folder / "index.txt", "-CA", self.certificate, "-rsigner", self.certificate, "-rkey", self.key,
                "-reqin", request, "-respout", path, "-ndays", days)
        return path


def unverified():
    """What a client takes any certificate by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def fingerprint_served(port, name):
    """SHA-256 of the certificate that a new connection gets which asks for `name`."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection, unverified().wrap_socket(connection, server_hostname=name) as secured:
        return hashlib.sha256(secured.getpeercert(binary_form=True)).hexdigest()
