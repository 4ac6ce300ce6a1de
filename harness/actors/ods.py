"""The role ODS: an operational data store that listens; an integration point of the use case that appears in no step."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine


class Ods(Machine, Protocol):
    """Receiver of the head-end's events."""

    def events_held(self) -> tuple[str, ...]:
        """The codes of the events it has been told, oldest first."""
