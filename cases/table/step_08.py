"""Step 8: HAN Device <-> ESI: key establishment."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=8,
    description=(
        "Initiates and completes security registration and receives its new application key in a secure "
        "transaction."
    ),
    information="New application key.",
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
    open_item="The new application key is, in SE terms, the new trust-centre link key.",
)

CLAUSES: tuple[Clause, ...] = ()
