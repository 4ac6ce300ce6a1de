"""Step 14: DR Application -> CIS: device and premise are registered."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=14,
    description="Sends the HAN Device's status and the premise to the CIS.",
    information="Premise - HAN Device join registration: premise ID, joined.",
    producer=Actor.DR_APPLICATION,
    receiver=Actor.CIS,
    message_type="Create / MasterDataLinkageConfig",
    open_item="The premise is written as \"Premise ID(?)\".",
)

CLAUSES: tuple[Clause, ...] = ()
