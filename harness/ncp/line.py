"""The lines between the bench and its radio process: JSON objects, one a line, octets in hex. Knows no radio and no meaning.

The child begins with `{"hello": VERSION, ...}`. The bench asks `{"n": 7, "do": "send", ...}`, and is told `{"n": 7, "done": {...}}` or
`{"n": 7, "failed": "why"}`, in any order; what the radio has to say by itself comes as
`{"packet"|"join"|"leave"|"frame"|"missed"|"lost": {...}}`.
"""

from __future__ import annotations

import json
import re
from typing import Any

VERSION = "hanproof-ncp/1"
LONGEST = 1 << 16  # octets of one line with its newline: an APS frame in hex is far shorter
_LONGEST_TEXT = 200  # characters of what an error says
_MAY_BE_KEY = (  # 12 octets or more in whatever dress: an EUI-64 has 8
    re.compile(r"""b(['"])(?:\\.|(?!\1).)*(?:\1|$)"""),
    re.compile(r"(?:0x|\\x)?[0-9A-Fa-f]{2}(?:[\s,:;-]*(?:0x|\\x)?[0-9A-Fa-f]{2}){11,}"),
    re.compile(r"\d{1,3}(?:[\s,]+\d{1,3}){11,}"),
)


class NotALine(ValueError):
    """What came is no line of this protocol; the message says why without repeating it."""


def written(fields: dict[str, Any]) -> bytes:
    """One line. Raises NotALine for one that is too long."""
    line = json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"
    if len(line) > LONGEST:
        raise NotALine(f"a line of {len(line)} octets, where {LONGEST} are the most")
    return line


def read(line: bytes) -> dict[str, Any]:
    """The object of one line. Raises NotALine."""
    if len(line) > LONGEST or not line.endswith(b"\n"):
        raise NotALine(f"a line that is cut off, or longer than {LONGEST} octets")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise NotALine(f"no JSON: {type(fault).__name__}") from None
    if not isinstance(fields, dict):
        raise NotALine("JSON, but no object")
    return fields


def masked(text: str) -> str:
    """A text of somebody else's on one short line, without what may be a key."""
    one_line = " ".join(text.split())
    for pattern in _MAY_BE_KEY:
        one_line = pattern.sub("<octets>", one_line)
    return one_line if len(one_line) <= _LONGEST_TEXT else f"{one_line[:_LONGEST_TEXT]}..."
