"""Step 9: HAN Device <-> ESI: application information."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=9,
    description="Requests and receives current and pending application information.",
    information=(
        "Messages and attributes both sides support: text messages, prices, load control events, metering "
        "reads."
    ),
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
    open_item=(
        "The assumption on the metering cluster gates 09-METERING only; a load control device has no metering "
        "cluster."
    ),
)

CLAUSES: tuple[Clause, ...] = ()
