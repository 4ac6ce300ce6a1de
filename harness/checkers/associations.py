"""Reading associations in a trace: who asked whom to be let in, what the answer was, which keys followed. Gives no verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from dissectors import aps, mac, nwk
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness.checkers.reading import Air, Heard, air
from harness.crypto.install_code import InstallCode, InstallCodeError, known_mistakes
from harness.remembered import Remembered
from harness.trace import Trace
from harness.usecase import Actor
from harness.values import Eui64

REPEAT_SPAN = 0.5  # seconds within which a request with the same sequence number is a MAC retransmission of the first


@dataclass(frozen=True)
class Association:
    """One attempt to associate, until the device's next one at `until` (infinite for the last).

    `request` is its first transmission. `responses` are the association responses to it, `transports` the APS commands without
    NWK security that the coordinator sent to the address it gave: Transport-Key, as far as the keys of the run open them.
    """

    device: Eui64
    request: Heard
    until: float
    responses: tuple[Heard, ...]
    transports: tuple[Heard, ...]
    granted: Heard | None  # the response that let it in and that its radio took

    @property
    def short_address(self) -> int | None:
        """The address it was given, None where it was not let in."""
        return None if self.granted is None else self.granted.find(mac.AssociationResponse).short_address

    @property
    def pan(self) -> int:
        """The PAN it asked to be let into; a request to a PAN coordinator may name it as its source's (05-3474 annex D.3)."""
        return int(self.request.frame.pan or 0)


_KNOWN: Remembered[Air, tuple[Association, ...]] = Remembered()


def associations(trace: Trace) -> tuple[Association, ...]:
    """Every attempt in the order of the requests; read once for all checkers."""
    heard = air(trace)
    known = _KNOWN.get(heard)
    if known is None:
        _KNOWN[heard] = known = _associations(heard)
    return known


def _associations(heard: Air) -> tuple[Association, ...]:
    requests = [each for each in heard.of(mac.AssociationRequest) if each.sent and each.mac.source_ieee is not None]
    firsts = [each for place, each in enumerate(requests) if not any(_repeats(each, other) for other in requests[:place])]
    return tuple(_association(heard, each, firsts[place + 1 :]) for place, each in enumerate(firsts))


def of_the_device(trace: Trace) -> Iterator[Association]:
    """The attempts of the HAN device that is on the bench, whoever was ordered."""
    device = own_address(trace)
    return (each for each in associations(trace) if each.device == device)


def own_address(trace: Trace) -> Eui64:
    """The EUI-64 of the HAN device that is on the bench; where nobody said it, the one that was ordered."""
    address = trace.header.pixit.get("eui64")
    return trace.header.order.device if address is None else Eui64.parse(address)


def is_by_esi(heard: Heard) -> bool:
    """Whether the ESI made the frame: the coordinator, where the capture cannot tell its sender."""
    if heard.exchange.producer is not None and heard.exchange.producer != Actor.ESI:
        return False
    if heard.nwk is not None and "source" in heard.nwk:
        return bool(heard.nwk.source == nwk.COORDINATOR)
    return heard.mac is not None and heard.mac.source_short == nwk.COORDINATOR


def carries_network_key(transport: Heard) -> bool:
    """Whether it is a Transport-Key with a network key, or may be one: a command that stays sealed."""
    command = transport.find(aps.TransportKey)
    return transport.aps.command is None or (command is not None and command.key_type in aps.NETWORK_KEYS)


def has_registered(trace: Trace, association: Association) -> bool:
    """Whether the device used a link key of its own, made by key establishment, before it associated (again)."""
    return any(
        each.frame.aps_key_kind == "link" and each.frame.aps_key is not None and each.time < association.request.time
        for each in air(trace)
    )


def mistake_in_sealing(trace: Trace, key: Heard) -> str:
    """The cause that explains how a network key was sealed, where it is not sealed as ordered with a key-transport key."""
    frame, order = key.frame, trace.header.order
    if frame.security.aps is None:
        return "key-in-the-clear"
    if frame.aps_key == WELL_KNOWN_LINK_KEY:
        return "sealed-with-the-well-known-key"
    try:
        mistakes = known_mistakes(InstallCode.parse(order.key_material)) if order.key_form == "install_code" else {}
    except InstallCodeError:
        mistakes = {}
    made = next((name for name, wrong in mistakes.items() if wrong == frame.aps_key), None)
    if made is not None:
        return made
    if frame.aps_key_identifier != nwk.KeyIdentifier.KEY_TRANSPORT:
        return f"sealed-with-key-{frame.aps_key_identifier}"
    return "sealed-with-another-key"


def _repeats(request: Heard, other: Heard) -> bool:
    same = (request.mac.source_ieee, request.mac.sequence) == (other.mac.source_ieee, other.mac.sequence)
    return same and request.time - other.time <= REPEAT_SPAN


def _association(heard: Air, request: Heard, later: list[Heard]) -> Association:
    device = Eui64(request.mac.source_ieee)
    until = next((each.time for each in later if each.mac.source_ieee == device), inf)
    during = heard.between(request.time, until)
    responses = tuple(
        each for each in during if each.find(mac.AssociationResponse) is not None and each.mac.dest_ieee == device
    )
    granted = next((each for each in responses if _lets_in(each) and each.arrived and heard.is_acknowledged(each)), None)
    short = None if granted is None else granted.find(mac.AssociationResponse).short_address
    transports = tuple(
        each for each in during
        if granted is not None and each.number > granted.number and _is_transport(each)
        and (each.mac.dest_pan, each.nwk.dest) == (request.frame.pan, short)
    )
    return Association(device, request, until, responses, transports, granted)


def _lets_in(response: Heard) -> bool:
    return bool(response.find(mac.AssociationResponse).status == mac.AssociationStatus.SUCCESS)


def _is_transport(each: Heard) -> bool:
    return (
        each.aps is not None and each.aps.frame_type == aps.FrameType.COMMAND and not each.nwk.security_enabled
        and each.nwk.source == nwk.COORDINATOR
    )
