"""Step 3: AMI Network -> NIC: the window message is routed to the meter."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=3,
    description="Routes the provisioning window message to the ESI.",
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.AMI_NETWORK,
    receiver=Actor.NIC,
    message_type="Proprietary",
    open_item=(
        "The description says the message goes to the ESI, the receiver column says NIC; judged by the "
        "column."
    ),
)

CLAUSES: tuple[Clause, ...] = ()
