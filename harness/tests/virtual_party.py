"""A handful of nodes on one virtual air, driven in virtual time: what the tests of radio and stack share."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from dissectors.aps import TransportKey
from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.nwk import KeyIdentifier
from harness.faults import SeenFrame
from harness.radio.virtual import VirtualAir
from harness.stack.core import Core
from harness.stack.policy import Policy
from harness.stack.primitives import (
    AsduConfirm,
    AsduIndication,
    AsduRequest,
    AssociateConfirm,
    CommandIndication,
    CommandRequest,
    LinkKeyKind,
    NetworkFound,
    ScanConfirm,
)
from harness.values import Eui64

ESI, PCT, SWITCH = Eui64(0x00124B0000000001), Eui64(0x00124B0000000002), Eui64(0x00124B0000000003)
EXTENDED_PAN = Eui64(0x5350000000000001)
PAN, CHANNEL = 0x1A62, 15
NETWORK_KEY = bytes(range(16))
LINK_KEY = bytes.fromhex("66b6900981e1ee3ca4206b6b861c02bb")
PRIVATE_PROFILE = 0xC000  # a manufacturer's own: any octets are a good ASDU
RX_ON, SLEEPY, ROUTER = 0x8C, 0x80, 0x8E  # capability octets


class Party:
    """Nodes by name, what they told, and everything that was on the air."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.keyring = KeyRing()
        self.seen: list[SeenFrame] = []
        self.air = VirtualAir(self.chance, keyring=self.keyring, tap=self.seen.append)
        self.nodes: dict[str, Core] = {}
        self.told: dict[str, list[Any]] = {}
        self.now = 0.0

    def add(self, name: str, node: Core) -> Core:
        """Put a node on the air (again, after a power cycle)."""
        self.air.switch_off(name)
        self.nodes[name] = node
        self.told.setdefault(name, [])
        return node

    def coordinator(self, policy: Policy | None = None, name: str = "esi", **options: Any) -> Core:
        """A coordinator, not yet on a network."""
        options = {"ieee": ESI, "capability": ROUTER, **options}
        return self.add(name, Core(chance=self.chance, policy=policy or Policy(), coordinator=True, **options))

    def formed(self, policy: Policy | None = None, **options: Any) -> Core:
        """A coordinator on its network, with association permit on."""
        esi = self.coordinator(policy, **options)
        esi.form(channel=CHANNEL, pan_id=PAN, extended_pan_id=EXTENDED_PAN, network_key=NETWORK_KEY, now=self.now)
        esi.permit_association(True)
        self.keyring.add_network_key(NETWORK_KEY, 0)
        return esi

    def device(
        self, name: str = "pct", ieee: Eui64 = PCT, sleepy: bool = False, policy: Policy | None = None, **options: Any,
    ) -> Core:
        """An end device."""
        options.setdefault("poll_interval", 7.5 if sleepy else None)
        return self.add(name, Core(
            ieee=ieee, capability=SLEEPY if sleepy else RX_ON, chance=self.chance, policy=policy or Policy(),
            coordinator=False, **options,
        ))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, at most so long; True as soon as `until` holds."""
        end = self.now + seconds
        self._carry()
        while not until():
            instants = (self.air.deadline(), *(node.deadline() for node in self.nodes.values()))
            following = min((instant for instant in instants if instant is not None), default=end)
            if following > end:
                self.now = end
                return until()
            self.now = max(self.now, following)
            for name, pdu in self.air.wake(self.now):
                if name in self.nodes:
                    self.nodes[name].receive(pdu, self.now)
            for node in self.nodes.values():
                deadline = node.deadline()
                if deadline is not None and deadline <= self.now:
                    node.wake(self.now)
            self._carry()
        return True

    def _carry(self) -> None:
        """Requests to the air, events to the record."""
        for name, node in self.nodes.items():
            for pdu in node.transmit(self.now):
                self.air.submit(name, pdu, self.now)  # type: ignore[arg-type]
            self.told[name].extend(node.events())

    def last(self, name: str, kind: type) -> Any:
        """The newest indication of a kind that a node gave, or None."""
        return next((each for each in reversed(self.told[name]) if isinstance(each, kind)), None)

    def all(self, name: str, kind: type) -> list[Any]:
        """All indications of a kind, oldest first."""
        return [each for each in self.told[name] if isinstance(each, kind)]

    def frames(self, chosen: Callable[[Frame], bool] = lambda frame: True, sender: str | None = None) -> list[Frame]:
        """The frames on the air, decoded with the keys of the party, acknowledgements of the MAC left out."""
        decoded = (
            decode(seen.psdu, self.keyring) for seen in self.seen if sender in (None, seen.sender) and len(seen.psdu) > 5
        )
        return [frame for frame in decoded if chosen(frame)]

    def found(self, name: str = "pct") -> NetworkFound:
        """Scan, and the first network found."""
        self.nodes[name].scan((CHANNEL,), self.now)
        before = len(self.all(name, ScanConfirm))
        assert self.run(1.0, lambda: len(self.all(name, ScanConfirm)) > before)
        confirm: ScanConfirm = self.last(name, ScanConfirm)
        return confirm.networks[0]

    def associated(self, name: str = "pct") -> AssociateConfirm:
        """Scan and associate."""
        network = self.found(name)
        before = len(self.all(name, AssociateConfirm))
        self.nodes[name].associate(network, self.now)
        assert self.run(2.0, lambda: len(self.all(name, AssociateConfirm)) > before)
        self.run(0.01)  # until the parent knows it too
        confirm: AssociateConfirm = self.last(name, AssociateConfirm)
        return confirm

    def give_key(self, name: str = "pct", coordinator: str = "esi", **changes: Any) -> None:
        """The trust centre sends the network key under the link key, and the device installs what it gets."""
        esi, device = self.nodes[coordinator], self.nodes[name]
        esi.install_link_key(device.ieee, LINK_KEY, LinkKeyKind.PRECONFIGURED)
        device.install_link_key(None, LINK_KEY, LinkKeyKind.PRECONFIGURED)
        self.keyring.add_link_key(LINK_KEY, device.ieee, "ic")
        esi.command(transport_key(esi, device.ieee, **changes), self.now)
        before = len(self.all(name, CommandIndication))
        if self.run(10.0, lambda: len(self.all(name, CommandIndication)) > before):
            command = self.last(name, CommandIndication).command
            device.install_network_key(command.key, command.key_sequence, self.now)

    def joined(self, name: str = "pct") -> Core:
        """Scan, associate, get the network key."""
        self.associated(name)
        self.give_key(name)
        assert self.nodes[name].network_key is not None
        return self.nodes[name]

    def pair(
        self, esi_policy: Policy | None = None, pct_policy: Policy | None = None, *, sleepy: bool = False,
        max_transfer: int = 256,
    ) -> tuple[Core, Core]:
        """A coordinator and a device that has the network key."""
        esi = self.formed(esi_policy, max_transfer=max_transfer)
        self.device(policy=pct_policy, sleepy=sleepy, max_transfer=max_transfer)
        return esi, self.joined()

    def status(self, name: str, handle: int) -> str | None:
        """What became of a request, None while that is not known."""
        return next((each.status for each in self.all(name, AsduConfirm) if each.handle == handle), None)

    def received(self, name: str) -> list[bytes]:
        """The ASDUs that a node was given."""
        return [each.asdu for each in self.all(name, AsduIndication)]


def transport_key(esi: Core, device: Eui64, key: bytes = NETWORK_KEY, sequence: int = 0, **changes: Any) -> CommandRequest:
    """The command with which a trust centre gives a child the network key: under the key-transport key, NWK-unsecured."""
    command = TransportKey.of(key=key, key_sequence=sequence, dest=device, source=esi.ieee)
    short = esi.short_of(device)
    assert short is not None
    changes = {"key_identifier": KeyIdentifier.KEY_TRANSPORT, "nwk_secured": False, **changes}
    return CommandRequest(short, device, command, **changes)


def asdu(dest: int, octets: bytes, **changes: Any) -> AsduRequest:
    """A request to send octets to endpoint 2 of a node, from endpoint 1, in a private profile."""
    addressing = {"dest": dest, "dest_endpoint": 2, "source_endpoint": 1, "profile": PRIVATE_PROFILE, "cluster": 0x0800}
    return AsduRequest(**{**addressing, "asdu": octets, **changes})
