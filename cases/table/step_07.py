"""Step 7: HAN Device <-> ESI: commissioning."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=7,
    description=(
        "Identifies itself and requests attributes and clusters, negotiates the message size; application "
        "binding is completed."
    ),
    information=(
        "For each endpoint: message size, attributes and clusters of each interface, with time and time "
        "status."
    ),
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
    open_item=(
        "Row 7 stands before row 8, but Time needs the key of step 8; discovery of Key Establishment precedes "
        "step 8."
    ),
)

CLAUSES: tuple[Clause, ...] = ()
