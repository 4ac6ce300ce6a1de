"""A join as a trace: what was heard of one device and its network, under a header that says only what a capture can say.

A capture knows no order and nothing that was done by hand; a medium is attested from its first frame to its last.
What is missing is found on the whole network, for a sender's numbers go on over the frames about others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import inf

from dissectors import aps, nwk
from dissectors.frame import Frame
from harness.audit.intake import Intake, Taken
from harness.audit.joins import Address, Join, Network, Sorting, in_time
from harness.audit.known import NOTHING, Known
from harness.checkers.capture_health import Gap, gaps
from harness.checkers.reading import air, take_as_decoded
from harness.pics import PROFORMA
from harness.trace import LINK_KEY_KINDS, MISSING, UNKNOWN, Attestation, Exchange, Header, Trace, Unknown
from harness.usecase import Actor, Order, Point
from harness.values import DeviceType, Eui64

OPENING = ("nwk", *LINK_KEY_KINDS)  # kinds of keys that open frames
LONG_AGO = -1e12  # seconds
AROUND = 60.0  # seconds before a join's first frame and after its last in which what the network says to all belongs to it
SOMEBODY, ANOTHER_NETWORK = "somebody", "another network"  # producers that no clause is about
PACKET = "packet"  # in an exchange's `about`: its number in the file


class Traces:
    """Makes traces of the joins of a capture, as far as it was taken in and sorted."""

    def __init__(self, intake: Intake, known: Known = NOTHING, sorting: Sorting | None = None) -> None:
        self.intake = intake
        self.sorting = Sorting.of(intake.taken) if sorting is None else sorting
        self.known = known
        self._gaps: dict[Address, tuple[Gap, ...]] = {}
        self._keys = tuple(intake.learnt())

    def missing(self, network: Address) -> tuple[Gap, ...]:
        """What is missing from the frames of a network."""
        if network not in self._gaps:
            whole = Trace(replace(self._header(Eui64(0), ()), about={}))
            whole.keys = [key for key in self._keys if key.kind in OPENING]
            whole.attest(Attestation(Point.MAC, network[0], 0.0))
            known = self.sorting.networks[network]
            scans = {place: str(join.device) for join in self.sorting.joins if join.network == network for place in join.scan}
            places = in_time(self.sorting.heard, (*scans, *known.frames))
            self._fill(whole, ((place, scans.get(place) or self._radio(known, place)) for place in places))
            self._gaps[network] = (*_mixed(known), *gaps(whole), *self.intake.missing())
        return self._gaps[network]

    def trace(self, join: Join) -> Trace:
        """The trace of a join."""
        heard, network = self.sorting.heard, self.sorting.networks[join.network]
        own = [*join.scan, *join.frames]
        start, end = min(heard[place].time for place in own), max(heard[place].time for place in own)
        end = end if join.member else inf  # who was not let in looks for networks again, after pauses of minutes
        producers: dict[int, str | None] = dict.fromkeys(self._within(self.sorting.scans, start, end), SOMEBODY)
        producers |= dict(self._elsewhere(join, start, end))
        producers |= dict.fromkeys((*self._within(network.shared, start, end), *join.frames))
        producers |= dict.fromkeys(join.scan, Actor.HAN_DEVICE.value)
        missing = tuple(self._missing(join, network, start, end))
        trace = Trace(self._header(join.device, missing))
        authority = self.known.authority_of(join.device)  # private keys are of no use without
        trace.keys = [key for key in self._keys if authority or key.kind in OPENING]
        for medium, (first, last) in self.intake.media().items():
            trace.attest(Attestation(Point.MAC, medium, first, last))
        self._fill(trace, ((place, producers[place]) for place in in_time(heard, producers)))
        ordered = self._ordered_key(trace)
        header = self._header(join.device, missing, ordered)
        trace.header = replace(header, order=replace(header.order, key_material=ordered))
        return trace

    def _fill(self, trace: Trace, producers: Iterable[tuple[int, str | None]]) -> None:
        """Append these frames, by place with whoever sent each; what was opened once is not decoded again."""
        opened: dict[int, Frame] = {}
        for place, producer in producers:
            each = self.sorting.heard[place]
            number = _append(trace, each, producer).number
            if _is_open(each.frame):
                opened[number] = each.frame
        take_as_decoded(trace, opened)

    def _ordered_key(self, trace: Trace) -> bytes:
        """The link key that was ordered for the device of a trace; empty where that is not known.

        A key that opens nothing may be a wrong one that we were given, and is held against nobody.
        """
        device, ordered = trace.header.order.device, self.intake.ordered
        opened = next((each.frame.aps_key for each in air(trace) if each.frame.aps_key_kind == "ic"), None)
        if opened is None:
            return b""
        if opened in ordered and ordered[opened] in (None, device):
            return opened
        if len({each.network for each in self.sorting.met if each.device == device and each.begins}) > 1:
            return b""  # of which network's ESI it was ordered is not known
        return next((octets for octets, owner in ordered.items() if owner == device), b"")

    def _missing(self, join: Join, network: Network, start: float, end: float) -> Iterator[Gap]:
        """What is missing near a join: it is nobody's excuse hours later."""
        yield from (gap for gap in self.missing(network.address) if gap.start <= end + AROUND and gap.end >= start - AROUND)
        if not join.begins:  # what came before may explain whatever comes later: what a device knows it need not ask again
            yield Gap(-inf, inf, f"what {join.device} did before packet {self.sorting.heard[join.frames[0]].packet}, when it was on the "
                      "network already")

    def _elsewhere(self, join: Join, start: float, end: float) -> Iterator[tuple[int, str | None]]:
        """What other networks show of themselves meanwhile, and what the device does in them."""
        for other in self.sorting.networks.values():
            if other.address != join.network:
                for place in self._within(other.shared, start, end):
                    if self.sorting.heard[place].mac.beacon is not None:
                        yield place, ANOTHER_NETWORK
        own_network = self.sorting.networks[join.network]
        for also in self.sorting.met:
            another = self.sorting.networks[also.network]
            if also.device == join.device and also.network != join.network and not another.is_heard_as(own_network):
                coordinator = another.coordinator
                own = also.begins  # where it asked nobody, the ESI may have named another PAN
                for place in self._within(also.frames, start, start if own else end):  # where it was before, not where it goes later
                    yield place, ANOTHER_NETWORK if own and _is_from(self.sorting.heard[place], coordinator) else None

    def _radio(self, network: Network, place: int) -> str | None:
        """Whose radio sent a frame: the ESI answers associations by its EUI-64, and numbers these like all others."""
        header = self.sorting.heard[place].mac
        if header.source_ieee is None and header.source_short is None:
            return None
        if header.source_short == nwk.COORDINATOR or (header.source_ieee is not None and header.source_ieee == network.coordinator):
            return Actor.ESI.value
        device = header.source_ieee
        if device is None:  # an address may be given again; who had it before anybody said so had it from the beginning
            device = network.owners.get(place, network.short_addresses.get(header.source_short))
        return None if device is None else str(Eui64(device))

    def _within(self, places: list[int], start: float, end: float) -> list[int]:
        return [place for place in places if start - AROUND <= self.sorting.heard[place].time <= end + AROUND]

    def _header(self, device: Eui64, missing: Iterable[Gap], ordered: bytes = b"") -> Header:
        """`ordered` is the key that was ordered for the device: where it is the one that it is said to hold, it does."""
        claimant, authority = self.known.claimants.get(device), self.known.authority_of(device)
        known = {Unknown.AUTHORITY} if authority else set()
        pics: dict[str, bool | None] = {}
        if claimant is not None:
            known |= {Unknown.KIND, *((Unknown.HELD,) if claimant.link_key == ordered else ())}
            pics = {**dict.fromkeys(PROFORMA), **claimant.pics}
        kind = DeviceType.PCT if claimant is None else claimant.device_type
        order = Order(device, kind, b"", "link_key", LONG_AGO, inf)  # what is not known of it, clauses do not take from it
        about = {
            UNKNOWN: [each.value for each in Unknown if each not in known],
            MISSING: [(each.start, each.end, each.cause) for each in missing],
        }
        return Header(order, self.intake.epoch, pics=pics, pixit={"eui64": str(device), **authority}, about=about)


def _is_open(frame: Frame) -> bool:
    """Whether a key that is learnt later shows nothing more of it."""
    tunnel = frame.find(aps.Tunnel)
    sealed = (frame.security.nwk, frame.security.aps, None if tunnel is None or tunnel.inner is None else tunnel.inner.outcome)
    return all(outcome in (None, "ok") for outcome in sealed)


def _mixed(network: Network) -> Iterator[Gap]:
    if network.conflict:
        yield Gap(-inf, inf, f"two networks have the PAN identifier {network.address[1]:04x}, and whose a frame is cannot be told: "
                  f"{network.conflict}")


def _is_from(each: Taken, coordinator: Eui64 | None) -> bool:
    header = each.frame.nwk
    if header is not None and "source" in header:
        return bool(header.source == nwk.COORDINATOR)
    return each.mac.source_short == nwk.COORDINATOR or (coordinator is not None and each.mac.source_ieee == coordinator)


def _append(trace: Trace, each: Taken, producer: str | None) -> Exchange:
    about = {PACKET: each.packet, "channel": each.channel, "lqi": each.lqi, "rssi": each.rssi}
    return trace.append(each.time, Point.MAC, each.medium, each.octets, producer, about={
        name: value for name, value in about.items() if value is not None
    })
