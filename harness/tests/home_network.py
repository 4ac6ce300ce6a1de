"""A home network for tests: an ESI and HAN devices on the virtual air, in virtual time. No bench, no files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.layer import Layer, Record
from harness.crypto.ecqv import TEST_CA, Credentials
from harness.faults import SeenFrame
from harness.radio.virtual import VirtualAir
from harness.stack.esi import EsiNode, EsiSettings
from harness.stack.han_device import HanDeviceNode, HanDeviceSettings
from harness.stack.happenings import Happening, KeyLearnt
from harness.stack.policy import Policy
from harness.stack.programme import Programme, ordinary_programme
from harness.trace import LINK_KEY_KINDS
from harness.values import DeviceType, Eui64

ESI = Eui64(0x0022080000000001)
PCT = Eui64(0x0022080000000002)
LOAD = Eui64(0x0022080000000003)
LINK_KEY = bytes.fromhex("66b6900981e1ee3ca4206b6b861c02bb")
NETWORK_KEY = bytes.fromhex("01030507090b0d0f00020406080a0c0d")
START_OF_TIME = 822_830_400  # the UTCTime at t = 0
CHANNEL = 15

H = TypeVar("H")


@cache
def credentials(device: Eui64) -> Credentials:
    """Credentials of our test authority, the same in every test."""
    return TEST_CA.issue(device, random.Random(int(device)))


def utc(now: float) -> int:
    """The UTCTime at an instant of the test."""
    return START_OF_TIME + int(now)


@dataclass(frozen=True)
class Heard:
    """A frame that went over the air, and when its last octet was out."""

    time: float
    sender: str
    frame: Frame
    fate: str


@dataclass
class Home:
    """The air, the nodes on it by name, everything heard and everything that happened."""

    seed: int = 1
    now: float = 0.0
    nodes: dict[str, EsiNode | HanDeviceNode] = field(default_factory=dict)
    happenings: list[tuple[str, Happening]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.keyring = KeyRing()
        self.air = VirtualAir(self.chance, keyring=self.keyring, tap=lambda seen: self._seen.append(seen))
        self._seen: list[SeenFrame] = []
        self._heard: list[Heard] = []

    def esi(
        self, policy: Policy | None = None, *, ieee: Eui64 = ESI, name: str = "esi", channel: int = CHANNEL,
        own: Credentials | None = None, programme: Programme | None = None, settings: EsiSettings | None = None,
        pan_id: int = 0x1A62, **others: object,
    ) -> EsiNode:
        """An ESI with its network formed, named `esi` unless another name is given."""
        esi = EsiNode(
            ieee, own or credentials(ieee), self.chance, policy or Policy(), utc, settings=settings,
            programme=ordinary_programme(utc(0)) if programme is None else programme, **others,  # type: ignore[arg-type]
        )
        self.nodes[name] = esi
        esi.form(
            channel=channel, pan_id=pan_id, extended_pan_id=Eui64(int(ieee) ^ 0xFF), network_key=NETWORK_KEY, now=self.now,
        )
        return esi

    def device(
        self, policy: Policy | None = None, *, ieee: Eui64 = PCT, name: str = "device", kind: DeviceType = DeviceType.PCT,
        link_key: bytes = LINK_KEY, own: Credentials | None = None, settings: HanDeviceSettings | None = None, **others: object,
    ) -> HanDeviceNode:
        """A HAN device that has not begun to join, named `device` unless another name is given."""
        device = HanDeviceNode(
            ieee, kind, link_key, own or credentials(ieee), self.chance, policy or Policy(),
            settings=settings or HanDeviceSettings(channels=(CHANNEL,)), **others,  # type: ignore[arg-type]
        )
        self.nodes[name] = device
        return device

    @property
    def portal(self) -> EsiNode:
        """The ESI named `esi`."""
        node = self.nodes["esi"]
        assert isinstance(node, EsiNode)
        return node

    @property
    def joiner(self) -> HanDeviceNode:
        """The device named `device`."""
        node = self.nodes["device"]
        assert isinstance(node, HanDeviceNode)
        return node

    # -- time

    def run(self, seconds: float = 30.0, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass until the condition holds; whether it did (without one: True)."""
        end = self.now + seconds
        self._exchange()
        while not (until and until()):
            due = [self.air.deadline(), *(node.deadline() for node in self.nodes.values())]
            instant = min((each for each in due if each is not None), default=None)
            if instant is None or instant > end:
                self.now = end
                return until is None
            self.now = max(self.now, instant)
            self._deliver()
        return True

    def _deliver(self) -> None:
        for name, pdu in self.air.wake(self.now):
            if name in self.nodes:
                self.nodes[name].receive(pdu, self.now)
        for node in self.nodes.values():
            deadline = node.deadline()
            if deadline is not None and deadline <= self.now:
                node.wake(self.now)
        self._exchange()

    def _exchange(self) -> None:
        for name, node in self.nodes.items():
            for pdu in node.transmit(self.now):
                self.air.submit(name, pdu, self.now)  # type: ignore[arg-type]
            for happening in node.events():
                self.happenings.append((name, happening))
                if isinstance(happening, KeyLearnt):
                    if happening.kind == "nwk":
                        self.keyring.add_network_key(happening.key)
                    elif happening.kind in LINK_KEY_KINDS:
                        self.keyring.add_link_key(happening.key, happening.device, happening.kind)

    # -- looking back

    def heard(self) -> list[Heard]:
        """Every frame so far, each decoded with the keys known when it was first looked at."""
        for seen in self._seen[len(self._heard):]:
            self._heard.append(Heard(seen.time, seen.sender, decode(seen.psdu, self.keyring), seen.fate))
        return self._heard

    def find(self, layer: type[Layer], sender: str | None = None) -> list[Record]:
        """Every structure of that layer on the air, oldest first; MAC retransmissions count once."""
        found = [
            (each.sender, each.frame.mac.sequence if each.frame.mac else None, record) for each in self.heard()
            if sender in (None, each.sender) and (record := each.frame.find(layer)) is not None
        ]
        return [record for index, (*_, record) in enumerate(found) if index == 0 or found[index - 1] != found[index]]

    def happened(self, kind: type[H], name: str | None = None) -> Iterator[H]:
        """Everything of that kind that a node told, oldest first."""
        return (each for who, each in self.happenings if isinstance(each, kind) and name in (None, who))
