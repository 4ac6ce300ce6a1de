"""HTTP Basic authentication (RFC 7617), shown and asked for; knows nothing of sockets, and shows a password to nobody."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hmac import compare_digest

from harness.errors import InputError

WITHHELD = "(withheld)"
SECRET_HEADERS = ("authorization", "proxy-authorization")

_SECRET_LINE = re.compile(rb"^((?:proxy-)?authorization[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Credentials:
    """A user and a password, which is in no repr. Raises InputError for a user that Basic cannot carry."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if ":" in self.user or not (self.user + self.password).isprintable():
            raise InputError("credentials: neither a colon in the user nor control characters in either can travel in Basic")

    def header(self) -> str:
        """The value of an Authorization header that shows them."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()

    def match(self, header: bytes) -> bool:
        """Whether the value of an Authorization header shows them; takes as long for every wrong one of a length."""
        scheme, _, shown = header.strip().partition(b" ")
        return compare_digest(shown.strip(), self.header().encode().partition(b" ")[2]) and scheme.lower() == b"basic"


def header_to_show(name: str, value: str) -> str:
    """A header's value for evidence: of one that authenticates only that it was there."""
    if name.lower() not in SECRET_HEADERS:
        return value
    return f"Basic {WITHHELD}" if value.lower().startswith("basic ") else WITHHELD


def octets_to_show(octets: bytes) -> bytes:
    """Octets that could not be read as HTTP, without what an Authorization line in them may hold."""
    return _SECRET_LINE.sub(rb"\1 " + WITHHELD.encode(), octets)
