"""Laws of joining: when the window is open, who is let in and with which key, who is on the network. Knows no key establishment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from dissectors import aps, mac, nwk
from harness.backhaul.message import LegKind
from harness.errors import RemoteProtocolError
from harness.fuzzing.model import Breach, Facts
from harness.fuzzing.sight import Seen
from harness.trace import Exchange
from harness.usecase import Actor
from harness.values import Eui64

ANSWERING = 0.1  # seconds within which a beacon answers a beacon request; far more than CSMA-CA and airtime take
LINGERING = 8.0  # seconds that a network key may wait for a sleeping child to fetch it (05-3474, 3.5.2: 7.68 s)
GOING_OUT = 1.0  # seconds that a frame can be on its way out of a radio
RESPONDING = 1.0  # seconds within which an association is answered after it was asked for


@dataclass(frozen=True)
class Stretch:
    """A window as the ESI was told of it; seconds since the bench started."""

    device: Eui64
    opens: float
    closes: float


class Windows:
    """The windows of an ESI by what came to it over leg 4: open from then to the end that was ordered, or the withdrawal."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._stretches: list[Stretch] = []
        self._withdrawn: set[int] = set()

    def told(self, exchange: Exchange) -> None:
        """An order, or a withdrawal, came."""
        arrives = exchange.about.get("arrives")
        if exchange.receiver != Actor.ESI or arrives is None:
            return
        try:
            order = self._facts.codec.decode(exchange.octets)
        except RemoteProtocolError:
            return
        if order.kind is LegKind.CANCEL_WINDOW and order.device is not None:
            self._withdrawn.add(order.sequence)
            self._stretches = [
                Stretch(each.device, each.opens, min(each.closes, arrives)) if each.device == order.device else each
                for each in self._stretches
            ]
        elif order.kind is LegKind.OPEN_WINDOW and order.sequence not in self._withdrawn and order.end and order.device is not None:
            end = (order.end - self._facts.epoch).total_seconds()
            if end > arrives:
                self._stretches.append(Stretch(order.device, arrives, end))

    def open_during(self, start: float, end: float, device: Eui64 | None = None) -> bool | None:
        """Whether a window (of this device, or any) was open all the time from `start` to `end`; None where for a part of it."""
        about = [each for each in self._stretches if device in (None, each.device)]
        if any(each.opens <= start and end < each.closes for each in about):
            return True
        return None if any(each.opens <= end and start < each.closes for each in about) else False


class WindowLaw:
    """A beacon permits association exactly while a window is open (SE 1.0, 5.4.1)."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._asked = 0.0
        self.told = windows.told

    def see(self, seen: Seen) -> Iterator[Breach]:
        """A beacon is decided upon between the question and its going out."""
        if seen.has(mac.BeaconRequest) is not None and seen.arrived and not seen.time - self._asked < ANSWERING:
            self._asked = seen.time
        beacon = seen.has(mac.Beacon)
        if beacon is None or seen.sender != Actor.ESI or seen.again or seen.time - self._asked > ANSWERING:
            return
        permitted = bool(seen.frame.mac and seen.frame.mac.beacon and seen.frame.mac.beacon.association_permit)
        open_now = self._windows.open_during(self._asked, seen.time)
        if open_now is not None and permitted is not open_now:
            words = "permits association while no window is open" if permitted else "permits no association in an open window"
            yield Breach("window", Actor.ESI, f"the ESI's beacon {words}", (seen.exchange.number,))


class AdmissionLaw:
    """Only an ordered device inside its window is sent the network key, and only under the key that was ordered; a member that
    rejoins without security is sent it as well (05-3474, 4.6.3.2; SE 1.0, 5.4.1). Nobody is sent it in the clear."""

    def __init__(self, facts: Facts, windows: Windows) -> None:
        self._facts = facts
        self._windows = windows
        self._asked: dict[str, float] = {}  # when a device last asked to be associated
        self._rejoining: dict[str, float] = {}
        self._device_of = {name: device for device, name in facts.names.items()}

    def see(self, seen: Seen) -> Iterator[Breach]:
        """A question to be let in, or a key on its way to a newcomer."""
        if seen.sender is not None and seen.arrived:
            if seen.has(mac.AssociationRequest) is not None:
                self._asked[seen.sender] = seen.time
                self._rejoining.pop(seen.sender, None)
            elif seen.has(nwk.RejoinRequest) is not None:
                self._rejoining[seen.sender] = seen.time
        key = seen.has(aps.TransportKey)
        newcomer = seen.frame.nwk is not None and not seen.frame.nwk.security_enabled
        if key is None or seen.sender != Actor.ESI or seen.again or not newcomer or key.key_type not in aps.NETWORK_KEYS:
            return
        if key.key == bytes(len(key.key)):
            return  # the dummy key after a secured rejoin is no key
        name = self._facts.names.get(Eui64(key.dest))
        if seen.frame.security.aps is None:
            yield self._breach(f"sends the network key to {name or 'somebody'} in the clear", seen)
        elif name is None or name not in self._facts.ordered:
            yield self._breach(f"sends the network key to {name or 'somebody'}, which nobody ordered", seen)
        elif name not in self._rejoining:
            asked = self._asked.get(name)
            if asked is not None and self._windows.open_during(asked, asked + RESPONDING, Eui64(key.dest)) is False:
                yield self._breach(f"sends the network key to {name} outside its window", seen)
            if seen.frame.aps_key != self._facts.ordered[name]:
                yield self._breach(f"seals the network key for {name} with another key than the one that was ordered", seen)
            elif seen.frame.aps_key_identifier != nwk.KeyIdentifier.KEY_TRANSPORT:
                yield self._breach(f"seals the network key for {name} with another key than the key-transport key", seen)

    def _breach(self, words: str, seen: Seen) -> Breach:
        return Breach("admission", Actor.ESI, f"the ESI {words}", (seen.exchange.number,))


class MembershipLaw:
    """Who never got the network key, under the key that it holds, is not on the network and sends nothing under it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._members: dict[str, float] = {}  # and until when whoever was reset may still have something in its radio

    def see(self, seen: Seen) -> Iterator[Breach]:
        """A network key that reached somebody who can open it, or a frame under the network key."""
        key = seen.has(aps.TransportKey)
        if key is not None and seen.arrived and seen.receiver is not None:
            own = seen.frame.aps_key == self._facts.holds.get(seen.receiver)
            if own or seen.secured or seen.frame.aps_key_kind == "link":  # the last: to a member that rejoined without security
                self._members[seen.receiver] = inf
        sender = seen.sender
        if sender is None or sender not in self._facts.holds:
            return
        if seen.secured and not seen.again and seen.time > self._members.get(sender, -inf):
            yield Breach(
                "membership", Actor.HAN_DEVICE, f"{sender} is on the network without having been given its key",
                (seen.exchange.number,),
            )

    def done(self, what: str, to: str, now: float) -> None:
        """A factory reset ends a membership."""
        if what == "reset":
            self._members[to] = min(self._members.get(to, -inf), now + GOING_OUT)
