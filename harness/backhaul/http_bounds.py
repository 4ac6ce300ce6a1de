"""How much of time, memory and connections an HTTP peer can take from us; knows numbers only.

Each default says why it is what it is; whoever makes a carrier may give others.
"""

from __future__ import annotations

from dataclasses import dataclass

BODY = 4 << 20  # octets; four times what any reader of messages takes, so that one that is too long is seen to be
HEAD = 32 << 10  # octets of request line and headers, or of a chunk's own; common servers stop at 8 to 64 KiB
CONNECTIONS = 64  # at once, to us; a back office has a handful of peers, and 64 bodies are 256 MiB
ARRIVAL = 20.0  # seconds from a message's first octet to its last; below the 30 s in which an answer is due
IDLE = 60.0  # seconds between two requests on one connection; common clients keep theirs for 15 to 60
HOLD = 300.0  # seconds that a request waits for us to answer or drop it; longer than any peer waits
CONNECT = 10.0  # seconds to look a name up, to connect, to shake hands
ANSWER = 60.0  # seconds that we wait for an answer: twice what a peer has
WAITING = 256  # parcels on their way out at once; a whole run has fewer messages
LINGER = 1.0  # seconds to let a peer read a refusal, or to see whether it says more than it should
AHEAD = 64 << 10  # octets kept of what comes before it is its turn, or after all was said


@dataclass(frozen=True)
class HttpBounds:
    """The bounds of one carrier: octets, counts, seconds as above."""

    body: int = BODY
    head: int = HEAD
    connections: int = CONNECTIONS
    arrival: float = ARRIVAL
    idle: float = IDLE
    hold: float = HOLD
    connect: float = CONNECT
    answer: float = ANSWER
    waiting: int = WAITING
    linger: float = LINGER
    ahead: int = AHEAD


DEFAULT_BOUNDS = HttpBounds()
