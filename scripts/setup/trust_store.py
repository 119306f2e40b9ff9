"""Make a Java trust store (PKCS 12) from the machine's certificates. Usage: trust_store.py PEM STORE."""

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

# Not a secret: the store holds public certificates, and Java wants some password.
PASSWORD = b"changeit"


def main(pem: str, store: str) -> None:
    certificates = x509.load_pem_x509_certificates(Path(pem).read_bytes())
    entries = [
        pkcs12.PKCS12Certificate(certificate, str(number).encode()) for number, certificate in enumerate(certificates)
    ]
    Path(store).write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(PASSWORD)))


main(*sys.argv[1:])
