"""Install codes: their CRC, their printed form, the link key they become. Knows no device and no window.

An install code is 6, 8, 12 or 16 octets, followed by their CRC-16/X-25 in two octets, least significant first. The link key is
the AES-MMO hash of all of it, CRC included (Smart Energy 1.0 as explained by AN708, clause 12).
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from dissectors.security import aes_mmo
from harness.values import Eui64

CODE_LENGTHS = (6, 8, 12, 16)  # octets, without the CRC
CRC_LENGTH = 2
SEPARATORS = "-:"  # accepted between the digits of a printed code, as is white space

_POLYNOMIAL = 0x8408  # x^16 + x^12 + x^5 + 1, reflected


class Flaw(StrEnum):
    """What can be wrong with an install code."""

    CHARACTERS = "characters"
    ODD_DIGITS = "odd-digits"
    LENGTH = "length"
    CRC = "crc"
    CRC_ORDER = "crc-order"


class InstallCodeError(ValueError):
    """An install code that must not be used: `flaw` says why, the message is one line and never shows the code."""

    def __init__(self, flaw: Flaw, message: str) -> None:
        super().__init__(message)
        self.flaw = flaw


def crc(code: bytes) -> int:
    """CRC-16/X-25 of the code without its CRC: reflected, initial value and final exclusive-or ffff."""
    register = 0xFFFF
    for octet in code:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ _POLYNOMIAL * (register & 1)
    return register ^ 0xFFFF


@dataclass(frozen=True)
class InstallCode:
    """An install code whose length and CRC are right; `octets` includes the CRC and is never part of a repr."""

    octets: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check(self.octets)

    @classmethod
    def of(cls, code: bytes) -> InstallCode:
        """The install code made of 6, 8, 12 or 16 octets by appending their CRC. Raises InstallCodeError for another length."""
        return cls(code + crc(code).to_bytes(CRC_LENGTH, "little"))

    @classmethod
    def parse(cls, printed: str | bytes) -> InstallCode:
        """From what is printed on the label (hex digits, optionally separated) or from raw octets, CRC included.

        Raises InstallCodeError: the first that applies of characters, odd number of digits, length, CRC.
        """
        return cls(_octets(printed) if isinstance(printed, str) else bytes(printed))

    @property
    def link_key(self) -> bytes:
        """The trust-centre link key, 16 octets, that the device and the ESI make of it."""
        return aes_mmo(self.octets)

    @property
    def printed(self) -> str:
        """As on a label: capital hex digits in groups of four."""
        digits = self.octets.hex().upper()
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _octets(printed: str) -> bytes:
    digits = []
    for position, character in enumerate(printed, start=1):
        if character in string.hexdigits:
            digits.append(character)
        elif character not in SEPARATORS and not character.isspace():
            raise InstallCodeError(
                Flaw.CHARACTERS,
                f"an install code is hex digits, optionally separated by spaces, dashes or colons; character {position} is"
                f" {character!a}",
            )
    if len(digits) % 2:
        raise InstallCodeError(
            Flaw.ODD_DIGITS, f"an install code has two hex digits an octet; {len(digits)} digits are an odd number"
        )
    return bytes.fromhex("".join(digits))


def _check(octets: bytes) -> None:
    code, received = octets[:-CRC_LENGTH], octets[-CRC_LENGTH:]
    if len(code) not in CODE_LENGTHS or len(received) != CRC_LENGTH:
        legal = ", ".join(str(length + CRC_LENGTH) for length in CODE_LENGTHS[:-1])
        hint = "; is its CRC missing, or is it a link key?" if len(octets) in CODE_LENGTHS else ""
        raise InstallCodeError(
            Flaw.LENGTH,
            f"an install code has {legal} or {CODE_LENGTHS[-1] + CRC_LENGTH} octets with its CRC, this one has"
            f" {len(octets)} ({2 * len(octets)} hex digits){hint}",
        )
    expected = crc(code).to_bytes(CRC_LENGTH, "little")
    if received == expected[::-1] != expected:
        raise InstallCodeError(
            Flaw.CRC_ORDER,
            f"the CRC of this install code is right but in the wrong order: {received.hex().upper()} is most significant octet"
            f" first, an install code ends with {expected.hex().upper()}",
        )
    if received != expected:
        raise InstallCodeError(
            Flaw.CRC,
            f"the CRC of this install code is wrong: it ends with {received.hex().upper()}, right is {expected.hex().upper()}",
        )


def code_of_address(eui64: Eui64) -> InstallCode:
    """The install code of a test device that was given none: it follows from its address, and keeps no secret."""
    return InstallCode.of(eui64.octets * 2)


def ordered_link_key(key_form: str, key_material: bytes) -> bytes:
    """The link key of an order: made from its install code, or as it stands. Raises InstallCodeError."""
    return InstallCode.parse(key_material).link_key if key_form == "install_code" else key_material


def known_mistakes(code: InstallCode) -> dict[str, bytes]:
    """The link keys that known wrong derivations make of a code, by the name of the mistake.

    Where a value equals the right key (a code that reads the same backwards), it is left out.
    """
    return {name: key for name, key in _mistakes(code) if key != code.link_key}


def _mistakes(code: InstallCode) -> Iterator[tuple[str, bytes]]:
    bare, appended = code.octets[:-CRC_LENGTH], code.octets[-CRC_LENGTH:]
    yield "crc-left-out", aes_mmo(bare)
    yield "crc-most-significant-first", aes_mmo(bare + appended[::-1])
    yield "digest-reversed", code.link_key[::-1]
    yield "code-reversed", InstallCode.of(bare[::-1]).link_key
    yield "hashed-twice", aes_mmo(code.link_key)
