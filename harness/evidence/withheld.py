"""Confidential key material kept out of evidence: every way of writing it is covered, octet for octet, and can be put back.

What is covered keeps its length, so a trace without its keys still reads; whoever has them uncovers it and judges it again.
Knows octets and text only.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

MARK = "withheld"  # what stands in place of a secret, repeated to its length


class Withheld:
    """Covers and uncovers some secrets; the order they are given in is part of the mark."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._pairs = [
            (written, _mark(f"{index}{form}", len(written)))
            for index, secret in enumerate(secrets)
            for form, written in _writings(secret)
        ]

    def cover(self, octets: bytes) -> bytes:
        """The octets with every secret replaced by a mark of its length."""
        for written, mark in self._pairs:
            octets = octets.replace(written, mark)
        return octets

    def uncover(self, octets: bytes) -> bytes:
        """The octets as they were."""
        for written, mark in self._pairs:
            octets = octets.replace(mark, written)
        return octets


def _writings(secret: bytes) -> list[tuple[str, bytes]]:
    """The ways a key is written in messages: hex as on a label, plain, with separators; base64; raw."""
    digits = secret.hex().upper()
    spaced = [separator.join(digits[at:at + size] for at in range(0, len(digits), size)) for size, separator in (
        (4, " "), (4, "-"), (4, ":"), (2, " "), (2, ":"), (2, "-"),
    )]
    texts = [*spaced, *(text.lower() for text in spaced), digits, digits.lower(), base64.b64encode(secret).decode()]
    return [*((chr(ord("a") + place), text.encode()) for place, text in enumerate(texts)), ("z", secret)]


def _mark(label: str, length: int) -> bytes:
    return (f"*{label}*{MARK}" * length)[:length].encode()
