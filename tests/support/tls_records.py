"""Records of TLS 1.3 that no library would send, behind a handshake by one: its secrets come from the key log."""
import ctypes
import hmac
import socket
import ssl

HANDSHAKE, APPLICATION_DATA = 22, 23
_CIPHERS = {"TLS_AES_128_GCM_SHA256": ("sha256", "EVP_aes_128_gcm", 16), "TLS_AES_256_GCM_SHA384": ("sha384", "EVP_aes_256_gcm", 32),
            "TLS_CHACHA20_POLY1305_SHA256": ("sha256", "EVP_chacha20_poly1305", 32)}
_GET_TAG = 16
_crypto = ctypes.CDLL("libcrypto.so.3")
_crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p


def _expand(secret, label, size, name):
    """HKDF-Expand-Label (RFC 8446 7.1) for what is no longer than a hash."""
    full = b"tls13 " + label
    return hmac.new(secret, size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0\1", name).digest()[:size]


def _seal(cipher, key, nonce, text, associated):
    """AEAD (RFC 5116) of a few octets."""
    method = getattr(_crypto, cipher)
    method.restype = ctypes.c_void_p
    context, out, size = ctypes.c_void_p(_crypto.EVP_CIPHER_CTX_new()), ctypes.create_string_buffer(len(text) + 16), ctypes.c_int()
    done = [_crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(method()), None, key, nonce),
            _crypto.EVP_EncryptUpdate(context, None, ctypes.byref(size), associated, len(associated)),
            _crypto.EVP_EncryptUpdate(context, out, ctypes.byref(size), text, len(text)),
            _crypto.EVP_EncryptFinal_ex(context, ctypes.byref(out, len(text)), ctypes.byref(size)),
            _crypto.EVP_CIPHER_CTX_ctrl(context, _GET_TAG, 16, ctypes.byref(out, len(text)))]
    _crypto.EVP_CIPHER_CTX_free(context)
    assert done == [1] * 5
    return out.raw


class RecordsByHand:
    """A connection whose client writes its records itself once the handshake is over."""

    def __init__(self, port, context, name, folder):
        context.keylog_filename = str(folder / "secrets")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self._read(self.tls.do_handshake)
        lines = dict(line.split()[::2] for line in (folder / "secrets").read_text().splitlines() if not line.startswith("#"))
        self.hash, self.cipher, size = _CIPHERS[self.tls.cipher()[0]]
        self.size = size
        self._use(bytes.fromhex(lines["CLIENT_TRAFFIC_SECRET_0"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _read(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                got = self.socket.recv(65536)
                self.incoming.write(got) if got else self.incoming.write_eof()
            finally:
                self.socket.sendall(self.outgoing.read())

    def _use(self, secret):
        self.secret, self.sent = secret, 0
        self.key, self.start = _expand(secret, b"key", self.size, self.hash), _expand(secret, b"iv", 12, self.hash)

    def update_key(self):
        """The client's next key, and the server is asked for its own (RFC 8446 4.6.3)."""
        self.socket.sendall(self.record(b"\x18\0\0\1\1", kind=HANDSHAKE))
        self._use(_expand(self.secret, b"traffic upd", len(self.secret), self.hash))

    def record(self, content, kind=APPLICATION_DATA):
        """The next record, as it is to be sent."""
        nonce = bytes(a ^ b for a, b in zip(self.start, self.sent.to_bytes(12, "big")))
        head = b"\x17\x03\x03" + (len(content) + 1 + 16).to_bytes(2, "big")
        self.sent += 1
        return head + _seal(self.cipher, self.key, nonce, content + bytes([kind]), head)

    def send(self, *contents):
        self.socket.sendall(b"".join(map(self.record, contents)))

    def receive(self):
        """Some of what the server says; ssl.SSLError when that is an alert, nothing at its end."""
        return self._read(lambda: self.tls.read(65536))
