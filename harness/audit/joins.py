"""Which devices join which networks in a capture, and which frames are about whom, by addresses alone. Gives no verdict.

A network is the PAN of a coordinator on one medium. A join begins when a device that is no member asks for association; attempts
that fail belong to the next that succeeds, and a member that associates anew joins a second time. Of a device that was a member
before the capture began, what shows of the steps is a join without its beginning.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from dissectors import aps, mac, nwk, smart_energy, zdp
from dissectors.clusters import key_establishment
from dissectors.frame import Frame
from harness.audit.intake import ACK_SPAN, Taken
from harness.values import Eui64

Address = tuple[str, int]  # of a network: its medium and its PAN identifier
RECENT = 8  # frames back in which what an acknowledgement answers is looked for
SCAN_SPAN = 300.0  # seconds before an association in which the scans for it lie
NUMBERS = 1 << 8  # of MAC sequence numbers


@dataclass(eq=False)
class Join:
    """One device joining one network. `frames` are places of what was heard, `scan` those of the scans before it.

    `begins` says whether its beginning is in the capture: an association; `member` whether it used the network; `over` that no
    more of it is waited for: what the device does then is another join.
    """

    device: Eui64
    network: Address
    begins: bool
    frames: list[int] = field(default_factory=list)
    scan: list[int] = field(default_factory=list)
    member: bool = False
    established: float | None = None  # when the last frame of key establishment was, seconds
    shows: bool = False  # whether anything of the steps was
    opened: float = 0.0  # when it first asked, or showed anything, seconds
    over: bool = False

    @property
    def found(self) -> bool:
        """Whether it is a join at all: else the device was on the network before, and shows nothing."""
        return self.begins or self.shows


@dataclass
class Network:
    """One network: `frames` are those of its PAN, `shared` those of them that are about no device.

    `coordinators` and `extended_pans` are what it names as its coordinator and itself: one each, where it is one network.
    """

    address: Address
    extended_pans: list[Eui64] = field(default_factory=list)
    coordinators: list[Eui64] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    short_addresses: dict[int, Eui64] = field(default_factory=dict)
    owners: dict[int, Eui64] = field(default_factory=dict)  # by place of a frame: whose its sender's short address was then
    parents: dict[Eui64, int | None] = field(default_factory=dict)  # the short address that each device asked for association

    @property
    def extended(self) -> Eui64 | None:
        """Its extended PAN identifier, as its coordinator's last beacon has it."""
        return self.extended_pans[-1] if self.extended_pans else None

    @property
    def coordinator(self) -> Eui64 | None:
        """Who coordinates it, by what came first."""
        return self.coordinators[0] if self.coordinators else None

    @property
    def conflict(self) -> str:
        """Why it is more than one network with one PAN identifier; nothing where it is one."""
        told = [("coordinators", self.coordinators), ("extended PAN identifiers", self.extended_pans)]
        return "; ".join(f"{name} {', '.join(map(str, sorted(each)))}" for name, each in told if len(each) > 1)

    def is_heard_as(self, other: Network) -> bool:
        """Whether both are one network, heard on two media: by two interfaces, or before and after it changed its channel."""
        return self.coordinator is not None and (self.coordinator, self.address[1]) == (other.coordinator, other.address[1])


_Placed = tuple[int, tuple[Network, tuple[Join, ...]] | None]  # a frame, with the network and the joins that it belongs to


class Sorting:
    """What was heard, sorted by network and by join, frame by frame; `scans` are the places of beacon requests, which name neither.

    `met` holds, beside the joins, what is none: frames about a device that was on the network before.
    """

    def __init__(self, heard: Mapping[int, Taken]) -> None:
        self.heard = heard
        self.networks: dict[Address, Network] = {}
        self.met: list[Join] = []
        self.scans: list[int] = []
        self._asked: dict[Eui64, int] = {}  # the last scan that there was when a device last asked for association
        self._current: dict[tuple[Address, Eui64], Join] = {}
        self._recent: dict[str, deque[_Placed]] = defaultdict(lambda: deque(maxlen=RECENT))

    @classmethod
    def of(cls, heard: Mapping[int, Taken]) -> Sorting:
        """All that was heard, in the order of its time."""
        sorting = cls(heard)
        for place in in_time(heard, heard):
            sorting.sort(place)
        return sorting

    @property
    def joins(self) -> list[Join]:
        """The joins, in the order in which their devices were met."""
        return [join for join in self.met if join.found]

    def sort(self, place: int) -> None:
        """Sort one frame; of frames given in another order than that of their time, acknowledgements may be taken for others'."""
        each = self.heard[place]
        if each.mac is None:
            return
        if each.mac.frame_type == mac.FrameType.ACK:
            self._acknowledges(place, self._recent[each.medium])
        else:
            self._recent[each.medium].append((place, self._sort(place, each)))

    def forget(self, before: float) -> None:
        """Give up the frames from before an instant in seconds, and joins that are over with the last of their frames."""
        def kept(places: list[int]) -> list[int]:
            return [place for place in places if self.heard[place].time >= before]

        self.scans = kept(self.scans)
        for network in self.networks.values():
            network.frames, network.shared = kept(network.frames), kept(network.shared)
            network.owners = {place: network.owners[place] for place in kept(list(network.owners))}
        for join in self.met:
            join.frames, join.scan = kept(join.frames), kept(join.scan)
        current = set(self._current.values())
        self.met = [join for join in self.met if join.frames or join in current]
        for medium, recent in self._recent.items():
            self._recent[medium] = deque((each for each in recent if self.heard[each[0]].time >= before), RECENT)

    def _acknowledges(self, place: int, recent: Iterable[_Placed]) -> None:
        """An acknowledgement belongs to the last frame of its number; one that answers nothing belongs to every network there."""
        each = self.heard[place]
        asked = next((
            belongs for earlier, belongs in reversed(tuple(recent))
            if self.heard[earlier].mac.sequence == each.mac.sequence and each.time - self.heard[earlier].time <= ACK_SPAN
        ), ())
        if asked == ():
            for network in self.networks.values():
                if network.address[0] == each.medium:
                    network.frames.append(place)
        elif asked:
            network, joins = asked
            network.frames.append(place)
            for join in joins:
                join.frames.append(place)
            if not joins:
                network.shared.append(place)

    def _sort(self, place: int, each: Taken) -> tuple[Network, tuple[Join, ...]] | None:
        frame = each.frame
        if frame.find(mac.BeaconRequest) is not None:
            self.scans.append(place)
            return None
        if frame.pan in (None, mac.BROADCAST):
            return None
        address = (each.medium, int(frame.pan or 0))
        network = self.networks.setdefault(address, Network(address))
        network.frames.append(place)
        _learn(network, frame)
        owner = network.short_addresses.get(-1 if each.mac.source_short is None else each.mac.source_short)
        if owner is not None:
            network.owners[place] = owner
        devices = _about(network, frame)
        joins = tuple(self._join(network, device, place) for device in devices)
        for join in joins:
            join.frames.append(place)
        if not devices:
            network.shared.append(place)
        return network, joins

    def _join(self, network: Network, device: Eui64, place: int) -> Join:
        """The join of the device that a frame about it belongs to, with what the frame says of it."""
        each, key = self.heard[place], (network.address, device)
        frame = each.frame
        known = self._current.get(key)
        asks = frame.find(mac.AssociationRequest) is not None and each.mac.source_ieee == device
        if known is None or (asks and (known.member or known.over)) or (known.over and _is_key_establishment(frame)):
            known = self._current[key] = Join(device, network.address, asks, opened=each.time)
            self.met.append(known)
        found = known.found
        if asks:
            known.begins = True
            known.scan += self._scan_before(place, self._asked.get(device, -1))
            self._asked[device] = self.scans[-1] if self.scans else -1
        by_device = _sender(network, frame) == device
        known.member = known.member or (by_device and frame.nwk is not None and getattr(frame.nwk, "security", None) is not None)
        if _is_key_establishment(frame):
            known.established, known.shows = each.time, True
        known.shows = known.shows or _shows_a_step(frame)
        known.opened = known.opened if found else each.time
        return known

    def _scan_before(self, place: int, since: int) -> list[int]:
        """The beacon requests after the one that there was before, whose MAC sequence numbers lead up to an association request's:
        nothing else tells their sender."""
        request, found = self.heard[place], []
        number = request.mac.sequence
        for earlier in takewhile(lambda scanned: scanned != since, reversed(self.scans)):
            scan = self.heard[earlier]
            if request.time - scan.time > SCAN_SPAN or scan.mac.sequence is None or number is None:
                break
            if scan.mac.sequence == (number - 1) % NUMBERS:
                found.append(earlier)
                number = scan.mac.sequence
        return found[::-1]


def _learn(network: Network, frame: Frame) -> None:
    """The addresses that a frame shows in the clear or opened, and what its network is called."""
    beacon, response = frame.find(mac.Beacon), frame.find(mac.AssociationResponse)
    if beacon is not None and frame.mac is not None and frame.mac.source_short == nwk.COORDINATOR:
        extended = Eui64(beacon.extended_pan_id)
        network.extended_pans = [*(each for each in network.extended_pans if each != extended), extended]
    if frame.find(mac.AssociationRequest) is not None and frame.mac is not None and frame.mac.source_ieee is not None:
        network.parents[Eui64(frame.mac.source_ieee)] = frame.mac.dest_short
    if response is not None and frame.mac is not None and frame.mac.dest_ieee is not None:
        parent = network.parents.get(Eui64(frame.mac.dest_ieee))  # a coordinator need not be named (05-3474 annex D.3)
        if frame.mac.source_ieee is not None:
            _enter(network, nwk.COORDINATOR if parent is None else parent, Eui64(frame.mac.source_ieee))
        granted = response.status == mac.AssociationStatus.SUCCESS and nwk.COORDINATOR < response.short_address <= nwk.MAX_UNICAST
        if granted:
            network.short_addresses[response.short_address] = Eui64(frame.mac.dest_ieee)
    header = frame.nwk
    if header is None or not header.is_a(nwk.Nwk) or frame.mac is None:
        return
    security = header.security if header.security_enabled else None
    if security is not None and security.source_ieee is not None and frame.mac.source_short is not None:
        if frame.security.nwk == "ok" and nwk.COORDINATOR < frame.mac.source_short <= nwk.MAX_UNICAST:
            network.short_addresses[frame.mac.source_short] = Eui64(security.source_ieee)  # also of one who had left it to another
        _enter(network, frame.mac.source_short, Eui64(security.source_ieee))  # each hop seals anew: it names the MAC source
    if header.source_ieee is not None:
        _enter(network, header.source, Eui64(header.source_ieee))
    announcement = frame.find(zdp.DeviceAnnce)
    if announcement is not None:
        _enter(network, announcement.nwk_addr, Eui64(announcement.ieee_addr))


def _enter(network: Network, short: int, device: Eui64) -> None:
    if short == nwk.COORDINATOR:
        if device not in network.coordinators:
            network.coordinators.append(device)
    elif short <= nwk.MAX_UNICAST:
        network.short_addresses.setdefault(short, device)


def _about(network: Network, frame: Frame) -> tuple[Eui64, ...]:
    """The devices that a frame is from, to, or about; none for what the coordinator says to all."""
    assert frame.mac is not None
    tunnel, update = frame.find(aps.Tunnel), frame.find(aps.UpdateDevice)
    if tunnel is not None:
        return (Eui64(tunnel.dest),)
    if update is not None:
        return (Eui64(update.device),)
    found: list[Eui64 | None]
    if frame.nwk is not None and "source" in frame.nwk:
        found = [network.short_addresses.get(short) for short in (frame.nwk.source, frame.nwk.dest)]
    else:
        found = [Eui64(ieee) for ieee in (frame.mac.source_ieee, frame.mac.dest_ieee) if ieee is not None]
        shorts = (frame.mac.source_short, frame.mac.dest_short)
        found += [network.short_addresses.get(short) for short in shorts if short is not None]
    return tuple(dict.fromkeys(each for each in found if each is not None and each not in network.coordinators))


def _sender(network: Network, frame: Frame) -> Eui64 | None:
    if frame.nwk is not None and "source" in frame.nwk:
        return network.short_addresses.get(frame.nwk.source)
    return None


def _is_key_establishment(frame: Frame) -> bool:
    header = frame.aps
    return header is not None and header.cluster == key_establishment.CLUSTER.identifier


def _shows_a_step(frame: Frame) -> bool:
    """Whether it is of steps 6 to 9: a key, an announcement, anything of the Smart Energy profile."""
    header = frame.aps
    if header is None or frame.nwk is None or not frame.nwk.is_a(nwk.Nwk):
        return False
    command = header.frame_type == aps.FrameType.COMMAND and not frame.nwk.security_enabled
    return command or frame.find(zdp.DeviceAnnce) is not None or header.profile == smart_energy.PROFILE


def in_time(heard: Mapping[int, Taken], places: Iterable[int]) -> list[int]:
    """Places by the time of their frames: a file may have them in another order, as interfaces and threads came to write them."""
    return sorted(set(places), key=lambda place: (heard[place].time, place))
