"""Step 6: ESI -> HAN Device: admission with network key, short address and PAN ID."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

STEP = Step(
    number=6,
    description=(
        "Verifies that the HAN Device is authorised and answers with network and commissioning information; "
        "the device is joined to the HAN."
    ),
    information="Network key, 16-bit short address and PAN ID.",
    producer=Actor.ESI,
    receiver=Actor.HAN_DEVICE,
    message_type="ZigBee, SEP 1.0",
)

CLAUSES: tuple[Clause, ...] = ()
