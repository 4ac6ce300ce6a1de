"""Step 10: ESI -> NIC: the provisioning state is reported."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=10,
    description="Sends the HAN Device's provisioning state to the NIC.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.ESI,
    receiver=Actor.NIC,
    message_type="Proprietary",
)

CLAUSES: tuple[Clause, ...] = ()
