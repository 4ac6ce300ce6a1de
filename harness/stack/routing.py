"""What a router does for the devices that join through it: tells the trust centre, and hands on what it sends them. Knows no key.

05-3474, 4.6.3.2.1 (Update-Device), 4.6.3.7.2 (Tunnel). It lets in whoever asks while it is on the network: who gets a key is decided
by the trust centre, which is told of everybody.
"""

from __future__ import annotations

from dissectors import aps
from dissectors.nwk import COORDINATOR, KeyIdentifier
from harness.stack.application import Application
from harness.stack.core import Core
from harness.stack.primitives import CommandIndication, CommandRequest, JoinIndication, LeaveIndication
from harness.values import Eui64

CAPABILITY = 0x8E  # mains, receiver on when idle, full function, allocates an address


class Router:
    """A router's part in the joining of others."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @property
    def _core(self) -> Core:
        return self._application.own_layers  # another one after a power failure

    def open(self) -> None:
        """On the network: devices may join."""
        self._core.permit_association(True)

    def joined(self, indication: JoinIndication, now: float) -> None:
        """A device associated with us or rejoined."""
        status = aps.DeviceStatus.UNSECURED_JOIN
        if indication.rejoin:
            status = aps.DeviceStatus.SECURED_REJOIN if indication.secured else aps.DeviceStatus.UNSECURED_REJOIN
        self._tell(indication.device, indication.short_address, status, now)

    def left(self, indication: LeaveIndication, now: float) -> None:
        """A device that joined through us said that it leaves; that we are told to leave ourselves is not said here."""
        if indication.device is not None:
            self._tell(indication.device, indication.source, aps.DeviceStatus.LEFT, now)

    def commanded(self, indication: CommandIndication, now: float) -> None:
        """An APS command of the trust centre about a device that joined through us."""
        command = indication.command
        if indication.source != COORDINATOR:
            return
        if command.is_a(aps.Tunnel):
            self._core.hand_on(command.command_frame, Eui64(command.dest), now)
        elif command.is_a(aps.RemoveDevice):
            self._core.dismiss(Eui64(command.target), now, announce=False)  # it has no key to read a Leave with

    def _tell(self, device: Eui64, short_address: int, status: aps.DeviceStatus, now: float) -> None:
        trust_center = self._core.ieee_of(COORDINATOR)
        if trust_center is None:
            return
        update = aps.UpdateDevice.of(device=device, short_address=short_address, status=status)
        self._core.command(CommandRequest(COORDINATOR, trust_center, update, KeyIdentifier.DATA), now)
