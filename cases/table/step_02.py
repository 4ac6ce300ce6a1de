"""Step 2: AMI Head-End -> AMI Network: the window message is forwarded."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=2,
    description="Forwards the provisioning window message to the AMI Network.",
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.AMI_HEAD_END,
    receiver=Actor.AMI_NETWORK,
    message_type="Proprietary",
)

CLAUSES: tuple[Clause, ...] = ()
