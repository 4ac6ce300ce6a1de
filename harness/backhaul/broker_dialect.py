"""What a broker's protocol must be able to do for a carrier, and in which words; knows queues and octets, no socket and no token.

A dialect is a sans-I/O machine: octets in, happenings out, octets to be sent. It lives as long as one connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.backhaul.authentication import Credentials
from harness.backhaul.tls import Tls

MEBI = 1 << 20


@dataclass(frozen=True)
class BrokerBounds:
    """Bounds of one carrier; whatever exceeds one is told as a flaw.

    `body`: octets of one message that arrives. `prefetch`: messages of one queue that the broker may hand over before they are
    acknowledged. `waiting`: parcels that were to be sent and are neither answered nor accepted yet. `answer_within`: seconds from `send`
    to the answer, or to the broker's acceptance where no answer is expected. `connect_within`: seconds to connect and log in.
    `remembered`: exchanges that can still be answered, and requests whose second answer is still recognised.
    """

    body: int = 4 * MEBI
    prefetch: int = 32
    waiting: int = 1024
    answer_within: float = 30.0
    connect_within: float = 10.0
    remembered: int = 4096


@dataclass(frozen=True)
class Broker:
    """Where the broker listens (port 0: the protocol's own), how to log in, and what our queues are called: `prefix` and the place.

    `tls` says whom we trust and who we are, where the broker asks; None is plain TCP. `virtual_host` is what RabbitMQ understands
    by the word.
    """

    host: str = "127.0.0.1"
    port: int = 0
    credentials: Credentials | None = None
    tls: Tls | None = None
    prefix: str = "hanproof."
    virtual_host: str = "/"


@dataclass(frozen=True)
class Letter:
    """A message as a broker knows it: where it goes, or the queue that it came from; its properties by the protocol's own names
    in lower case ("content-type", "correlation-id", "message-id", "reply-to", "subject", "redelivered") as plain values; its body.

    `correlation` is what an answer repeats, with its type: the correlation id, else the message id.
    """

    queue: str
    octets: bytes = field(repr=False)
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)
    correlation: Any = field(default=None, hash=False)


@dataclass(frozen=True)
class Ready:
    """Logged in and listening at every queue."""


@dataclass(frozen=True)
class Arrived:
    """A message; `delivery` is what `acknowledge` wants of it, `flaw` what is wrong with its body."""

    letter: Letter
    delivery: Any
    flaw: str = ""


@dataclass(frozen=True)
class Accepted:
    """The broker has taken what was published under this tag."""

    tag: int


@dataclass(frozen=True)
class Refused:
    """The broker does not want what was published under this tag."""

    tag: int
    reason: str


@dataclass(frozen=True)
class Failed:
    """The connection is of no use any more; `final` where another one would end the same way (login refused)."""

    reason: str
    final: bool = False


Happening = Ready | Arrived | Accepted | Refused | Failed


class Dialect(Protocol):
    """One connection to a broker, without its socket."""

    def begin(self) -> None:
        """Log in and subscribe."""

    def receive(self, octets: bytes, now: float) -> Sequence[Happening]:
        """What follows from these octets."""

    def publish(self, tag: int, letter: Letter) -> None:
        """Send a message; `Accepted` or `Refused` will follow."""

    def acknowledge(self, delivery: Any) -> None:
        """This message is ours now."""

    def end(self) -> None:
        """Say goodbye."""

    def to_send(self, now: float) -> bytes:
        """Every octet that is to go out now."""

    def deadline(self) -> float | None:
        """When `to_send` is next to be called without need (heartbeats); seconds on the clock of `now`."""


Speak = Callable[[Broker, Sequence[str], BrokerBounds], Dialect]
