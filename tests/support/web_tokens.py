"""Keys that sign JSON Web Tokens, their public halves as a key set, and tokens right and wrong."""
import base64
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = b"a secret of thirty-two octets or more"


def encoded(value):
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value, size):
    return encoded(value.to_bytes(size, "big"))


class Signer:
    """A key for each algorithm, its id the algorithm's name in lower case."""

    def __init__(self):
        self.keys = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1()),
                     "EdDSA": ed25519.Ed25519PrivateKey.generate(), "HS256": SECRET}

    def public(self, algorithm, **more):
        key, known = self.keys[algorithm], {"kid": algorithm.lower(), **more}
        if algorithm == "HS256":
            return {"kty": "oct", "k": encoded(key), **known}
        if algorithm == "RS256":
            numbers = key.public_key().public_numbers()
            return {"kty": "RSA", "n": number(numbers.n, 256), "e": number(numbers.e, 3), **known}
        if algorithm == "ES256":
            numbers = key.public_key().public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), **known}
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": encoded(raw), **known}

    def key_set(self, *algorithms):
        return json.dumps({"keys": [self.public(one) for one in algorithms or self.keys]})

    def token(self, algorithm="HS256", header=None, key=None, **claims):
        """`claims` over those of a token that is right; None takes one away. `header`: over kid and typ."""
        now = int(time.time())
        all_claims = {"iss": "https://issuer.test", "aud": "site", "iat": now, "nbf": now, "exp": now + 300, **claims}
        content = {name: value for name, value in all_claims.items() if value is not None}
        headers = {name: value for name, value in {"kid": algorithm.lower(), **(header or {})}.items() if value}
        return jwt.encode(content, key or self.keys[algorithm], algorithm=algorithm, headers=headers)

    def by_hand(self, header, claims, key=SECRET):
        """Signed by HMAC whatever the header says; texts are taken as they are."""
        parts = [encoded(one.encode() if isinstance(one, str) else one) for one in (header, claims)]
        text = ".".join(parts).encode()
        return ".".join([*parts, encoded(hmac.new(key, text, hashlib.sha256).digest())])

    def as_secret(self, algorithm):
        """The public key in PEM, as one would take it for a secret (RFC 8725 2.1)."""
        return self.keys[algorithm].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
