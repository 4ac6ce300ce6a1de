"""The file format of a recorded exchange, `*.exchange.yaml` (docs/exchanges.md); knows no rule about what it reads.

    epoch: 2026-01-15T12:00:00Z
    records:
      - at: 0.2
        from: DR Application
        to: AMI Head-End
        transport: {name: http, method: POST, target: /ami-head-end, headers: {Content-Type: text/xml}}
        body: |
          <CreateEndDeviceControls ...>
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.cim.check import TESTING, read_octets
from harness.cim.record import Record, Recording
from harness.cim.tree import MAX_OCTETS
from harness.declared import Field, Fields, fields_of, shown, text_of

SUFFIX = ".exchange.yaml"
CONTEXTS = (TESTING, "PRODUCTION")
NAMES = ("http", "amqp", "stomp")
LONGEST = 366 * 86_400.0  # seconds that a recording may last
YEARS = range(1970, 9000)  # of an instant: what comes before or after it can still be named
MAX_RECORDS = 10_000
MAX_ALL = 64 * MAX_OCTETS  # of all bodies together: enough to say of one how much too long it is
MAX_BEGINNING = 4096  # octets of comments before the first field
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n|---\s)*(?:epoch|until|whole|premise|receiver_context|records):")
_BODIES = "body, base64, file and log"
_AN_INSTANT = "an instant with its zone, as 2026-01-15T12:00:00Z"


def read_recording(path: Path, octets: bytes | None = None) -> Recording:
    """The exchange in a file, or in its `octets` where they are read. Raises InputError: file, line, field, and what would be right."""
    fields = fields_of(text_of(read_octets(path) if octets is None else octets, path), path)
    epoch = _instant(fields.need("epoch", "2026-01-15T12:00:00Z"))
    until, whole, premise, context = (fields.take(name) for name in ("until", "whole", "premise", "receiver_context"))
    given = fields.need("records", "a list of what was seen")
    fields.done()
    listed = given.items()
    if not 0 < len(listed) <= MAX_RECORDS:
        raise given.wrong(f"has {len(listed)} records", f"1 to {MAX_RECORDS} of them")
    records: list[Record] = []
    size = 0
    for each in listed:
        records.append(_record(each.fields(), path.parent, epoch, records))
        size += len(records[-1].octets)
        if size > MAX_ALL:
            raise each.wrong("brings more octets than are read", f"bodies of at most {MAX_ALL} octets together")
    last = records[-1].at
    return Recording(
        tuple(records), epoch, last if until is None else until.number(last, LONGEST), _is_yes(whole),
        None if premise is None else premise.line(), context=TESTING if context is None else context.choice(CONTEXTS),
    )


def _record(fields: Fields, folder: Path, epoch: datetime, before: list[Record]) -> Record:
    at = _seconds(fields.need("at", "0.5"), epoch, before[-1].at if before else 0.0)
    producer = fields.need("from", "AMI Head-End").line()
    receiver, transport, answers, flaw, lost = (fields.take(name) for name in ("to", "transport", "answers", "flaw", "lost"))
    bodies = {name: fields.take(name) for name in ("body", "base64", "file", "log")}
    fields.done()
    given = {name: body for name, body in bodies.items() if body is not None}
    if len(given) > 1 or not (given or flaw):
        raise fields.whole.wrong(f"has {len(given)} of {_BODIES}", "one of them, or none beside a `flaw`")
    if (receiver is None) != ("log" in given):
        raise fields.whole.wrong("has no `to`" if receiver is None else "a line of a log goes to nobody", "`to` or `log`")
    answered = None if answers is None else answers.integer()
    if answers is not None and answered not in range(1, len(before) + 1):
        raise answers.wrong(f"{answered} is no record before this one", f"the number of one, from 1 to {len(before)}")
    return Record(
        len(before) + 1, at, producer, "" if receiver is None else receiver.line(),
        next((_octets(name, body, folder) for name, body in given.items()), b""),
        {} if transport is None else _transport(transport.fields()), answered, "" if flaw is None else flaw.line(),
        None if _is_yes(lost) else at,
    )


def _octets(name: str, body: Field, folder: Path) -> bytes:
    if name == "base64":
        return body.read(_decoded, "base64 of the octets")
    return _beside(body, folder) if name == "file" else body.text().encode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is no base64") from None


def _beside(given: Field, folder: Path) -> bytes:
    right = "the name of a file in the folder of the recording, or below it"
    try:
        path = (folder / given.text()).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise given.wrong(f"{shown(given.text())} lies elsewhere", right)
        if path.exists() and not path.is_file():  # a pipe may keep its reader waiting for ever
            raise given.wrong(f"{shown(given.text())} is no file", right)
        with path.open("rb") as file:
            return file.read(MAX_ALL)
    except (OSError, ValueError, RuntimeError) as fault:  # RuntimeError: links that lead to each other
        raise given.wrong(f"cannot be read: {getattr(fault, 'strerror', None) or fault}", right) from None


def _transport(fields: Fields) -> dict[str, Any]:
    """What `Parcel.about` of `harness.backhaul.carrier` would say."""
    about: dict[str, Any] = {"name": fields.need("name", "http").choice(NAMES)}
    for name in ("method", "target", "address"):
        given = fields.take(name)
        if given is not None:
            about[name] = given.text()
    status = fields.take("status")
    if status is not None:
        about["status"] = int(status.number(100, 599))
    for name in ("headers", "properties"):
        given = fields.take(name)
        if given is not None:
            about[name] = {key.lower(): value.text() for key, value in given.fields().rest().items()}
    fields.done()
    return about


def _seconds(given: Field, epoch: datetime, earliest: float) -> float:
    """An instant, or seconds since the epoch, not before the record before."""
    text = given.text()
    at = (_instant(given) - epoch).total_seconds() if "T" in text else given.number(0, LONGEST)
    if not earliest <= at <= LONGEST:
        raise given.wrong(f"{shown(text)} is out of order", f"not before the record before ({earliest:g})")
    return at


def _instant(given: Field) -> datetime:
    try:
        instant = datetime.fromisoformat(given.text())
        if instant.tzinfo is None:
            raise given.wrong(f"{shown(given.text())} leaves its zone open", _AN_INSTANT)
        if instant.year not in YEARS:
            raise ValueError(instant.year)
        return instant.astimezone(UTC)
    except ValueError:
        raise given.wrong(f"{shown(given.text())} is no instant", _AN_INSTANT) from None


def _is_yes(given: Field | None) -> bool:
    return given is not None and given.choice(("yes", "no")) == "yes"


def is_recording(path: Path, octets: bytes) -> bool:
    """Whether a file is a recorded exchange: by its name, or by beginning as one, with a field."""
    return path.name.endswith((".yaml", ".yml")) or _BEGINNING.match(octets[:MAX_BEGINNING]) is not None
