"""Who we are and whom we trust on an encrypted wire, as ssl contexts; knows files, no sockets and no protocol above TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import InputError


@dataclass(frozen=True)
class Tls:
    """The files (PEM) and choices of one side. What is None is not had.

    `certificate` and `key` are shown to peers: as a server always, as a client where the server asks. `trust` holds the
    authorities whose word counts; None trusts the system's. `mutual` lets nobody in who shows no certificate from `trust`.
    `check_name` is off for a laboratory's device whose certificate names another host.
    """

    certificate: Path | None = None
    key: Path | None = None
    trust: Path | None = None
    mutual: bool = False
    check_name: bool = True

    def for_server(self) -> ssl.SSLContext:
        """The context of a listening side. Raises InputError naming the file that does not do."""
        if self.certificate is None:
            raise InputError("tls: a server needs a certificate and its key")
        if self.mutual and self.trust is None:
            raise InputError("tls: mutual authentication needs `trust`, the authority that signed the clients' certificates")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._prepare(context)
        if self.mutual:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def for_client(self) -> ssl.SSLContext:
        """The context of a calling side. Raises InputError naming the file that does not do."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.check_name
        self._prepare(context)
        if self.trust is None:
            context.load_default_certs()
        return context

    def _prepare(self, context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            try:
                # a key under a password would be asked for at the terminal, and a run would hang
                context.load_cert_chain(self.certificate, self.key, password="")
            except (OSError, ValueError) as fault:
                files = f"{self.certificate} with key {self.key or self.certificate}"
                raise InputError(f"tls: {files}: no certificate and matching open key in PEM ({reason_of(fault)})") from None
        if self.trust is not None:
            try:
                context.load_verify_locations(self.trust)
            except OSError as fault:
                raise InputError(f"tls: {self.trust}: no certificates of authorities in PEM ({reason_of(fault)})") from None


@cache
def public() -> ssl.SSLContext:
    """The context of a calling side without papers that trusts the system's authorities; to load these takes 20 ms, once a process."""
    return Tls().for_client()


def reason_of(fault: Exception) -> str:
    """Why something failed below us, in few words and without addresses of memory or source lines."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return (fault.reason or fault.strerror or "TLS error").lower().replace("_", " ")
    return (fault.strerror if isinstance(fault, OSError) else None) or str(fault) or type(fault).__name__
