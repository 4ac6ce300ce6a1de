"""An exchange of CIM messages as somebody saw it: who said what to whom and when; knows neither files nor traces, and no rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from harness.cim.check import TESTING
from harness.cim.envelope import CimMessage, Kind, read
from harness.cim.finding import CimFinding
from harness.cim_profile import DEFAULT, CimProfile


@dataclass(frozen=True)
class Record:
    """One message, or what came of the attempt to send one. Times are seconds since the recording's epoch.

    `at` is when it was sent, `arrives` when it reached its receiver (None: never). `transport` is what the transport said beside
    the body, as `harness.backhaul.carrier.Parcel.about` has it, `answers` the number of the record whose transport exchange this
    one answered (an HTTP response), `flaw` what went wrong at the transport. `disturbed` is what a bench's fault made of a
    message, which is no doing of its producer. A line of a log has no `receiver`.
    """

    number: int
    at: float
    producer: str
    receiver: str
    octets: bytes = field(repr=False)
    transport: Mapping[str, Any] = field(default_factory=dict, hash=False)
    answers: int | None = None
    flaw: str = ""
    arrives: float | None = None
    disturbed: bool = False

    @cached_property
    def message(self) -> CimMessage | None:
        """What it says, None where the octets are no XML."""
        return read(self.octets)[0] if self.receiver and self.octets else None

    @property
    def kind(self) -> Kind | None:
        """What kind of message it is, None where nobody can tell."""
        return None if self.message is None else self.message.kind

    def header(self, name: str) -> str | None:
        """An element of the message's header by its field name, None where it is not there or empty."""
        header = None if self.message is None else self.message.header
        value: str | None = None if header is None else getattr(header, name)
        return value or None


@dataclass(frozen=True, eq=False)
class Recording:
    """Records in the order they were seen.

    `until` is how long somebody listened (seconds); `whole` says that he did so from before step 1, so that what is not there was
    not said. `premise` is the one of the customer's enrolment, where that is known; `profile` is whose words the names are in,
    `context` what all receivers are for.
    """

    records: tuple[Record, ...]
    epoch: datetime
    until: float
    whole: bool = False
    premise: str | None = None
    profile: CimProfile = DEFAULT
    context: str = TESTING

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def instant(self, seconds: float) -> datetime:
        """The UTC instant `seconds` after the epoch."""
        return self.epoch + timedelta(seconds=seconds)

    def made(self) -> Iterator[Record]:
        """What the parties themselves sent: nothing that a bench's fault repeated or altered."""
        return (record for record in self.records if not record.disturbed)


@dataclass(frozen=True)
class RecordedFinding(CimFinding):
    """A finding on an exchange: the records that show it, and whose doing it is.

    `path` begins with the number of the first of them, where it shows; the rest is the path in that record's message.
    """

    records: tuple[int, ...] = ()
    by: str = ""


def found(rule: str, message: str, by: str, *records: Record) -> RecordedFinding:
    """A rule broken between these records, by this party; it shows in the first of them."""
    numbers = tuple(record.number for record in records)
    return RecordedFinding(rule, message, str(numbers[0]), records=numbers, by=by)


def found_in(record: Record, finding: CimFinding) -> RecordedFinding:
    """What is wrong with one record alone."""
    path = f"{record.number}{finding.path}"
    return RecordedFinding(finding.rule, finding.message, path, finding.verdict, (record.number,), record.producer)
