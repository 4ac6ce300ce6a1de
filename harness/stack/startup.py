"""A HAN device's way into service, as a table, and its choice of a network. Sends nothing.

SE 1.0 (075356), 5.4.1, 5.5 and table 5-2; 05-3474, 3.6.1.4 and 4.6.3.2.3. `TRANSITIONS` is complete: every state has an entry
for every event.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto

from dissectors.nwk import PROTOCOL_VERSION
from dissectors.smart_energy import ALL_CHANNELS, PREFERRED_CHANNELS, SCAN_ATTEMPTS, TIME_BETWEEN_SCANS
from harness.ports import Chance
from harness.stack.policy import Policy
from harness.stack.primitives import NetworkFound
from harness.values import Eui64

SECURITY_TIMEOUT = 1.7  # seconds, apsSecurityTimeOutPeriod of ZigBee PRO (08006r03, table 4)
STACK_PROFILE = 2  # ZigBee PRO
REJOIN_ATTEMPTS = 3  # with the network key, before the trust centre is asked for a new one
REJOIN_INTERVAL = 5.0  # seconds; at most 60 (table 5-2)
LONGEST_REJOIN_INTERVAL = 900.0  # table 5-2, MaxRejoinInterval
KEY_ATTEMPTS = 10  # exchanges of key establishment in a row (known from SE 1.4)
KEY_PAUSE = 900.0  # seconds, after them
_MINUTE = 60.0
_HOUR = 3600.0


class State(Enum):
    """Where the device stands."""

    IDLE = auto()
    SCANNING = auto()
    SCAN_PAUSE = auto()
    ASSOCIATING = auto()
    AWAITING_KEY = auto()
    ANNOUNCED = auto()
    DISCOVERING = auto()  # looks for the trust centre's Key Establishment server
    ESTABLISHING = auto()
    KEY_PAUSE = auto()
    COMMISSIONING = auto()
    RUNNING = auto()
    REJOINING = auto()
    REJOIN_PAUSE = auto()
    AWAITING_NEW_KEY = auto()  # rejoined without NWK security


class Event(Enum):
    """What can happen to it."""

    START = auto()  # somebody presses the button, or powers a new device up
    RESET = auto()
    NETWORK_CHOSEN = auto()
    NOTHING_FOUND = auto()
    PAUSE_OVER = auto()
    ASSOCIATED = auto()
    NOT_ASSOCIATED = auto()
    KEY_ACCEPTED = auto()
    NO_KEY = auto()  # apsSecurityTimeOutPeriod ran out
    SETTLED = auto()
    SETTLED_REGISTERED = auto()  # the device holds an established link key already
    SERVER_FOUND = auto()
    ALREADY_REGISTERED = auto()  # and what it knew of the trust centre is found again
    NO_SERVER = auto()
    KEY_ESTABLISHED = auto()
    KEY_FAILED = auto()
    FOREIGN_ISSUER = auto()
    COMMISSIONED = auto()
    POWER_RETURNED = auto()  # the device belongs to no network
    POWER_RETURNED_MEMBER = auto()
    PARENT_LOST = auto()
    TOLD_TO_LEAVE = auto()
    TOLD_TO_REJOIN = auto()
    REJOINED = auto()
    REJOINED_UNSECURED = auto()
    NOT_REJOINED = auto()


class Action(Enum):
    """What is done on the way."""

    NOTHING = auto()
    FORGET = auto()
    SCAN = auto()
    PAUSE_SCAN = auto()
    ASSOCIATE = auto()
    CHOOSE_AGAIN = auto()  # another network of the same scan
    AWAIT_KEY = auto()
    LEAVE_AND_CHOOSE = auto()
    ANNOUNCE = auto()
    DISCOVER = auto()
    ESTABLISH = auto()
    PAUSE_KEY = auto()
    COMMISSION = auto()
    RUN = auto()
    REJOIN = auto()
    PAUSE_REJOIN = auto()


MEMBERS = (
    State.ANNOUNCED, State.DISCOVERING, State.ESTABLISHING, State.KEY_PAUSE, State.COMMISSIONING, State.RUNNING,
)

TRANSITIONS: dict[tuple[State, Event], tuple[State, Action]] = {
    **{(state, event): (state, Action.NOTHING) for state in State for event in Event},  # what is below overrules this
    **{(state, Event.RESET): (State.IDLE, Action.FORGET) for state in State},
    **{(state, Event.POWER_RETURNED): (State.SCANNING, Action.SCAN) for state in State},
    **{(state, Event.POWER_RETURNED_MEMBER): (State.REJOINING, Action.REJOIN) for state in State},
    **{(state, Event.TOLD_TO_LEAVE): (State.IDLE, Action.FORGET) for state in MEMBERS},
    **{(state, Event.TOLD_TO_REJOIN): (State.REJOINING, Action.REJOIN) for state in MEMBERS},
    **{(state, Event.PARENT_LOST): (State.REJOINING, Action.REJOIN) for state in MEMBERS},
    (State.IDLE, Event.START): (State.SCANNING, Action.SCAN),
    (State.SCAN_PAUSE, Event.START): (State.SCANNING, Action.SCAN),
    (State.SCAN_PAUSE, Event.PAUSE_OVER): (State.SCANNING, Action.SCAN),
    (State.SCANNING, Event.NETWORK_CHOSEN): (State.ASSOCIATING, Action.ASSOCIATE),
    (State.SCANNING, Event.NOTHING_FOUND): (State.SCAN_PAUSE, Action.PAUSE_SCAN),
    (State.ASSOCIATING, Event.ASSOCIATED): (State.AWAITING_KEY, Action.AWAIT_KEY),
    (State.ASSOCIATING, Event.NOT_ASSOCIATED): (State.SCANNING, Action.CHOOSE_AGAIN),
    (State.AWAITING_KEY, Event.KEY_ACCEPTED): (State.ANNOUNCED, Action.ANNOUNCE),
    (State.AWAITING_KEY, Event.NO_KEY): (State.SCANNING, Action.LEAVE_AND_CHOOSE),
    (State.ANNOUNCED, Event.SETTLED): (State.DISCOVERING, Action.DISCOVER),
    (State.ANNOUNCED, Event.SETTLED_REGISTERED): (State.RUNNING, Action.RUN),
    (State.DISCOVERING, Event.SERVER_FOUND): (State.ESTABLISHING, Action.ESTABLISH),
    (State.DISCOVERING, Event.ALREADY_REGISTERED): (State.COMMISSIONING, Action.COMMISSION),
    (State.DISCOVERING, Event.NO_SERVER): (State.KEY_PAUSE, Action.PAUSE_KEY),
    (State.ESTABLISHING, Event.KEY_ESTABLISHED): (State.COMMISSIONING, Action.COMMISSION),
    (State.ESTABLISHING, Event.KEY_FAILED): (State.KEY_PAUSE, Action.PAUSE_KEY),
    (State.ESTABLISHING, Event.FOREIGN_ISSUER): (State.SCANNING, Action.LEAVE_AND_CHOOSE),
    (State.KEY_PAUSE, Event.PAUSE_OVER): (State.DISCOVERING, Action.DISCOVER),
    (State.COMMISSIONING, Event.COMMISSIONED): (State.RUNNING, Action.RUN),
    (State.REJOINING, Event.REJOINED): (State.ANNOUNCED, Action.ANNOUNCE),
    (State.REJOINING, Event.REJOINED_UNSECURED): (State.AWAITING_NEW_KEY, Action.AWAIT_KEY),
    (State.REJOINING, Event.NOT_REJOINED): (State.REJOIN_PAUSE, Action.PAUSE_REJOIN),
    (State.REJOIN_PAUSE, Event.PAUSE_OVER): (State.REJOINING, Action.REJOIN),
    (State.REJOIN_PAUSE, Event.START): (State.REJOINING, Action.REJOIN),
    (State.AWAITING_NEW_KEY, Event.KEY_ACCEPTED): (State.ANNOUNCED, Action.ANNOUNCE),
    (State.AWAITING_NEW_KEY, Event.NO_KEY): (State.REJOIN_PAUSE, Action.PAUSE_REJOIN),
}


def scan_order(channels: tuple[int, ...], policy: Policy) -> tuple[int, ...]:
    """The channels in the order in which they are scanned: the preferred ones first (table 5-2)."""
    if not policy.scans_preferred_channels_first:
        return tuple(channel for channel in reversed(ALL_CHANNELS) if channel in channels)
    preferred = tuple(channel for channel in PREFERRED_CHANNELS if channel in channels)
    return preferred + tuple(channel for channel in ALL_CHANNELS if channel in channels and channel not in preferred)


@dataclass
class Choice:
    """The networks of the last scan, and how often each has been tried in vain since the device was started."""

    policy: Policy
    chance: Chance
    found: tuple[NetworkFound, ...] = ()
    scans: int = 0
    rounds: int = 0
    failed: Counter[Eui64] = field(default_factory=Counter)
    refused: set[Eui64] = field(default_factory=set)

    def begin(self) -> None:
        """Start afresh: a new device, or the button was pressed."""
        self.scans = self.rounds = 0
        self.found = ()
        self.failed.clear()
        self.refused.clear()

    def scanned(self, networks: tuple[NetworkFound, ...]) -> None:
        """Take what a scan found; what was refused in the one before may be tried again."""
        self.found = networks
        self.refused.clear()
        self.scans += 1

    def fails(self, network: NetworkFound) -> None:
        """Joining this network came to nothing."""
        self.failed[network.extended_pan_id] += 1
        if self.policy.tries_elsewhere:
            self.refused.add(network.extended_pan_id)

    def next(self) -> NetworkFound | None:
        """The network to try: open, of the right kind, not refused in this scan; the least often failed, then the loudest."""
        candidates = [network for network in self.found if self._fits(network)]
        if not candidates:
            return None
        failures = self.failed if self.policy.tries_elsewhere else Counter[Eui64]()
        return min(candidates, key=lambda network: (failures[network.extended_pan_id], -network.lqi, network.channel))

    def pause(self) -> float:
        """Seconds until the next scan: 1 after the first two of three; then a minute or so, and after fifteen of these an hour.

        The long pauses are known from SE 1.1 (5.5.5) and shifted by chance, so that devices do not scan all at once.
        """
        if self.scans < SCAN_ATTEMPTS or not self.policy.pauses_between_scans or not self.policy.backs_off_scans:
            return TIME_BETWEEN_SCANS if self.policy.pauses_between_scans else 0.0
        self.scans = 0
        self.rounds += 1
        if self.rounds <= _FREQUENT_ROUNDS:
            return _MINUTE + self.chance.uniform(-_MINUTE / 4, _MINUTE / 4)
        return _HOUR + self.chance.uniform(-_HOUR / 2, _HOUR / 2)

    def _fits(self, network: NetworkFound) -> bool:
        permitted = network.association_permit or not self.policy.requires_association_permit
        right = network.stack_profile == STACK_PROFILE and network.protocol_version == PROTOCOL_VERSION
        room = network.end_device_capacity or not self.policy.requires_capacity
        return permitted and right and room and network.extended_pan_id not in self.refused


_FREQUENT_ROUNDS = 15
