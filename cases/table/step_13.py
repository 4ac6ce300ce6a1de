"""Step 13: AMI Head-End -> DR Application: the linkage is announced."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=13,
    description="Sends the HAN Device's provisioning state to the DR Application.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.AMI_HEAD_END,
    receiver=Actor.DR_APPLICATION,
    message_type="Create / MasterDataLinkageConfig",
    open_item=(
        "The Summary has the head-end generate the CIM message, row 14 the DR Application. What step 13 says "
        "after a failed provisioning is undefined."
    ),
)

CLAUSES: tuple[Clause, ...] = ()
