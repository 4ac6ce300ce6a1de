"""How a node finds a network and gets in: active scan, MAC association, waiting for the answer to a rejoin. Knows no key.

Clauses: IEEE 802.15.4-2006, 7.5.2.1 (active scan), 7.5.3.1 (association); 05-3474, 3.6.1.4.2 (rejoin).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from dissectors.mac import BROADCAST
from harness.errors import LocalProtocolError
from harness.stack.agenda import Agenda
from harness.stack.mac import Mac
from harness.stack.mac_frames import AssociationAnswered
from harness.stack.policy import Policy
from harness.stack.primitives import NetworkFound

SUPERFRAME = 960 * 16e-6  # seconds, aBaseSuperframeDuration, 7.4.1
SCAN_TIME = SUPERFRAME * ((1 << 3) + 1)  # seconds a channel, scan duration 3, 7.1.11.1
RESPONSE_WAIT = 32 * SUPERFRAME  # macResponseWaitTime, 7.4.2
REJOIN_WAIT = 4 * RESPONSE_WAIT  # a sleeping device may poll several times for its rejoin response, 3.6.1.4.2.1


class JoinState(Enum):
    """Where a node stands on its way into a network."""

    IDLE = auto()
    SCANNING = auto()
    REQUESTING = auto()  # the association request is on its way
    WAITING = auto()  # macResponseWaitTime runs
    EXTRACTING = auto()  # the poll for the association response
    REJOINING = auto()  # a rejoin request was sent


class JoinEvent(Enum):
    """What happens on the way."""

    SCAN = auto()
    CHANNEL_OVER = auto()
    SCAN_OVER = auto()
    ASSOCIATE = auto()
    REJOIN = auto()
    ACKNOWLEDGED = auto()
    UNACKNOWLEDGED = auto()
    TIME_OVER = auto()
    RESPONSE = auto()
    NOTHING = auto()  # the poll brought no response


TRANSITIONS: dict[tuple[JoinState, JoinEvent], JoinState] = {  # what is not here changes nothing
    (JoinState.IDLE, JoinEvent.SCAN): JoinState.SCANNING,  # 7.5.2.1.2
    (JoinState.SCANNING, JoinEvent.CHANNEL_OVER): JoinState.SCANNING,
    (JoinState.SCANNING, JoinEvent.SCAN_OVER): JoinState.IDLE,
    (JoinState.IDLE, JoinEvent.ASSOCIATE): JoinState.REQUESTING,  # 7.5.3.1
    (JoinState.REQUESTING, JoinEvent.ACKNOWLEDGED): JoinState.WAITING,
    (JoinState.REQUESTING, JoinEvent.UNACKNOWLEDGED): JoinState.IDLE,
    (JoinState.REQUESTING, JoinEvent.RESPONSE): JoinState.IDLE,
    (JoinState.WAITING, JoinEvent.TIME_OVER): JoinState.EXTRACTING,
    (JoinState.WAITING, JoinEvent.RESPONSE): JoinState.IDLE,  # a parent may send it at once to a receiver that is on
    (JoinState.EXTRACTING, JoinEvent.RESPONSE): JoinState.IDLE,
    (JoinState.EXTRACTING, JoinEvent.NOTHING): JoinState.IDLE,
    (JoinState.IDLE, JoinEvent.REJOIN): JoinState.REJOINING,  # 3.6.1.4.2.1
    (JoinState.REJOINING, JoinEvent.RESPONSE): JoinState.IDLE,
    (JoinState.REJOINING, JoinEvent.TIME_OVER): JoinState.IDLE,
}

Answered = Callable[[AssociationAnswered | None, float], None]
"""Told what came back; None for nothing."""


class Joining:
    """Scans and joins, one at a time."""

    def __init__(self, *, mac: Mac, agenda: Agenda, policy: Policy, capability: int) -> None:
        self.state = JoinState.IDLE
        self._mac, self._agenda, self._policy = mac, agenda, policy
        self._capability = capability
        self._channels: list[int] = []
        self._found: dict[tuple[int, int, int], NetworkFound] = {}
        self._scanned: Callable[[tuple[NetworkFound, ...], float], None] = lambda networks, now: None
        self._answered: Answered = lambda answer, now: None

    def scan(
        self, channels: tuple[int, ...], scanned: Callable[[tuple[NetworkFound, ...], float], None], now: float,
    ) -> None:
        """Ask for beacons on each channel in turn; `scanned` is told what was found, in the order in which it was heard."""
        self._start(JoinEvent.SCAN)
        self._channels, self._found, self._scanned = list(channels), {}, scanned
        self._mac.stay_awake("scan", True)
        self._next_channel(now)

    def associate(self, network: NetworkFound, answered: Answered, now: float) -> None:
        """Ask that network's coordinator to let us in, and fetch its answer."""
        self._start(JoinEvent.ASSOCIATE)
        self._answered = answered
        self._mac.settle(
            channel=network.channel, pan_id=network.pan_id, short_address=BROADCAST, parent=network.coordinator
        )

        def sent(acknowledged: bool, at: float) -> None:
            if self._answered is not answered:
                return  # abandoned; what is under way now is another attempt
            if acknowledged and self._happened(JoinEvent.ACKNOWLEDGED):
                self._agenda.set("joining", at + RESPONSE_WAIT, self._extract)
            elif not acknowledged and self._happened(JoinEvent.UNACKNOWLEDGED):
                self._answered(None, at)

        self._mac.request_association(network.coordinator, self._capability, sent, now)

    def rejoin(self, request: Callable[[], None], answered: Answered, now: float) -> None:
        """Send a rejoin request with `request` and wait for `answer`."""
        self._start(JoinEvent.REJOIN)
        self._answered = answered
        self._mac.stay_awake("join", True)
        self._agenda.set("joining", now + REJOIN_WAIT, self._time_over)
        request()

    def heard(self, network: NetworkFound) -> None:
        """A beacon; of no interest but during a scan."""
        if self.state is JoinState.SCANNING:
            self._found[network.channel, network.pan_id, network.coordinator] = network

    def answer(self, answer: AssociationAnswered, now: float) -> None:
        """An association response or a rejoin response arrived."""
        if self._happened(JoinEvent.RESPONSE):
            self._finish(answer, now)

    def poll_over(self, now: float) -> None:
        """A poll is over; when it was the one for the association response, that did not come."""
        if self._happened(JoinEvent.NOTHING):
            self._finish(None, now)

    def abandon(self) -> None:
        """Stop whatever is under way and tell nobody."""
        self.state = JoinState.IDLE
        self._agenda.cancel("joining")
        self._mac.stay_awake("scan", False)
        self._mac.stay_awake("join", False)

    def _start(self, event: JoinEvent) -> None:
        if not self._happened(event):
            raise LocalProtocolError(f"a node cannot {event.name.lower()} while it is {self.state.name.lower()}")

    def _happened(self, event: JoinEvent) -> bool:
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            return False
        self.state = following
        return True

    def _next_channel(self, now: float) -> None:
        if not self._channels:
            self._happened(JoinEvent.SCAN_OVER)
            self._mac.stay_awake("scan", False)
            self._scanned(tuple(self._found.values()), now)
            return
        self._happened(JoinEvent.CHANNEL_OVER)
        self._mac.settle(channel=self._channels.pop(0), pan_id=BROADCAST, short_address=BROADCAST, parent=None)
        self._mac.request_beacons(now)
        self._agenda.set("joining", now + SCAN_TIME, self._next_channel)

    def _extract(self, now: float) -> None:
        if self._happened(JoinEvent.TIME_OVER):
            if self._policy.waits_for_association_response:
                self._mac.polling.once(now)
            else:
                self.poll_over(now)

    def _time_over(self, now: float) -> None:
        if self._happened(JoinEvent.TIME_OVER):
            self._finish(None, now)

    def _finish(self, answer: AssociationAnswered | None, now: float) -> None:
        self._agenda.cancel("joining")
        self._mac.stay_awake("join", False)
        self._answered(answer, now)

