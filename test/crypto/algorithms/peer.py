"""Signs, verifies and opens with PyPI's cryptography, for the tests: JSON cases in, JSON answers out."""
import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


def arguments(case):
    """What sign and verify take beyond the message, by scheme."""
    if case["scheme"] == "plain":
        return ()
    digest = HASHES[case["hash"]]
    given = utils.Prehashed(digest) if case["digest"] else digest
    if case["scheme"] == "ecdsa":
        return (ec.ECDSA(given),)
    if case["scheme"] == "pkcs1":
        return (padding.PKCS1v15(), given)
    return (padding.PSS(padding.MGF1(digest), digest.digest_size), given)


def run(case):
    data = {name: base64.b64decode(value) for name, value in case["data"].items()}
    if case["action"] == "sign":
        key = load_der_private_key(data["privateKey"], None)
        return base64.b64encode(key.sign(data["message"], *arguments(case))).decode()
    if case["action"] == "verify":
        key = load_der_public_key(data["publicKey"])
        try:
            key.verify(data["signature"], data["message"], *arguments(case))
            return "valid"
        except InvalidSignature:
            return "invalid"
    if case["action"] == "decapsulate":
        key = load_der_private_key(data["privateKey"], None)
        return base64.b64encode(key.decapsulate(data["ciphertext"])).decode()
    secret, ciphertext = load_der_public_key(data["publicKey"]).encapsulate()
    return base64.b64encode(ciphertext + secret).decode()


json.dump([run(case) for case in json.load(sys.stdin)], sys.stdout)
