"""A run as it can be written down: the setting, the moves, and the token that holds both. Knows no bench, no chance, no verdict.

A token is self-contained. It holds no key of a device that is not drawn: where the setting names no install code, the device's
own is taken from the bench file of whoever replays it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from harness.crypto.install_code import CODE_LENGTHS, InstallCode
from harness.errors import InputError
from harness.fuzzing.vocabulary import VERSION, Move, flaw
from harness.usecase import Actor
from harness.values import Eui64

MARK = "HP"  # what a token begins with
DIGEST = 4  # octets of SHA-256 at its end
LONGEST = 100_000  # octets of a token's contents: nobody's run is longer, and what grows beyond is none
NOBODY = ""
OURS = (NOBODY, Actor.ESI.value, Actor.HAN_DEVICE.value)
BEGINNINGS = ("nothing", "ordered", "in service")
LONGEST_TIME = 1000.0  # seconds: until a window begins, and that it lasts


@dataclass(frozen=True)
class Setting:
    """What stands before the first move. Times are seconds since the bench started.

    `eui64` and `code` (hex, without its CRC) are the device's where they are not empty, else it has its own. `right` says whether it holds
    the key that is ordered. `company` is how many devices stand beside it: one that is ordered as well, and one that nobody
    ordered and that has the first one's key. `ours` is the side that the moves speak for, which is not judged; empty for none.
    """

    device: int = 0  # which of the bench file
    seed: int = 1
    eui64: str = ""
    code: str = ""
    right: bool = True
    start: float = 0.0
    duration: float = 300.0
    company: int = 0
    second: str = ""
    second_start: float = 0.0
    second_duration: float = 300.0
    ours: str = NOBODY
    beginning: str = BEGINNINGS[0]

    def flaw(self) -> str:
        """What is wrong with it, in words; empty where nothing is."""
        if any(type(getattr(self, each.name)) is not type(each.default) for each in fields(self)):
            return "its setting is none"
        if self.ours not in OURS or self.beginning not in BEGINNINGS or not 0 <= self.company <= 2 or self.device < 0:
            return "its setting has a word or a number that there is not"
        times = (self.start, self.duration, self.second_start, self.second_duration)
        if not all(0.0 <= each <= LONGEST_TIME for each in times) or min(self.duration, self.second_duration) < 1:
            return "its windows are none"
        try:
            addresses = [Eui64.parse(each) for each in (self.eui64, self.second) if each]
            right_length = not self.code or len(bytes.fromhex(self.code)) in CODE_LENGTHS
        except ValueError:
            return "its address or install code is none"
        if not right_length or len(set(addresses)) != len(addresses) or (self.company and not self.second):
            return "its address or install code is none"
        return ""

    @property
    def install_code(self) -> InstallCode | None:
        """The drawn install code with its CRC; None where the device has its own."""
        return InstallCode.of(bytes.fromhex(self.code)) if self.code else None


@dataclass(frozen=True)
class Script:
    """A run: its setting, its moves, the defects planted in it, and of what it was complained (ids)."""

    setting: Setting
    moves: tuple[Move, ...] = ()
    planted: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The run as JSON can hold it."""
        return {
            "vocabulary": VERSION, "setting": asdict(self.setting), "moves": [[each.name, *each.values] for each in self.moves],
            "planted": list(self.planted), "complaints": list(self.complaints),
        }

    @property
    def token(self) -> str:
        """The run in one word."""
        written = self.as_dict()
        usual = asdict(Setting())
        written["setting"] = {name: value for name, value in written["setting"].items() if value != usual[name]}
        octets = zlib.compress(json.dumps(written, separators=(",", ":"), sort_keys=True).encode(), 9)
        return f"{MARK}{base64.urlsafe_b64encode(octets + _digest(octets)).decode().rstrip('=')}"

    @property
    def name(self) -> str:
        """A short name that follows from what is in it."""
        return _digest(self.token.encode()).hex()


class OtherVocabulary(Exception):
    """A token whose moves are of another version of the vocabulary: well-formed, and nothing that we could replay."""


def read_token(token: str) -> Script:
    """The run that a token holds. Raises InputError for what is none, OtherVocabulary for one that we cannot speak."""
    words = _contents(token)
    version = words.get("vocabulary")
    if type(version) is not int:
        raise _no_token("it names no vocabulary")
    if version != VERSION:
        raise OtherVocabulary(f"its moves are of vocabulary {version}, and this is {VERSION}")
    moves, setting = words.get("moves"), words.get("setting")
    if not isinstance(moves, list) or not all(isinstance(each, list) and each for each in moves):
        raise _no_token("its moves are none")
    wrong = next(filter(None, (flaw(each[0], each[1:]) for each in moves)), "")
    if wrong:
        raise _no_token(wrong)
    known = {each.name for each in fields(Setting)}
    if not isinstance(setting, dict) or not set(setting) <= known:
        raise _no_token("its setting is none")
    made = Setting(**setting)
    if made.flaw():
        raise _no_token(made.flaw())
    return Script(
        made, tuple(Move(each[0], tuple(each[1:])) for each in moves), _words(words, "planted"), _words(words, "complaints"),
    )


def _contents(token: str) -> Mapping[str, Any]:
    token = token.strip()
    if not token.startswith(MARK):
        raise _no_token(f"it does not begin with {MARK}")
    written = token[len(MARK):]
    try:
        octets = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _no_token("it has characters that no token has") from None
    packed, digest = octets[:-DIGEST], octets[-DIGEST:]
    if not packed or digest != _digest(packed):
        raise _no_token("a part of it is missing or changed")
    opened = zlib.decompressobj()
    try:
        words = json.loads(opened.decompress(packed, LONGEST))
    except (zlib.error, ValueError, RecursionError):
        raise _no_token("what it holds cannot be read") from None
    if not isinstance(words, dict):
        raise _no_token("what it holds is no run")
    return words


def _words(contents: Mapping[str, Any], name: str) -> tuple[str, ...]:
    words: Sequence[Any] = contents.get(name, [])
    if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
        raise _no_token(f"its {name} are none")
    return tuple(words)


def _no_token(why: str) -> InputError:
    return InputError(f"the token is none of ours: {why}; right would be the whole word that `hanproof fuzz` printed")


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()[:DIGEST]
