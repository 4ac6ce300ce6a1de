"""A certification authority for loopback and what it signs, made anew for each session of tests; no key of it is ever kept."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.clock import wall_utc

LIFETIME = timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """A certificate and its open key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs for 127.0.0.1 and localhost."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(*(what in ("key_cert_sign", "crl_sign") for what in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
            "crl_sign", "encipher_only", "decipher_only",
        )))
        certificate = self._unsigned(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.certificate = self._write(name, certificate.add_extension(usage, critical=True))

    def sign(self, name: str) -> Signed:
        """A certificate for a server or client on loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._write(name, self._unsigned(subject, key).add_extension(hosts, critical=False))
        path = self._folder / f"{name}.key"
        path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        ))
        return Signed(certificate, path)

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = wall_utc()
        return x509.CertificateBuilder(
            issuer_name=self._name, subject_name=subject, public_key=key.public_key(), serial_number=x509.random_serial_number(),
            not_valid_before=now - LIFETIME, not_valid_after=now + LIFETIME,
        )

    def _write(self, name: str, certificate: x509.CertificateBuilder) -> Path:
        path = self._folder / f"{name}.pem"
        path.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path
