"""Step 12: AMI Network -> AMI Head-End: the provisioning state reaches the back office."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=12,
    description="Routes the HAN Device's provisioning state to the AMI Head-End.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.AMI_NETWORK,
    receiver=Actor.AMI_HEAD_END,
    message_type="Proprietary",
)

CLAUSES: tuple[Clause, ...] = ()
