"""Step 4: NIC -> ESI: the ESI opens the window."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=4,
    description="Sends the provisioning window message to the ESI.",
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.NIC,
    receiver=Actor.ESI,
    message_type="Proprietary",
)

CLAUSES: tuple[Clause, ...] = ()
