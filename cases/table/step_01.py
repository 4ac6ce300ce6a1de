"""Step 1: DR Application -> AMI Head-End: the provisioning window is requested."""

from __future__ import annotations

from harness.usecase import Actor, Clause, Step

ROW = Step(
    number=1,
    description=(
        "Sends a time-based provisioning window that lets newly authorised HAN Devices begin provisioning to "
        "the ESI through the AMI Network."
    ),
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.DR_APPLICATION,
    receiver=Actor.AMI_HEAD_END,
    message_type="",
    open_item="Step 1 has no message type; HANproof sends EndDeviceControls x.10.73.298 (PROFILE).",
)

CLAUSES: tuple[Clause, ...] = ()
