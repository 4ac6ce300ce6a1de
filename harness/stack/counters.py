"""Keys with the frame counters that belong to them: network keys by sequence number, link keys by device. Knows no frame.

Clauses: 05-3474, 4.3.1 and 4.4.1 (freshness), 4.3.3 (network keys), 4.5.3 (link keys), 4.6.3.4.2 (counters of a new key).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import LocalProtocolError
from harness.stack.primitives import LinkKeyKind
from harness.values import Eui64

INVALID = 0xFFFFFFFF  # a frame counter that is never sent and never accepted, 4.3.1.1 and 4.3.1.2
SEQUENCES = 256  # key sequence numbers, 4.4.9.2.3.2


@dataclass
class Counters:
    """The counter of the next frame we send under a key, and per sender the last one accepted."""

    outgoing: int = 0
    incoming: dict[int, int] = field(default_factory=dict)

    def take(self) -> int:
        """The counter for one outgoing frame. Raises LocalProtocolError when all are used."""
        if self.outgoing >= INVALID:
            raise LocalProtocolError("the frame counter of this key is used up; the network needs a new key")
        self.outgoing += 1
        return self.outgoing - 1

    def is_fresh(self, sender: int, counter: int) -> bool:
        """Whether the counter is greater than the last one accepted from `sender`; from a new sender any valid one is."""
        return counter != INVALID and counter > self.incoming.get(sender, -1)

    def jump(self, sender: int, counter: int) -> int:
        """By how much the counter leads the last one accepted (0 from a new sender)."""
        return counter - self.incoming.get(sender, counter)

    def accept(self, sender: int, counter: int) -> None:
        """Note an accepted frame."""
        self.incoming[sender] = counter


@dataclass
class NetworkKey:
    """A network key of 16 octets and its sequence number (0 to 255)."""

    key: bytes = field(repr=False)
    sequence: int
    counters: Counters = field(default_factory=Counters)


@dataclass
class NetworkKeys:
    """The network keys a node holds; `active` is the sequence number of the one it sends with, None while it waits for one."""

    held: dict[int, NetworkKey] = field(default_factory=dict)
    active: int | None = None

    @property
    def current(self) -> NetworkKey | None:
        """The key in use."""
        return None if self.active is None else self.held[self.active]

    def install(self, key: bytes, sequence: int) -> None:
        """Hold a key, its counters at 0; it becomes active where none is. Of the others only the active one is kept."""
        kept = {number: held for number, held in self.held.items() if number == self.active}
        self.held = {**kept, sequence: NetworkKey(key, sequence)}
        if self.active is None:
            self.active = sequence

    def switch(self, sequence: int) -> None:
        """Use the held key of this sequence number; another number changes nothing."""
        if sequence in self.held:
            self.active = sequence

    def is_newer(self, sequence: int) -> bool:
        """Whether this sequence number follows the active one, counting modulo 256 (4.3.1.2)."""
        return self.active is not None and 0 < (sequence - self.active) % SEQUENCES < SEQUENCES // 2

    def suspend(self) -> None:
        """Send nothing secured until the next key is installed, which becomes active (trust-centre rejoin)."""
        self.active = None

    def take(self, other: NetworkKeys) -> None:
        """Hold what another set holds, instead."""
        self.held, self.active = other.held, other.active

    def forget_sender(self, sender: int) -> None:
        """A device joined afresh: its counters start again."""
        for held in self.held.values():
            held.counters.incoming.pop(sender, None)


@dataclass
class LinkKey:
    """A link key of 16 octets and where it came from; key-transport and key-load key share its counters."""

    key: bytes = field(repr=False)
    kind: LinkKeyKind
    counters: Counters = field(default_factory=Counters)


@dataclass
class LinkKeys:
    """One link key a device; the one for None serves every device that has none of its own.

    `replaced` are those that another one took the place of; nobody uses them but who still takes the pre-configured one.
    """

    held: dict[Eui64 | None, LinkKey] = field(default_factory=dict)
    replaced: dict[Eui64 | None, LinkKey] = field(default_factory=dict)

    def install(self, device: Eui64 | None, key: bytes, kind: LinkKeyKind) -> None:
        """Share a key with a device, both counters at 0."""
        if device in self.held:
            self.replaced[device] = self.held[device]
        self.held[device] = LinkKey(key, kind)

    def forget(self, device: Eui64 | None) -> None:
        """Drop a device's key."""
        self.held.pop(device, None)

    def shared_with(self, device: Eui64 | None) -> LinkKey | None:
        """The key for a device."""
        return self.held.get(device) or self.held.get(None)

    def forget_senders(self) -> None:
        """We join afresh: whatever a trust centre sends is new to us."""
        for link_key in self.held.values():
            link_key.counters.incoming.clear()
