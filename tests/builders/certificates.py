"""Throw-away certificates for a server on loopback: an authority, what it signs, and a key for tokens."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_DAYS = 7


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder: ``authority.crt``, and beside it what it signs.

    Args:
        folder: an empty folder; keys in it are readable by their owner only.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._key = _new_key()
        self._name = _name("gauntlet tests")
        self.certificate = folder / "authority.crt"
        self.certificate.write_bytes(_pem(self._sign(self._name, self._key, [_basic(authority=True)])))

    def serving(self, name: str) -> Signed:
        """A certificate for a server on 127.0.0.1 and localhost."""
        from cryptography import x509

        addresses = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        return self._signed(name, _name(name), [_basic(authority=False), addresses])

    def client(self, name: str, group: str) -> Signed:
        """A client's certificate. Kubernetes reads the common name as the user, the organisation as a group."""
        return self._signed(name, _name(name, group), [_basic(authority=False)])

    def signing_key(self, name: str) -> Path:
        """A private key that signs nothing but tokens."""
        return self._write_key(name, _new_key())

    def _signed(self, name: str, subject: x509.Name, extensions: list[x509.ExtensionType]) -> Signed:
        key = _new_key()
        certificate = self._folder / f"{name}.crt"
        certificate.write_bytes(_pem(self._sign(subject, key, extensions)))
        return Signed(certificate, self._write_key(name, key))

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extensions: list[x509.ExtensionType]
    ) -> x509.Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=_DAYS))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())

    def _write_key(self, name: str, key: ec.EllipticCurvePrivateKey) -> Path:
        from cryptography.hazmat.primitives import serialization

        path = self._folder / f"{name}.key"
        path.touch(mode=0o600)
        # Not PKCS #8: Kubernetes reads the key that signs tokens in this form only.
        form = serialization.PrivateFormat.TraditionalOpenSSL
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return path


def _new_key() -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str, organisation: str | None = None) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _basic(*, authority: bool) -> x509.BasicConstraints:
    from cryptography import x509

    return x509.BasicConstraints(ca=authority, path_length=None)


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)
