"""A network co-processor for tests: the lower half of our own stack as a stick's firmware would be, asked and told by packets.

It answers no ZDP and gives the network key to whoever it was told to expect, under that device's link key; to nobody else.
"""

from __future__ import annotations

from dissectors import aps, nwk
from dissectors.mac import fcs
from harness.ports import Chance, Pdu, Transmit, Transmitted
from harness.stack.core import Core
from harness.stack.esi import CAPABILITY
from harness.stack.happenings import Happening
from harness.stack.packets import (
    DeviceCame,
    DeviceWent,
    Form,
    PacketReceived,
    PacketSent,
    Permit,
    RawSent,
    Remove,
    Request,
    SendPacket,
    SendRaw,
    ShareKey,
    Told,
)
from harness.stack.policy import Policy
from harness.stack.primitives import (
    AsduConfirm,
    AsduIndication,
    AsduRequest,
    CommandRequest,
    JoinIndication,
    LeaveIndication,
    LinkKeyKind,
)
from harness.values import Eui64

RAW = -1  # the handle of a frame that the bench made


class Stick:
    """A node on the air on one side, `ask` and `told` on the other."""

    def __init__(self, ieee: Eui64, chance: Chance) -> None:
        self.core = Core(ieee=ieee, capability=CAPABILITY, chance=chance, policy=Policy(), coordinator=True)
        self.permitted_until = 0.0
        self._expected: dict[Eui64, bytes] = {}
        self._handles: dict[int, int] = {}  # ours to the bench's
        self._told: list[Told] = []
        self._raw: list[Transmit] = []

    # -- towards the air

    def receive(self, pdu: Pdu, now: float) -> None:
        if isinstance(pdu, Transmitted) and pdu.handle == RAW:
            self._told.append(RawSent("success" if pdu.status == "ok" else "no_ack"))
            return
        self.core.receive(pdu, now)
        self._settle(now)

    def transmit(self, now: float) -> list[Pdu]:
        raw, self._raw = self._raw, []
        return [*self.core.transmit(now), *raw]

    def deadline(self) -> float | None:
        own = self.permitted_until or None
        return min((each for each in (self.core.deadline(), own) if each is not None), default=None)

    def wake(self, now: float) -> None:
        if self.permitted_until and now >= self.permitted_until:
            self.permitted_until = 0.0
            self.core.permit_association(False)
        self.core.wake(now)
        self._settle(now)

    def events(self) -> list[Happening]:
        """A stick has no happenings of its own."""
        return []

    # -- towards the bench

    def ask(self, request: Request, now: float) -> None:
        match request:
            case Form():
                self.core.form(**vars(request), now=now)
            case Permit(seconds, expected):
                self._expected = dict(expected)
                self.permitted_until = now + seconds if seconds else 0.0
                self.core.permit_association(bool(seconds))
            case ShareKey(device, key):
                if key is None:
                    self.core.forget_link_key(device)
                else:
                    self.core.install_link_key(device, key, LinkKeyKind.ESTABLISHED)
            case Remove(device):
                self.core.dismiss(device, now)
            case SendRaw(mpdu):
                self._raw.append(Transmit(mpdu + fcs(mpdu), RAW))
            case SendPacket():
                handle = self.core.data(AsduRequest(
                    request.dest, request.dest_endpoint, request.source_endpoint, request.profile, request.cluster, request.asdu,
                    ack=request.ack, link_key=request.secured,
                ), now)
                self._handles[handle] = request.handle
        self._settle(now)

    def told(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def _settle(self, now: float) -> None:
        while indications := self.core.events():
            for indication in indications:
                match indication:
                    case JoinIndication():
                        self._joined(indication, now)
                    case AsduIndication():
                        self._told.append(PacketReceived(
                            indication.source, None, indication.source_endpoint, indication.dest_endpoint, indication.profile,
                            indication.cluster, indication.asdu, indication.counter, indication.key is not None,
                            indication.broadcast, lqi=255, rssi=-40,
                        ))
                    case AsduConfirm(handle, status) if handle in self._handles:
                        self._told.append(PacketSent(self._handles.pop(handle), "success" if status == "success" else "no_ack"))
                    case LeaveIndication(device, source, _) if device is not None:
                        self._told.append(DeviceWent(device, source))

    def _joined(self, joined: JoinIndication, now: float) -> None:
        device, key = joined.device, self._expected.get(joined.device)
        if key is None:
            self.core.dismiss(device, now, announce=False)
            self._told.append(DeviceCame(device, joined.short_address, "refused"))
            return
        active = self.core.network_key
        assert active is not None
        self.core.install_link_key(device, key, LinkKeyKind.PRECONFIGURED)
        transport = aps.TransportKey.of(
            key_type=aps.KeyType.STANDARD_NETWORK_KEY, key=active[0], key_sequence=active[1], dest=device, source=self.core.ieee,
        )
        self.core.command(
            CommandRequest(joined.short_address, device, transport, nwk.KeyIdentifier.KEY_TRANSPORT, nwk_secured=False), now,
        )
        self._told.append(DeviceCame(device, joined.short_address, "join"))
