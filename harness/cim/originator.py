"""What every message of one sender has in common: its source, instants counted from the bench's epoch, ids made by chance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from harness.cim.envelope import REPLY, Header
from harness.cim.instant import written
from harness.cim_profile import DEFAULT, CimProfile
from harness.ports import Chance


@dataclass(frozen=True)
class Originator:
    """One sender, and how the bench wants its messages.

    The same chance gives the same ids, so that a run can be repeated octet for octet.
    """

    source: str
    epoch: datetime
    chance: Chance
    profile: CimProfile = DEFAULT

    def identifier(self) -> str:
        """A fresh UUID (version 4, its bits from chance)."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def instant(self, now: float) -> datetime:
        """The UTC instant `now` seconds after the bench started."""
        return self.epoch + timedelta(seconds=now)

    def header(self, verb: str, noun: str, now: float, correlation_id: str | None = None) -> Header:
        """The header of a message made at `now`; a message that begins an exchange gets a fresh CorrelationID."""
        return Header(
            verb, noun, timestamp=written(self.instant(now)), source=self.source, message_id=self.identifier(),
            correlation_id=correlation_id or self.identifier(),
        )

    def reply_header(self, request: Header | None, noun: str, now: float) -> Header:
        """The header of the answer to `request`: its own MessageID, the request's CorrelationID (failing that, MessageID)."""
        echoed = (request.correlation_id or request.message_id) if request else None
        return self.header(REPLY, noun, now, echoed)
