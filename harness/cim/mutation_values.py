"""Values by the type that a schema gives them, their edges first: equal ones, valid ones that say something else, and invalid ones.

What is valid follows XML Schema 1.0, which is what the schemas are written in. Knows no element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta, timezone

from harness.cim.grammar import SHAPED, STRING, WORD, Value
from harness.cim.instant import instant_of
from harness.cim.mutation import Claim

LONG = 70_000  # characters; what no fixed field has room for, and far below the size of a message that is refused unread
SAMPLE_OF_KIND: Mapping[str, str] = {
    STRING: "text", "boolean": "false", "dateTime": "2026-01-15T12:00:00Z", "integer": "1", "decimal": "1.5", "float": "1.5",
    "QName": "name",
}
_VALID: Mapping[str, tuple[str, ...]] = {
    STRING: (
        "", " ", "x" * LONG, "\t\n", "\u0085\u2028", "\u200b\ufeff", "a\u0301", "\U0001f50c\U00020000", "\u0627\u202e\u05d0",
        "<&>\"'", "]]>", "0", "null", "-1", "%s%n{0}", "../../etc", "' OR 1=1", "\ue000\ufffd",
    ),
    "boolean": ("true", "false", "1", "0"),
    "dateTime": (
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "12026-01-15T12:00:00Z", "-0044-03-15T12:00:00Z", "2026-01-14T24:00:00Z",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-15T12:00:00", "2024-02-29T12:00:00Z",
        "2026-01-15T12:00:00.123456789Z", "1970-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59-14:00", "2026-01-15T23:59:59.999999Z",
    ),
    "integer": ("0", "-0", "+1", "00012", "-1", str(2**31), str(2**63), str(10**40)),
    "decimal": ("0", "-0.0", "+1", "00012", ".5", "5.", "1" * 15 + "." + "1" * 5),
    "float": ("0", "-0.0", "-1", "+1", "INF", "-INF", "NaN", "1E5", "1e-5", ".5", "5.", "1e30", "3.4e38", "1e9", "0.0001", "00060"),
    "QName": ("name", "xml:lang"),
}
_INVALID: Mapping[str, tuple[str, ...]] = {
    "boolean": ("", "TRUE", "True", "yes", "no", "2", "-1", "t", "true false", "\u0661"),
    "dateTime": (
        "", "2026-01-15", "12:00:00Z", "2026-01-15 12:00:00Z", "2026-1-15T12:00:00Z", "2026-01-15T12:00Z", "2026-13-15T12:00:00Z",
        "2026-02-29T12:00:00Z", "2026-00-15T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-15T24:00:01Z", "2026-01-15T25:00:00Z",
        "2026-01-15T12:60:00Z", "2016-12-31T23:59:60Z", "2026-01-15T12:00:00.Z", "0000-01-15T12:00:00Z", "26-01-15T12:00:00Z",
        "2026-01-15T12:00:00+14:01", "2026-01-15T12:00:00+0100", "2026-01-15T12:00:00z", "20260115T120000Z", "1768478400", "now",
        "2026-01-15T12:00:00Z 2026-01-15T12:00:00Z", "2026-W03-4T12:00:00Z", "+2026-01-15T12:00:00Z",
    ),
    "integer": ("", "1.0", "1e3", "0x10", "one", "1 2", "--1", "1_000", "\u0661", "NaN"),
    "decimal": ("", "1,5", "1e5", "INF", "NaN", "one", "1.5.5", "0x1", "1_000", ".", "+"),
    "float": ("", "1,5", "inf", "nan", "Infinity", "-nan", "one", "1.5.5", "0x1p3", "1_000", "PT1H", "1e", "e5", "."),
    "QName": ("", "/a/b", "a:b:c", "nobody:knows", "1name", "a b", ":a", "a:"),
}
_NUMBERS = ("integer", "decimal", "float")
_COLLAPSING = ("boolean", "dateTime", *_NUMBERS, "QName")


def values(kind: Value, present: str) -> Iterator[tuple[str, Claim]]:
    """Values to put in the place of the present one, each with what must come of it."""
    if kind.kind == WORD:
        yield from _words(kind, present)
        return
    if kind.kind == SHAPED:
        for each in (*_VALID[STRING], present.swapcase(), f"{present}{present[-1:]}", f" {present}", present[1:]):
            if each != present:
                yield each, Claim.VALID if all(shape.match(each) for shape in kind.shapes) else Claim.REFUSED
        return
    for each in _equal(kind.kind, present):
        yield each, Claim.LEGAL
    for each in _VALID[kind.kind]:
        yield each, Claim.VALID
    for each in _INVALID.get(kind.kind, ()):
        yield each, Claim.REFUSED


def _words(kind: Value, present: str) -> Iterator[tuple[str, Claim]]:
    for each in kind.words:
        if each != present:
            yield each, Claim.VALID
    for each in ("", "nonsense", f" {present}", f"{present}\n", present.swapcase(), f"{present}{present}"):
        if each != present and each not in kind.words:
            yield each, Claim.REFUSED


def _equal(kind: str, present: str) -> Iterator[str]:
    """The same value, written otherwise."""
    if kind in _COLLAPSING and present:
        yield from (f" {present}", f"\n\t  {present}\r\n ")
    if kind == "boolean":
        yield {"true": "1", "1": "true", "false": "0", "0": "false"}[present.strip()]
    if kind == "dateTime" and (instant := instant_of(present)) is not None:
        for minutes in (0, 840, -840, 330, -570):
            elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
            yield elsewhere.isoformat(timespec="milliseconds")
        yield instant.isoformat(timespec="microseconds").replace("+00:00", "000-00:00")
    if kind in _NUMBERS and present.strip()[:1].isdigit():
        yield from (f"+{present}", f"000{present}")
    if kind == "float" and present.strip()[:1].isdigit():
        yield f"{float(present):.6e}".upper()
