"""Confidential key material kept out of evidence: every way of writing it is covered, octet for octet, and can be put back.

So is a part of it: an install code whose CRC is wrong on purpose, or a key that was cut short, gives away the rest. What is
covered keeps its length, so a trace without its keys still reads; whoever has them uncovers it and judges it again. What was
compressed is covered inside, and keeps its content. Knows octets and text only.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.evidence.packed import changed_inside

MARK = b"withheld"  # what stands in place of a secret, repeated to its length
LEAST = 8  # octets of a secret that are not shown; also the length of a mark without any filling
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
_DIGITS = (string.digits + string.ascii_lowercase).encode()
_MARKED = re.compile(rb"\*([0-9a-z]{2})([0-9a-z]{2})([0-9a-z]{2})\*")  # which writing, from where in it, how much of it


class Withheld:
    """Covers and uncovers some secrets; the order they are given in is part of the mark."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._writings = [(written, _least(written, secret)) for secret in secrets for written in _writings(secret)]

    def cover(self, octets: bytes) -> bytes:
        """The octets with every secret, and every part of one that is long enough, replaced by a mark of its length."""
        return self._cover(changed_inside(octets, self._cover))

    def _cover(self, octets: bytes) -> bytes:
        for number, (written, least) in enumerate(self._writings):
            for start in range(len(written) - least + 1):
                at = octets.find(written[start:start + least])
                while at >= 0:
                    length = _alike(octets[at:], written[start:])
                    octets = octets[:at] + _mark(number, start, length) + octets[at + length:]
                    at = octets.find(written[start:start + least], at + length)
        return octets

    def uncover(self, octets: bytes) -> bytes:
        """The octets as they were."""
        return self._uncover(changed_inside(octets, self._uncover))

    def _uncover(self, octets: bytes) -> bytes:
        at = 0
        while marked := _MARKED.search(octets, at):
            number, start, length = (int(field, len(_DIGITS)) for field in marked.groups())
            at = marked.start() + 1
            if number < len(self._writings) and octets.startswith(_mark(number, start, length), marked.start()):
                written = self._writings[number][0][start:start + length]
                octets = octets[:marked.start()] + written + octets[marked.start() + length:]
        return octets

    def cover_text(self, text: str) -> str:
        """The same for a text that people read."""
        return self.cover(text.encode("utf-8", "backslashreplace")).decode("utf-8", "replace")

    def cover_within(self, value: Any) -> Any:
        """The same for every text in what JSON can hold."""
        return _each_text(value, self.cover_text)

    def uncover_within(self, value: Any) -> Any:
        """What JSON can hold as it was."""
        return _each_text(value, lambda text: self.uncover(text.encode("utf-8", "backslashreplace")).decode("utf-8", "replace"))


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(name): _each_text(each, change) for name, each in value.items()}
    return [_each_text(each, change) for each in value] if isinstance(value, (list, tuple)) else value


def _writings(secret: bytes) -> list[bytes]:
    """The ways a key is written in messages: hex as on a label, plain, with separators; base64; as Python shows octets; raw."""
    digits = secret.hex().upper()
    spaced = [separator.join(digits[at:at + size] for at in range(0, len(digits), size)) for size, separator in (
        (4, " "), (4, "-"), (4, ":"), (2, " "), (2, ":"), (2, "-"),
    )]
    texts = [digits, digits.lower(), *spaced, *(text.lower() for text in spaced), base64.b64encode(secret).decode(), repr(secret)[2:-1]]
    return [secret, *(text.encode(encoding) for encoding in ENCODINGS for text in texts)]


def _least(written: bytes, secret: bytes) -> int:
    """The length from which on a part of what is written is covered: the CRC of an install code protects nothing."""
    return max(LEAST, len(written) * min(LEAST, len(secret) - 2) // len(secret))


def _alike(octets: bytes, written: bytes) -> int:
    """How many octets are the same from the start."""
    return next((at for at, (one, other) in enumerate(zip(octets, written, strict=False)) if one != other),
                min(len(octets), len(written)))


def _mark(number: int, start: int, length: int) -> bytes:
    fields = b"".join(bytes((_DIGITS[each // len(_DIGITS)], _DIGITS[each % len(_DIGITS)])) for each in (number, start, length))
    return (b"*" + fields + b"*" + MARK * length)[:length]
