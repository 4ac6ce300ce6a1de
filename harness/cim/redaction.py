"""Key material out of a message before anybody keeps it; works on octets, so that no message is too broken for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

PLACEHOLDER = b"(key)"

_KEY_ELEMENT = re.compile(
    rb"((?:<|&lt;)(?:[\w.-]+:)?(?:installCode|password)(?:\s[^<>]*?)?(?<!/)(?:>|&gt;))(.*?)(?=</|&lt;/|\Z)", re.DOTALL,
)
_KEY_TAG = re.compile(rb"(?:[\w.-]+:)?(?:installCode|password)>")  # what follows the < of a start tag that says no more


def redacted(octets: bytes, secrets: Iterable[bytes] = ()) -> bytes:
    """The message with the content of its key elements replaced, and every `secret` (key octets) wherever it stands as hex."""
    wide = octets[:2] in (b"\xff\xfe", b"\xfe\xff")
    plain = octets.decode("utf-16", errors="replace").encode() if wide else octets
    plain = _KEY_ELEMENT.sub(rb"\g<1>" + PLACEHOLDER, plain)
    for secret in secrets:
        pairs = rb"[\s:-]?".join(b"%02x" % octet for octet in secret)
        plain = re.sub(pairs, PLACEHOLDER, plain, flags=re.IGNORECASE) if secret else plain
    return plain.decode().encode("utf-16") if wide else plain


def stands_elsewhere(octets: bytes, secret: bytes) -> bool:
    """Whether a text, given in lower case, stands outside of the key elements of a message, in whatever case."""
    lowered = octets.lower()
    at = lowered.find(secret)
    once = at >= 0 and lowered.find(secret, at + 1) < 0
    if once and _KEY_TAG.fullmatch(octets[:at].rpartition(b"<")[2]):
        return False  # nearly always: it stands in its element alone, and no other tag needs a look
    return secret in redacted(octets).lower()
