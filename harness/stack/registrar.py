"""Who decides what an established key is good for: the trust centre, or nobody. Knows no message.

Smart Energy 1.0 (075356), 5.4.7 and annex C.
"""

from __future__ import annotations

from typing import Protocol

from harness.values import Eui64


class Registrar(Protocol):
    """Whoever decides what an established key is good for: the trust centre."""

    def may_establish(self, device: Eui64) -> bool:
        """Whether this device is to have a link key."""

    def established(self, device: Eui64, key: bytes, now: float) -> None:
        """Key establishment gave this key; it is valid from now on."""

    def acknowledged(self, device: Eui64, now: float) -> None:
        """The device has acknowledged the last message; it may still refuse what that says."""

    def registered(self, device: Eui64, now: float) -> None:
        """The device has acknowledged the last message, and did not refuse it after that."""

    def withdrawn(self, device: Eui64, now: float) -> None:
        """The device refused our confirmation: the key is not valid."""

    def failed(self, device: Eui64 | None, cause: str, now: float) -> None:
        """An exchange ended without a key."""


class NobodyRegisters:
    """The registrar of a node that is no trust centre: it establishes keys only where it begins."""

    def may_establish(self, device: Eui64) -> bool:
        """Nobody."""
        return False

    def established(self, device: Eui64, key: bytes, now: float) -> None:
        """Cannot happen."""

    def acknowledged(self, device: Eui64, now: float) -> None:
        """Cannot happen."""

    def registered(self, device: Eui64, now: float) -> None:
        """Cannot happen."""

    def withdrawn(self, device: Eui64, now: float) -> None:
        """Cannot happen."""

    def failed(self, device: Eui64 | None, cause: str, now: float) -> None:
        """Of no interest."""
