"""Step 5: HAN Device -> ESI: discovery and association."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=5,
    description=(
        "The customer installs the HAN Device while the window is active; joining starts automatically or by "
        "a button."
    ),
    information="MAC address of the HAN Device.",
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
)

CLAUSES: tuple[Clause, ...] = ()
