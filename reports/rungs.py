"""A trace as the rungs of a message ladder: who sent what to whom, in which step. Knows nothing of pictures or verdicts.

Acknowledgements, polls and link status say nothing about the use case and are folded; a message said again and again is drawn
once with its count. What is evidence of something (`keep`) is always drawn on its own.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from dissectors import aps, mac, nwk, zcl, zdp
from dissectors.clusters import basic, by_identifier, key_establishment, time
from dissectors.frame import Frame
from dissectors.layer import Record
from harness.backhaul.codec import LegCodec
from harness.backhaul.message import LegKind
from harness.checkers.correspondence import leg_codec
from harness.checkers.reading import Heard, air
from harness.cim.reply_codes import ReplyCode
from harness.errors import Inconclusive, RemoteProtocolError
from harness.evidence.by_hand import Deed, deeds
from harness.trace import Exchange, Trace
from harness.usecase import Actor, Point, kind_of

Marks = Mapping[int, tuple[tuple[str, str], ...]]
"""What exchanges are evidence of: exchange number -> (verdict, clause@actor) pairs, the worst first."""

LEGEND = "Acknowledgements, polls, link status and log lines are left out unless they are evidence; the trace has them all."
LINE = 80  # letters of a log line that are shown, and half of those of what was done by hand
ACTORS = (  # from the back office to the radio
    Actor.CIS, Actor.ODS, Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC, Actor.ESI, Actor.HAN_DEVICE,
)
LONG_SILENCE = 5.0  # seconds; a longer pause is shown as one
OFTEN = 3  # a message said this often in a row is drawn once

_STEP_OF_WIRE: dict[tuple[str, str], int] = {
    (Actor.DR_APPLICATION, Actor.AMI_HEAD_END): 1,
    (Actor.AMI_HEAD_END, Actor.AMI_NETWORK): 2,
    (Actor.AMI_NETWORK, Actor.NIC): 3,
    (Actor.NIC, Actor.ESI): 4,
    (Actor.ESI, Actor.NIC): 10,
    (Actor.NIC, Actor.AMI_NETWORK): 11,
    (Actor.AMI_NETWORK, Actor.AMI_HEAD_END): 12,
    (Actor.AMI_HEAD_END, Actor.DR_APPLICATION): 13,
    (Actor.DR_APPLICATION, Actor.CIS): 14,
}



@dataclass(frozen=True)
class Rung:
    """One exchange on the ladder. `receiver` is "" for a broadcast to `radios`, all that are on that air, and the producer for a
    line it wrote into its log; `step` is None where the exchange belongs to no step.

    `times` counts how often it was said in a row, `until` is when the last of these was seen.
    """

    number: int
    time: float
    producer: str
    receiver: str
    label: str
    step: int | None
    fate: str
    times: int = 1
    until: float = 0.0
    radios: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """What was said, that it was said to all, and how often."""
        told = self.label if self.receiver else f"{self.label} (to all)"
        return told if self.times == 1 else f"{told}, {self.times} times in {_duration(self.until - self.time)}"

    def repeats(self, other: Rung | Fold) -> bool:
        """Whether the other says the same again."""
        return isinstance(other, Rung) and replace(other, number=self.number, time=self.time) == self

    def heard_by(self, names: Iterable[str]) -> list[str]:
        """The lifelines it goes to: its receiver, or everyone else who has a radio on that air."""
        if self.receiver:
            return [self.receiver] if self.receiver != self.producer else []
        return [name for name in names if name in self.radios and name != self.producer]


@dataclass(frozen=True)
class Fold:
    """A long pause, in which nothing that is drawn was said; times in seconds since the bench started. Or else what was done by hand."""

    start: float
    end: float
    words: str
    by_hand: bool = False

    @property
    def text(self) -> str:
        """How long it took, and what was folded."""
        if self.by_hand:
            return f"* {self.words}"
        pause = _duration(self.end - self.start)
        return f"... {pause}: {self.words}" if self.words else f"... {pause} of silence"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def rungs(trace: Trace, keep: Container[int] = ()) -> list[Rung | Fold]:
    """The whole trace, in the order it was seen."""
    heard = {each.number: each for each in air(trace)}
    peers, codec = _Peers(), _codec_of(trace)
    ladder: list[Rung | Fold] = []
    folded: Counter[str] = Counter()
    previous = 0.0
    by_hand = deque(deeds(trace.header.about))
    for exchange in trace:
        while by_hand and by_hand[0].at <= exchange.time:
            ladder.append(_by_hand(by_hand.popleft()))
        frame = heard.get(exchange.number)
        rung = peers.of_the_air(frame) if frame is not None else _of_a_wire(exchange, codec)
        if exchange.number not in keep:
            if exchange.point is Point.LOG:
                continue
            if frame is not None and (routine := _routine(frame.frame)):
                folded[routine] += 1
                continue
        ladder.extend(_pause(folded, previous, rung.time))
        folded.clear()
        ladder.append(rung)
        previous = exchange.time
    ladder = [each if isinstance(each, Fold) or each.receiver else replace(each, radios=peers.radios(each.number)) for each in ladder]
    last = trace.exchanges[-1].time if trace.exchanges else 0.0
    return _gathered([*ladder, *_pause(folded, previous, last), *map(_by_hand, by_hand)], keep)


def _by_hand(deed: Deed) -> Fold:
    return Fold(deed.at, deed.at, f"{deed.at:.3f} s: {deed.text[:2 * LINE]}", by_hand=True)


def _pause(folded: Counter[str], start: float, end: float) -> Iterator[Fold]:
    """The fold between two rungs, if the pause was long."""
    if end - start > LONG_SILENCE:
        words = ", ".join(f"{count} {words}{'s' if count > 1 else ''}" for words, count in folded.items())
        yield Fold(start, end, words)


def _gathered(ladder: list[Rung | Fold], keep: Container[int]) -> list[Rung | Fold]:
    """The ladder with every message that was said again and again drawn once; the pauses in between go with it."""
    gathered: list[Rung | Fold] = []
    at = 0
    while at < len(ladder):
        first = ladder[at]
        run = [first]
        for each in ladder[at + 1:]:
            if isinstance(first, Fold) or not ((isinstance(each, Fold) and not each.by_hand) or first.repeats(each)):
                break
            run.append(each)
        while isinstance(run[-1], Fold) and len(run) > 1:
            run.pop()
        said = [each for each in run if isinstance(each, Rung)]
        if len(said) >= OFTEN and not any(each.number in keep for each in said):
            gathered.append(replace(said[0], times=len(said), until=said[-1].time))
            at += len(run)
        else:
            gathered.append(first)
            at += 1
    return gathered


def lifelines(ladder: Iterable[Rung | Fold]) -> list[str]:
    """Every party of the ladder from left to right: the actors of the use case, then whoever else was on the air."""
    seen = [name for rung in ladder if isinstance(rung, Rung) for name in (rung.producer, rung.receiver) if name]
    return [*(actor for actor in ACTORS if actor in seen), *dict.fromkeys(name for name in seen if name not in ACTORS)]


def _routine(frame: Frame) -> str:
    """What a frame that is not drawn is called; empty for all others."""
    if frame.mac is None:
        return ""
    if frame.mac.frame_type == mac.FrameType.ACK:
        return "MAC ack"
    if frame.aps is not None and frame.aps.frame_type == aps.FrameType.ACK:
        return "APS ack"
    if frame.find(mac.DataRequest) is not None:
        return "poll"
    return "link status frame" if frame.find(nwk.LinkStatus) is not None else ""


class _Peers:
    """Who has which address, learnt from the frames as they pass, so that an arrow finds its receiver."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str, int], str] = {}
        self._radios: dict[str, set[str]] = {}  # by the air that they are on
        self._air: dict[int, str] = {}  # of an exchange

    def of_the_air(self, heard: Heard) -> Rung:
        """The rung of one frame; producer and receiver come from the tap where it knows them, else from the addresses."""
        exchange, frame = heard.exchange, heard.frame
        air = self._air[exchange.number] = exchange.medium.partition(":")[0]
        source, dest = _address(frame.mac, "source"), _address(frame.mac, "dest")
        producer = exchange.producer or self._named(air, source)
        if source is not None:
            self._names.setdefault((air, *source), producer)
        receiver = exchange.receiver or ("" if dest is None or dest[1] == mac.BROADCAST else self._named(air, dest))
        self._radios.setdefault(air, set()).update(name for name in (producer, receiver) if name)
        label = frame.summary() if frame.malformed is None else f"malformed: {frame.malformed}"
        return Rung(exchange.number, exchange.time, producer, receiver, label, step_of(frame), exchange.fate)

    def radios(self, number: int) -> frozenset[str]:
        """Everyone who was heard on the air of that exchange."""
        return frozenset(self._radios.get(self._air.get(number, ""), ()))

    def _named(self, air: str, address: tuple[str, int] | None) -> str:
        if address is None or address == ("short", nwk.COORDINATOR):
            return self._names.get((air, "short", nwk.COORDINATOR), Actor.ESI)
        return self._names.get((air, *address), Actor.HAN_DEVICE)


def _address(header: Record | None, side: str) -> tuple[str, int] | None:
    if header is None:
        return None
    for width in ("short", "ieee"):
        value = getattr(header, f"{side}_{width}")
        if value is not None:
            return width, value
    return None


def step_of(frame: Frame) -> int | None:
    """The step of the use case that a frame serves; None for housekeeping and for what stays sealed."""
    if frame.nwk is None:
        return None if frame.mac is None else 6 if frame.find(mac.AssociationResponse) is not None else 5
    if frame.aps is None:
        joining = (nwk.RejoinRequest, nwk.RejoinResponse, nwk.Leave)
        return 6 if any(frame.find(layer) is not None for layer in joining) else None
    if frame.aps.cluster is None:
        return 6  # an APS command: keys and what admission needs
    if frame.aps.profile == zdp.PROFILE:
        early = {zdp.cluster_of(zdp.DeviceAnnce): 6, zdp.cluster_of(zdp.MgmtPermitJoiningReq): 4}
        return early.get(frame.aps.cluster, 7)
    if frame.aps.cluster == key_establishment.CLUSTER.identifier:
        return 7 if frame.zcl is not None and frame.zcl.frame_type == zcl.FrameType.GENERAL else 8
    return 7 if frame.aps.cluster in (basic.CLUSTER.identifier, time.CLUSTER.identifier) else 9


def _codec_of(trace: Trace) -> LegCodec | None:
    try:
        return leg_codec(trace)
    except Inconclusive:
        return None


def _of_a_wire(exchange: Exchange, codec: LegCodec | None) -> Rung:
    producer, receiver = exchange.producer or "?", exchange.receiver or ""
    if exchange.point is Point.LOG:
        line = exchange.octets.decode(errors="replace")
        return Rung(exchange.number, exchange.time, producer, producer, f"log: {line[:LINE]}", None, exchange.fate)
    if exchange.point is Point.CIM:
        verb, noun, result = _said(exchange.octets)
        flaw = str(exchange.about.get("flaw") or "")[:LINE]
        label, serves = ": ".join(part for part in (f"{verb} {noun}".strip(), result, flaw) if part), True
        ends = (receiver, producer) if verb == "reply" else (producer, receiver)
    elif exchange.point is Point.APS:
        label, step = _packet(exchange)
        return Rung(exchange.number, exchange.time, producer, receiver or producer, label, step, exchange.fate)
    else:
        label, serves = _leg(exchange.octets, codec)
        ends = (producer, receiver)
    step = _STEP_OF_WIRE.get((kind_of(ends[0]), kind_of(ends[1]))) if serves else None
    return Rung(exchange.number, exchange.time, producer, receiver, label, step, exchange.fate)


def _packet(exchange: Exchange) -> tuple[str, int | None]:
    """What a network co-processor's packet is about, by its cluster, and the step that it serves."""
    profile, cluster = exchange.about.get("profile"), exchange.about.get("cluster")
    known = by_identifier(cluster) if isinstance(cluster, int) else None
    name = "ZDP" if profile == zdp.PROFILE else known.name if known is not None else f"cluster {cluster}"
    step = 7 if profile == zdp.PROFILE else 8 if cluster == key_establishment.CLUSTER.identifier else 9
    return f"packet: {name}, {len(exchange.octets)} octets", step


def _said(octets: bytes) -> tuple[str, str, str]:
    """Verb and noun of an IEC 61968-100 envelope, wherever they stand, and its result where that is not plain success.

    A message that is no XML is said to be none.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError:
        return "unreadable message,", f"{len(octets)} octets", ""
    found = [root.find(f".//{{*}}Header/{{*}}{name}") for name in ("Verb", "Noun")]
    verb, noun = ("" if element is None else (element.text or "").strip() for element in found)
    body = root.find("{*}Body")  # of SOAP around a message
    named = root if body is None or not len(body) else body[0]
    return verb, noun or etree.QName(named).localname, _result(root)


def _result(root: etree._Element) -> str:
    codes = [(each.text or "").strip() for each in root.iterfind(".//{*}Reply/{*}Error/{*}code")]
    if codes == [ReplyCode.ACKNOWLEDGEMENT]:
        return "acknowledged"
    told = root.find(".//{*}Reply/{*}Result")
    result = "OK" if told is None else (told.text or "").strip()
    return "" if result == "OK" else f"{result} {', '.join(codes)}".strip()


def _leg(octets: bytes, codec: LegCodec | None) -> tuple[str, bool]:
    """What a message of a proprietary leg says, and whether it serves a step (what the window does is told on the side)."""
    if codec is None:
        return f"message of another codec, {len(octets)} octets", True
    try:
        message = codec.decode(octets)
    except RemoteProtocolError:
        return f"unreadable message, {len(octets)} octets", True
    told = ": ".join(part for part in (message.kind.replace("_", " "), message.state, message.reason) if part)
    return told, message.kind not in (LegKind.WINDOW_STATE, LegKind.UNDELIVERABLE)
