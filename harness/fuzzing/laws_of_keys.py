"""Laws of the keys in force: frame counters that only rise, the network key in use, the link key of the application. Decodes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from dissectors import aps, zcl
from harness.fuzzing.model import Breach
from harness.fuzzing.sight import Seen
from harness.usecase import Actor

UNDER_LINK_KEY = frozenset({0x000A, 0x0700, 0x0701, 0x0702, 0x0703})  # Time, Price, load control, metering, messaging (SE 5.4.6)
SMART_ENERGY = 0x0109  # the profile
FOLLOWING = 10.0  # seconds in which whatever waits for a sleeping child under the older network key is gone


def actor_of(machine: str | None) -> Actor:
    """Whose conformance a machine's behaviour is."""
    return Actor.ESI if machine == Actor.ESI else Actor.HAN_DEVICE


class CounterLaw:
    """Under one network key a node's frame counter only rises; it may begin anew when the key is given anew (05-3474, 4.3.1.1)."""

    def __init__(self) -> None:
        self.stale: set[int] = set()  # exchanges whose counter had been used
        self._last: dict[tuple[str, bytes], tuple[int, bytes]] = {}

    def see(self, seen: Seen) -> Iterator[Breach]:
        """A frame under a network key."""
        if seen.has(aps.TransportKey) is not None and seen.receiver is not None and seen.receiver != Actor.ESI:
            self._last = {known: last for known, last in self._last.items() if known[0] != seen.receiver}
        if not seen.secured or seen.again or seen.sender is None or seen.frame.nwk is None or seen.frame.nwk_key is None:
            return
        counter, key = seen.frame.nwk.security.frame_counter, (seen.sender, seen.frame.nwk_key)
        last, octets = self._last.get(key, (-1, b""))
        if counter < last or (counter == last and octets != seen.exchange.octets[3:]):
            self.stale.add(seen.exchange.number)
            yield Breach(
                "counter", actor_of(seen.sender), f"{seen.sender} uses frame counter {counter} after {last}", (seen.exchange.number,),
            )
        self._last[key] = max((counter, seen.exchange.octets[3:]), (last, octets))  # without what a MAC counts for itself


class NetworkKeyLaw:
    """Who holds the newer network key, and was told by itself to use it, does so and does not go back (05-3474, 4.6.3.4)."""

    def __init__(self) -> None:
        self._held: dict[str, set[int]] = {}
        self._told: dict[str, tuple[int, float]] = {}

    def see(self, seen: Seen) -> Iterator[Breach]:
        """A key, a switch, or a frame under one of the keys."""
        if seen.sender == Actor.ESI and not seen.again:
            self._learn(seen, seen.receiver if seen.arrived else None)
        if seen.sender is None or seen.again or not seen.secured or seen.frame.nwk is None:
            return
        sequence, since = self._told.get(seen.sender, (0, inf))
        used = seen.frame.nwk.security.key_sequence
        if seen.time > since and used < sequence:
            yield Breach(
                "network-key", actor_of(seen.sender), f"{seen.sender} uses network key {used} when {sequence} is in force",
                (seen.exchange.number,),
            )

    def done(self, what: str, to: str, now: float) -> None:
        """A reset, and a key or a switch that the ESI is made to send, count anew."""
        if what == "reset":
            self._told.pop(to, None)
            self._held.pop(to, None)
        elif what == "renew":
            self._told.clear()

    def _learn(self, seen: Seen, receiver: str | None) -> None:
        key, switch = seen.has(aps.TransportKey), seen.has(aps.SwitchKey)
        if switch is not None and seen.secured:
            self._told.setdefault(Actor.ESI, (switch.key_sequence, seen.time + FOLLOWING))
            if receiver is not None and switch.key_sequence in self._held.get(receiver, ()):
                self._told[receiver] = (switch.key_sequence, seen.time + FOLLOWING)
        if key is not None and key.key_type in aps.NETWORK_KEYS and receiver is not None:
            if not seen.secured:
                self._told.pop(receiver, None)
            self._held.setdefault(receiver, set()).add(key.key_sequence)


class LinkKeyLaw:
    """Application data goes under the key that key establishment made, and under no other (SE 1.0, 5.4.6); a refusal of what came
    otherwise may go as that came."""

    def see(self, seen: Seen) -> Iterator[Breach]:
        """An application frame to one node."""
        header: Any = seen.frame.aps
        if header is None or seen.again or not seen.secured or header.frame_type != aps.FrameType.DATA:
            return
        if header.delivery_mode != aps.DeliveryMode.UNICAST or header.cluster not in UNDER_LINK_KEY or "profile" not in header:
            return
        if header.profile != SMART_ENERGY or seen.frame.zcl is None or seen.frame.zcl.command.is_a(zcl.DefaultResponse):
            return
        if seen.frame.security.aps is None:
            yield self._breach(seen, "sends application data without APS security")
        elif seen.frame.aps_key_kind == "ic":
            yield self._breach(seen, "sends application data under the key made from the install code")

    def _breach(self, seen: Seen, words: str) -> Breach:
        return Breach("link-key", actor_of(seen.sender), f"{seen.sender} {words}", (seen.exchange.number,))

