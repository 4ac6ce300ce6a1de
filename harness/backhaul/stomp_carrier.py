"""STOMP 1.1 and 1.2 to a broker, frames by stomp.py; knows frames, subscriptions and receipts, no socket and no actor.

The protocol is that of https://stomp.github.io; "prefetch-count" and "amqp-message-id" are headers of RabbitMQ, which other brokers
leave alone. A receipt is asked for everything that is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from harness.backhaul.broker_carrier import BrokerCarrier
from harness.backhaul.broker_dialect import Accepted, Arrived, Broker, BrokerBounds, Failed, Happening, Letter, Ready, Refused
from harness.backhaul.carrier import Deliver
from harness.errors import BenchError

os.environ.setdefault("STOMP_SKIP_HOSTNAME_SCAN", "1")  # else stomp.py asks the name service for this machine when it is imported
try:
    import stomp
    import stomp.utils
except ImportError:  # the extra `brokers` is not installed; `stomp_carrier` says so
    stomp = None

PORT, TLS_PORT = 61613, 61614  # customary; none is registered
VERSIONS = ("1.2", "1.1")
QUEUE = "/queue/"
HEAD = 1 << 16  # octets of a frame before its body
HEAD_END = re.compile(rb"\r?\n\r?\n")
LENGTH = re.compile(rb"\ncontent-length:\s*(\d{1,18})\s*(?=\r?\n)")


def stomp_carrier(
    deliver: Deliver, places: Sequence[str], broker: Broker, bounds: BrokerBounds | None = None, *, version: str = VERSIONS[0],
) -> BrokerCarrier:
    """A carrier at a STOMP broker. Raises BenchError where the library is not installed or does not know the version."""
    if stomp is None:
        raise BenchError("stomp needs stomp.py, which is not installed: pip install 'hanproof[brokers]'")
    if version not in VERSIONS:
        raise BenchError(f"stomp version {version!r}: one of {', '.join(VERSIONS)} is needed")
    at = replace(broker, port=broker.port or (TLS_PORT if broker.tls else PORT))
    return BrokerCarrier("stomp", partial(StompDialect, version), deliver, places, at, bounds or BrokerBounds())


class _Outbox:
    """What stomp.py takes for a transport: keeps what it would send."""

    def __init__(self, broker: Broker) -> None:
        self.vhost, self.current_host_and_port = broker.virtual_host, (broker.host, broker.port)
        self.octets = b""

    def set_listener(self, name: str, listener: object) -> None:
        """Nobody listens here: frames that come in go another way."""

    def transmit(self, frame: Any) -> None:
        """Encode a frame."""
        self.octets += b"".join(stomp.utils.convert_frame(frame))


class StompDialect:
    """One connection, from STOMP to DISCONNECT."""

    def __init__(self, version: str, broker: Broker, queues: Sequence[str], bounds: BrokerBounds) -> None:
        self._broker, self._queues, self._bounds = broker, queues, bounds
        self._outbox = _Outbox(broker)
        self._frames = FrameSplitter(bounds.body)
        self._protocol: Any = (stomp.protocol.Protocol12 if version == "1.2" else stomp.protocol.Protocol11)(self._outbox)
        self._version = version
        self._connected = False
        self._subscribing: set[str] = set()

    def begin(self) -> None:
        """Log in."""
        who = self._broker.credentials
        self._protocol.connect(who.user if who else None, who.password if who else None)

    def receive(self, octets: bytes, now: float) -> list[Happening]:
        """Read frames, and say what they mean."""
        happened: list[Happening] = []
        try:
            for head, body, whole in self._frames.feed(octets):
                frame = stomp.utils.parse_frame(head)
                happened += self._frame(frame.cmd, frame.headers, body, whole) if frame else ()
        except ValueError as fault:
            happened.append(Failed(f"what it sends is no STOMP: {fault}"))
        return happened

    def publish(self, tag: int, letter: Letter) -> None:
        """SEND."""
        headers = {name: str(value) for name, value in letter.properties.items()}
        if "message-id" in headers:
            headers["amqp-message-id"] = headers.pop("message-id")  # the protocol keeps `message-id` for the broker
        if "reply-to" in headers:
            headers["reply-to"] = _destination(headers["reply-to"])
        self._protocol.send(_destination(letter.queue), letter.octets, headers={**headers, "receipt": str(tag), "persistent": "true"})

    def acknowledge(self, delivery: Any) -> None:
        """ACK this message and no other."""
        if self._version == "1.2":
            self._protocol.ack(delivery.get("ack", ""))
        else:
            self._protocol.ack(delivery.get("message-id", ""), delivery.get("subscription", ""))

    def end(self) -> None:
        """DISCONNECT; the broker closes when it has read everything."""
        self._protocol.send_frame("DISCONNECT", {"receipt": "end"})

    def to_send(self, now: float) -> bytes:
        """Frames."""
        octets, self._outbox.octets = self._outbox.octets, b""
        return octets

    def deadline(self) -> float | None:
        """We ask for no heartbeats and promise none."""
        return None

    def _frame(self, command: str, headers: dict[str, str], body: bytes, whole: int) -> Iterator[Happening]:
        match command:
            case "CONNECTED":
                self._connected = True
                for number, queue in enumerate(self._queues):
                    self._subscribing.add(receipt := f"subscribed-{number}")
                    self._protocol.subscribe(QUEUE + queue, str(number), "client-individual", {
                        "receipt": receipt, "prefetch-count": str(self._bounds.prefetch),
                    })
            case "RECEIPT":
                receipt = headers.get("receipt-id", "")
                if receipt.isdecimal():
                    yield Accepted(int(receipt))
                elif receipt in self._subscribing:
                    self._subscribing.remove(receipt)
                    if not self._subscribing:
                        yield Ready()
            case "MESSAGE":
                subscription = headers.get("subscription", "")
                if not (subscription.isdecimal() and int(subscription) < len(self._queues)):
                    raise ValueError(f"a message for the subscription {subscription!r}, which we do not have")
                flaw = f"a body of {whole} octets, more than the {self._bounds.body} that are kept" if whole > len(body) else ""
                yield Arrived(_letter(self._queues[int(subscription)], headers, body), headers, flaw)
            case "ERROR":
                said = " ".join(f"{headers.get('message', '')}: {body.decode(errors='replace')}".split())
                if headers.get("receipt-id", "").isdecimal():
                    yield Refused(int(headers["receipt-id"]), said)
                yield Failed(said, final=not self._connected)
            case _:
                raise ValueError(f"a frame {command[:40]!r}")


class FrameSplitter:
    """Cuts a stream into frames. Of a body no more than `most` octets are kept, however long it is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._head: bytes | None = None
        self._length: int | None = None
        self._body = bytearray()
        self._whole = 0

    def feed(self, octets: bytes) -> Iterator[tuple[bytes, bytes, int]]:
        """Each frame that is complete now: head, body as far as it is kept, length of the body. Raises ValueError if it is none."""
        self._buffer += octets
        while self._read_head() and self._read_body():
            yield self._head or b"", bytes(self._body), self._whole
            self._head, self._body, self._whole = None, bytearray(), 0

    def _read_head(self) -> bool:
        if self._head is not None:
            return True
        del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]  # between frames, and heartbeats
        end = HEAD_END.search(self._buffer, 0, HEAD)
        if end is None:
            if len(self._buffer) >= HEAD:
                raise ValueError(f"no body after {HEAD} octets")
            return False
        self._head = bytes(self._buffer[: end.end()])
        length = LENGTH.search(self._head)
        self._length = int(length[1]) if length else None
        del self._buffer[: end.end()]
        return True

    def _read_body(self) -> bool:
        end = self._buffer.find(0) if self._length is None else self._length - self._whole
        come = len(self._buffer) if end < 0 else min(end, len(self._buffer))
        self._body += self._buffer[:come][: self._most - len(self._body)]
        self._whole += come
        del self._buffer[:come]
        if not self._buffer:
            return False
        if self._buffer[0] != 0:
            raise ValueError("a body longer than its content-length")
        del self._buffer[0]
        return True


def _destination(queue: str) -> str:
    return queue if queue.startswith("/") else QUEUE + queue


def _letter(queue: str, headers: dict[str, str], body: bytes) -> Letter:
    ours = ("ack", "subscription")  # words between the broker and this connection
    properties: dict[str, Any] = {name.lower(): value for name, value in headers.items() if name not in ours}
    if "amqp-message-id" in properties:
        properties["message-id"] = properties.pop("amqp-message-id")
    if properties.pop("redelivered", "false") == "true":
        properties["redelivered"] = True
    return Letter(queue, body, properties, properties.get("correlation-id") or properties.get("message-id"))
