"""The decisions a virtual node takes, as one frozen value; a defect is a policy that differs from the right one.

A decision is either a named field below (asked by the state machine at one place) or a rewrite of one outgoing structure before
it is sealed, so that MICs and counters stay right. Nothing here knows which clause a defect breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dissectors.layer import Record

Rewrite = Callable[[Record], Record | None]
"""Sees every outgoing structure of one node, inner ones first; returns it, another of the same layer, or None to send nothing."""


@dataclass(frozen=True)
class Policy:
    """What a conformant node does; each field's default is the right decision."""

    rewrites: tuple[Rewrite, ...] = ()

    def rewritten(self, record: Record) -> Record | None:
        """The structure as this node really sends it; None when it keeps silent."""
        outgoing: Record | None = record
        for rewrite in self.rewrites:
            if outgoing is None:
                return None
            outgoing = rewrite(outgoing)
        return outgoing
