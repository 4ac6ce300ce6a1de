"""All that an exchange of CIM messages can get wrong: each message alone, its transport, and what no message shows alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.cim.check import check_message
from harness.cim.finding import CimFinding
from harness.cim.record import Record, RecordedFinding, Recording
from harness.cim.sequence import check_sequence
from harness.cim.transport import check_transport
from harness.cim_profile import CimProfile


def check_recording(recording: Recording, *, profile: CimProfile | None = None, second: bool = False) -> list[RecordedFinding]:
    """What is wrong with an exchange, in the order of its records.

    Each message is judged as of its own arrival. `profile` and `second` are as in `harness.cim.check.check_message`.
    """
    recording = recording if profile is None else replace(recording, profile=profile)
    findings = [
        RecordedFinding(finding, (record.number,), record.producer)
        for record in recording for finding in _alone(recording, record, profile, second)
    ]
    return sorted([*findings, *check_sequence(recording)], key=lambda finding: finding.records[0])


def _alone(
    recording: Recording, record: Record, profile: CimProfile | None, second: bool,
) -> Iterator[CimFinding]:
    has_message = record.receiver and (record.octets or record.answers is None)  # an answer of the transport alone has none
    if has_message and not record.flaw:
        now = recording.instant(record.at if record.arrives is None else record.arrives)
        if record.message is not None:
            yield from check_transport(record.message, record.transport, None if profile is None else profile.binding)
        yield from check_message(record.octets, now, profile=profile, context=recording.context, second=second)
