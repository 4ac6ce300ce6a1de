"""All that an exchange of CIM messages can get wrong: each message alone, its transport, and what no message shows alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.cim.check import check_message
from harness.cim.finding import CimFinding
from harness.cim.record import Record, RecordedFinding, Recording, found_in
from harness.cim.sequence import check_sequence
from harness.cim.transport import check_transport
from harness.cim_profile import CimProfile


def check_recording(
    recording: Recording, *, profile: CimProfile | None = None, binding: str | None = None, second: bool = False,
) -> list[RecordedFinding]:
    """What is wrong with an exchange, in the order of its records.

    Each message is judged as of its own arrival. `profile` and `second` are as in `harness.cim.check.check_message`, `binding` as
    in `harness.cim.transport.check_transport`.
    """
    recording = recording if profile is None else replace(recording, profile=profile)
    alone = [
        found_in(record, finding) for record in recording if not record.flaw
        for finding in (*_of_transport(record, binding), *_of_message(recording, record, profile, second))
    ]
    return sorted([*alone, *check_sequence(recording)], key=lambda finding: finding.records[0])


def _of_transport(record: Record, binding: str | None) -> Iterator[CimFinding]:
    if record.message is not None:
        yield from check_transport(record.message, record.transport, binding)


def _of_message(recording: Recording, record: Record, profile: CimProfile | None, second: bool) -> list[CimFinding]:
    if not record.receiver or (record.answers is not None and not record.octets):
        return []  # a line of a log, or an answer of the transport alone
    arrived = recording.instant(record.at if record.arrives is None else record.arrives)
    return check_message(record.octets, arrived, profile=profile, context=recording.context, second=second)
