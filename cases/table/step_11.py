"""Step 11: NIC -> AMI Network: the provisioning state is passed on."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=11,
    description="Sends the HAN Device's provisioning state to the AMI Network.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.NIC,
    receiver=Actor.AMI_NETWORK,
    message_type="Proprietary",
)

CLAUSES: tuple[Clause, ...] = ()
