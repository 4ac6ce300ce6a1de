"""AMQP 1.0 to a broker, by the engine of qpid-proton; knows links, credit and sections, no socket and no actor.

OASIS AMQP 1.0: transport (part 2), messaging (part 3), SASL (part 5). Every link has a session of its own, because RabbitMQ ends the
whole session over one queue that it does not know. Queues are named as plain clients name them, so that RabbitMQ makes them alike.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.backhaul.broker_carrier import BrokerCarrier
from harness.backhaul.broker_dialect import Accepted, Arrived, Broker, BrokerBounds, Failed, Happening, Letter, Ready, Refused
from harness.backhaul.carrier import Deliver
from harness.errors import BenchError

try:
    import proton
except ImportError:  # the extra `brokers` is not installed; `amqp_carrier` says so
    proton = None  # type: ignore[assignment]

PORT, TLS_PORT = 5672, 5671  # registered for amqp and amqps
SENDERS = 64  # queues to which we hold a link; the one that was idle longest gives way
SECTIONS = 1 << 16  # octets of a message beside its body
WINDOW = 1 << 20  # octets that the broker may send ahead on one link
DATA = b"\x00\x53\x75"  # constructor of a data section (3.2.6)
SIZES = {b"\xa0": 1, b"\xb0": 4}  # vbin8 and vbin32: octets of the size
OWN = {  # property of the specification (3.2.4) to the attribute that proton has for it
    "message-id": "id", "correlation-id": "correlation_id", "reply-to": "reply_to", "subject": "subject",
    "content-type": "content_type", "to": "address",
}
NOT_AUTHORIZED = ("amqp:unauthorized-access", "amqp:not-allowed")


def amqp_carrier(deliver: Deliver, places: Sequence[str], broker: Broker, bounds: BrokerBounds | None = None) -> BrokerCarrier:
    """A carrier at an AMQP 1.0 broker. Raises BenchError where the library is not installed."""
    if proton is None:
        raise BenchError("amqp needs python-qpid-proton, which is not installed: pip install 'hanproof[brokers]'")
    at = replace(broker, port=broker.port or (TLS_PORT if broker.tls else PORT))
    return BrokerCarrier("amqp", AmqpDialect, deliver, places, at, bounds or BrokerBounds())


@dataclass
class _Target:
    """A link to a queue that we send to, and what waits for credit there."""

    link: Any
    letters: deque[tuple[int, Letter]] = field(default_factory=deque)
    unsettled: set[int] = field(default_factory=set)


class AmqpDialect:
    """One connection, from SASL to Close."""

    def __init__(self, broker: Broker, queues: Sequence[str], bounds: BrokerBounds) -> None:
        self._broker, self._queues, self._bounds = broker, queues, bounds
        self._connection, self._transport, self._collector = proton.Connection(), proton.Transport(), proton.Collector()
        self._targets: OrderedDict[str, _Target] = OrderedDict()
        self._opening = set(queues)
        self._partial: dict[str, bytearray] = {}  # link to what has come of a message
        self._deadline: float | None = None
        self._frames: list[bytes] = []

    def begin(self) -> None:
        """Open the connection and a link from every queue."""
        who = self._broker.credentials
        sasl = self._transport.sasl()
        sasl.allow_insecure_mechs = True  # PLAIN without TLS: loopback, unless the bench says otherwise
        sasl.allowed_mechs("PLAIN" if who else "EXTERNAL ANONYMOUS" if self._broker.tls else "ANONYMOUS")
        if who:
            self._connection.user, self._connection.password = who.user, who.password
        self._connection.container = "hanproof"
        self._connection.hostname = self._broker.host if self._broker.virtual_host == "/" else f"vhost:{self._broker.virtual_host}"
        self._connection.collect(self._collector)
        self._transport.bind(self._connection)
        self._connection.open()
        for queue in self._queues:
            receiver = self._session().receiver(queue)
            receiver.source.address = queue
            receiver.open()
            receiver.flow(self._bounds.prefetch)

    def receive(self, octets: bytes, now: float) -> list[Happening]:
        """Feed the engine, and say what its events mean."""
        happened: list[Happening] = []
        while octets:
            try:
                room = self._transport.capacity()
                if room <= 0:
                    break
                self._transport.push(octets[:room])
            except proton.ProtonException as fault:
                return [*happened, Failed(f"what it sends is no AMQP 1.0 ({fault})")]
            octets = octets[room:]
            happened += self._events()
        self._produce(now)  # the engine notices some failures only when it writes
        return happened + self._events()

    def publish(self, tag: int, letter: Letter) -> None:
        """Put a message into the link to its queue."""
        target = self._targets.get(letter.queue)
        if target is None:
            self._give_way()
            link = self._session().sender(letter.queue)
            link.target.address = letter.queue
            link.open()
            target = self._targets[letter.queue] = _Target(link)
        self._targets.move_to_end(letter.queue)
        target.letters.append((tag, letter))
        self._fill(target)

    def acknowledge(self, delivery: Any) -> None:
        """Accept and settle, and let one more come."""
        delivery.update(proton.Delivery.ACCEPTED)
        delivery.settle()
        delivery.link.flow(1)

    def end(self) -> None:
        """Close the connection."""
        self._connection.close()

    def to_send(self, now: float) -> bytes:
        """Frames, and an empty one where the broker wants to see that we live."""
        self._produce(now)
        octets, self._frames = b"".join(self._frames), []
        return octets

    def deadline(self) -> float | None:
        """When an empty frame is due."""
        return self._deadline

    # -- inside

    def _produce(self, now: float) -> None:
        try:
            self._deadline = self._transport.tick(now) or None
            while (pending := self._transport.pending()) > 0:
                self._frames.append(self._transport.peek(pending) or b"")
                self._transport.pop(pending)
        except proton.ProtonException:  # its head is closed: there is nothing more to say
            self._deadline = None

    def _session(self) -> Any:
        session = self._connection.session()
        session.incoming_capacity = WINDOW
        session.open()
        return session

    def _give_way(self) -> None:
        """Make room for one more link."""
        idle = [queue for queue, target in self._targets.items() if not target.letters and not target.unsettled]
        for queue in idle[: max(0, len(self._targets) + 1 - SENDERS)]:
            link = self._targets.pop(queue).link
            link.close()
            link.session.close()

    def _events(self) -> list[Happening]:
        happened: list[Happening] = []
        while (event := self._collector.peek()) is not None:
            happened += self._event(event)
            self._collector.pop()
        return happened

    def _event(self, event: Any) -> list[Happening]:
        kinds = proton.Event
        match event.type:
            case kinds.LINK_REMOTE_OPEN if event.link.is_receiver:
                self._opening.discard(event.link.name)
                return [Ready()] if not self._opening else []
            case kinds.LINK_FLOW if event.link.is_sender and event.link.name in self._targets:
                self._fill(self._targets[event.link.name])
            case kinds.DELIVERY:
                return self._arrived(event.delivery) if event.link.is_receiver else self._outcome(event.delivery)
            case kinds.LINK_REMOTE_CLOSE | kinds.LINK_REMOTE_DETACH:
                return self._gone([event.link], event.link.remote_condition)
            case kinds.SESSION_REMOTE_CLOSE:
                links = [target.link for target in self._targets.values() if target.link.session == event.session]
                links += [link for link in self._receivers() if link.session == event.session]
                return self._gone(links, event.session.remote_condition)
            case kinds.CONNECTION_REMOTE_CLOSE:
                return [self._failed(event.connection.remote_condition, "the broker closed the connection")]
            case kinds.TRANSPORT_ERROR:
                return [self._failed(event.transport.condition, "the connection broke")]
        return []

    def _receivers(self) -> list[Any]:
        links, link = [], self._connection.link_head(0)
        while link is not None:
            links += [link] if link.is_receiver else []
            link = link.next(0)
        return links

    def _gone(self, links: list[Any], condition: Any) -> list[Happening]:
        """The broker has taken a link away from us."""
        happened: list[Happening] = []
        for link in links:
            if link.is_receiver:
                return [self._failed(condition, "no link", f"queue {link.name!r}: ")]
            target = self._targets.get(link.name)
            if target is not None and target.link == link:
                del self._targets[link.name]
                why = _words(condition, "the link was closed")
                happened += [Refused(tag, why) for tag in sorted({*target.unsettled, *(tag for tag, _ in target.letters)})]
            link.session.close()
        return happened

    def _failed(self, condition: Any, otherwise: str, before: str = "") -> Failed:
        """For good only where we are not let in: what is refused later may be one queue's matter."""
        refused = condition is not None and condition.name in NOT_AUTHORIZED
        return Failed(before + _words(condition, otherwise), final=refused and bool(self._opening))

    def _fill(self, target: _Target) -> None:
        """Send what waits, as far as there is credit."""
        while target.letters and target.link.credit > 0:
            tag, letter = target.letters.popleft()
            target.unsettled.add(tag)
            target.link.delivery(str(tag))
            target.link.stream(bytes(_message(letter).encode()))
            target.link.advance()

    def _outcome(self, delivery: Any) -> list[Happening]:
        """What the broker made of a message of ours."""
        state, tag = delivery.remote_state, int(delivery.tag)
        if not state and not delivery.settled:
            return []
        target = self._targets.get(delivery.link.name)
        if target is not None:
            target.unsettled.discard(tag)
        delivery.settle()
        if state in (proton.Delivery.ACCEPTED, 0):
            return [Accepted(tag)]
        words = {proton.Delivery.RELEASED: "no such queue (released)", proton.Delivery.MODIFIED: "not taken (modified)"}
        return [Refused(tag, words.get(state, "rejected"))]

    def _arrived(self, delivery: Any) -> list[Happening]:
        """Take what has come of a message, and the message when it is whole. What is beyond the limit is not kept."""
        link = delivery.link
        if not delivery.readable:
            return []
        kept = self._partial.setdefault(link.name, bytearray())
        while delivery.pending and (octets := link.recv(delivery.pending)):
            kept += octets[: self._bounds.body + SECTIONS - len(kept)]
        if delivery.aborted:
            flaw = "the sender aborted it"
        elif delivery.partial:
            return []
        else:
            flaw = ""
        del self._partial[link.name]
        link.advance()
        letter, wrong = read_message(link.name, bytes(kept), self._bounds.body)
        return [Arrived(letter, delivery, flaw or wrong)]


def _words(condition: Any, otherwise: str) -> str:
    return ": ".join(filter(None, (condition.name, condition.description))) if condition else otherwise


def _message(letter: Letter) -> Any:
    """A durable message with one data section."""
    message = proton.Message(body=letter.octets, inferred=True, durable=True)
    others = {name: value for name, value in letter.properties.items() if name not in OWN}
    if "subject" in letter.properties:  # once more, because RabbitMQ 3.10 loses that of an AMQP 1.0 message
        others["subject"] = letter.properties["subject"]
    for name in OWN.keys() & letter.properties.keys():
        setattr(message, OWN[name], letter.properties[name])
    message.properties = others  # type: ignore[assignment]
    return message


def read_message(queue: str, octets: bytes, most: int) -> tuple[Letter, str]:
    """The message in these octets, and what is wrong with it."""
    sections, body, whole = _cut(octets)
    message = proton.Message()
    try:
        message.decode(octets if body is None else sections)
        properties, correlation = _properties(message)
        flaw = ""
        if body is None:
            body, flaw = _value(message.body)
            whole = len(body)
    except (proton.ProtonException, ValueError, TypeError) as fault:
        return Letter(queue, octets[:most]), f"no AMQP message ({fault})"
    if whole > most:
        flaw = f"a body of {whole} octets, more than the {most} that are kept"
    elif whole > len(body):
        flaw = f"a body of {whole} octets, of which {len(body)} came"
    return Letter(queue, body[:most], properties, correlation), flaw


def _cut(octets: bytes) -> tuple[bytes, bytes | None, int]:
    """The sections before the body, the body as far as it came (None where it is not in data sections), and its whole length."""
    at, body, whole = 0, b"", 0
    try:
        while at < len(octets) and octets[at : at + 3] != DATA:
            at += max(1, proton.Data().decode(octets[at : at + SECTIONS]))
    except proton.ProtonException:
        return octets, None, 0
    before = octets[:at]
    while octets[at : at + 3] == DATA and (width := SIZES.get(octets[at + 3 : at + 4])):
        start = at + 4 + width
        size = int.from_bytes(octets[at + 4 : start], "big")
        body, whole, at = body + octets[start : start + size], whole + size, start + size
    return (before, body, whole) if len(before) < at else (octets, None, 0)


def _value(body: Any) -> tuple[bytes, str]:
    """A body that is not in data sections: octets, text as UTF-8, or what AMQP makes of anything else, with a flaw."""
    if body is None or isinstance(body, str):
        return (body or "").encode(), ""
    if isinstance(body, (bytes, memoryview)):
        return bytes(body), ""
    encoded = proton.Data()
    encoded.put_object(body)
    return bytes(encoded.encode()), f"a body that is an AMQP {type(body).__name__}, not octets"


def _properties(message: Any) -> tuple[dict[str, Any], Any]:
    """All properties as plain values, the application's below our own names, and the correlation id as it came."""
    own = {name: _owned(getattr(message, attribute)) for name, attribute in OWN.items()}
    unset = (None, "", "None")  # the last is what proton makes of a symbol that is not there
    found = {**(message.properties or {}), **{name: value for name, value in own.items() if value not in unset}}
    plain = {str(name): _plain(_owned(value)) for name, value in found.items()}
    if message.delivery_count or not message.first_acquirer:
        plain["redelivered"] = True
    return plain, own["correlation-id"] if own["correlation-id"] is not None else own["message-id"]


def _owned(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _plain(value: Any) -> Any:
    """A value that evidence can hold; binary as hexadecimal digits."""
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, (bool, int, float)) else str(value)
