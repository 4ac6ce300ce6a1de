"""The initiator's machine of key establishment: the joining device's side. Knows one partner, and not when to try again.

`TRANSITIONS` is complete: every state has an entry for every event. Smart Energy 1.0 (075356), annex C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from dissectors import zcl
from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Record
from harness.crypto.cbke import EphemeralKey
from harness.crypto.ecqv import Credentials
from harness.stack.application import Application, Path
from harness.stack.endpoint import Answer, ClusterSide, Heard, constant
from harness.stack.key_establishment import (
    Exchange,
    NewEphemeralKey,
    Refusal,
    Role,
    Timing,
    flaw_of_ephemeral,
    flaw_of_initiate,
    initiate,
    length_flaw,
    send,
    terminate,
)
from harness.stack.primitives import AsduIndication
from harness.values import Eui64


class State(Enum):
    """Where the exchange stands."""

    IDLE = auto()
    AWAIT_INITIATE = auto()
    MAKING_EPHEMERAL = auto()
    AWAIT_EPHEMERAL = auto()
    MAKING_CONFIRM = auto()
    AWAIT_CONFIRM = auto()


class Event(Enum):
    """What can happen."""

    START = auto()
    INITIATE = auto()  # this and the next two are the partner's responses
    EPHEMERAL = auto()
    CONFIRM = auto()
    FLAWED = auto()  # a response that fails a check, or that cannot be read
    TERMINATE = auto()
    REFUSED = auto()  # a Default Response where a response of the cluster is due
    READY = auto()  # our computing is done
    TIMEOUT = auto()
    UNDELIVERED = auto()


class Action(Enum):
    """What is done on the way."""

    NOTHING = auto()
    SEND_INITIATE = auto()
    MAKE_EPHEMERAL = auto()
    SEND_EPHEMERAL = auto()
    MAKE_CONFIRM = auto()
    SEND_CONFIRM = auto()
    COMPLETE = auto()
    REFUSE = auto()  # Terminate; the exchange is over
    REFUSE_OUT_OF_TURN = auto()
    GIVE_UP = auto()  # the exchange is over without a word


_BUSY = tuple(state for state in State if state is not State.IDLE)

TRANSITIONS: dict[tuple[State, Event], tuple[State, Action]] = {
    **{(state, event): (state, Action.NOTHING) for state in State for event in Event},  # what is below overrules this
    **{
        (state, event): (State.IDLE, Action.REFUSE_OUT_OF_TURN)
        for state in _BUSY for event in (Event.INITIATE, Event.EPHEMERAL, Event.CONFIRM)
    },
    **{(state, Event.FLAWED): (State.IDLE, Action.REFUSE) for state in _BUSY},
    **{
        (state, event): (State.IDLE, Action.GIVE_UP)
        for state in _BUSY for event in (Event.TERMINATE, Event.REFUSED, Event.TIMEOUT, Event.UNDELIVERED)
    },
    (State.IDLE, Event.START): (State.AWAIT_INITIATE, Action.SEND_INITIATE),
    (State.AWAIT_INITIATE, Event.INITIATE): (State.MAKING_EPHEMERAL, Action.MAKE_EPHEMERAL),
    (State.MAKING_EPHEMERAL, Event.READY): (State.AWAIT_EPHEMERAL, Action.SEND_EPHEMERAL),
    (State.AWAIT_EPHEMERAL, Event.EPHEMERAL): (State.MAKING_CONFIRM, Action.MAKE_CONFIRM),
    (State.MAKING_CONFIRM, Event.READY): (State.AWAIT_CONFIRM, Action.SEND_CONFIRM),
    (State.AWAIT_CONFIRM, Event.CONFIRM): (State.IDLE, Action.COMPLETE),
}


@dataclass(frozen=True)
class Established:
    """The exchange gave a key."""

    partner: Eui64
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Failed:
    """The exchange gave no key; try again after `wait` seconds, if at all. `foreign_issuer`: the authorities differ."""

    partner: Eui64
    cause: str
    wait: float
    foreign_issuer: bool = False


Done = Callable[[Established | Failed, float], None]


class Initiator:
    """Runs key establishment for one node, one exchange at a time."""

    def __init__(
        self, application: Application, credentials: Credentials, timing: Timing, new_ephemeral_key: NewEphemeralKey,
        done: Done,
    ) -> None:
        self.state = State.IDLE
        self._application = application
        self._policy = application.policy
        self._credentials = credentials
        self._timing = timing
        self._new_ephemeral_key = new_ephemeral_key
        self._drawn: EphemeralKey | None = None
        self._breaks_off = application.policy.breaks_off
        self._done = done
        self._path = Path(0, 0, 0, cluster.CLUSTER.identifier)
        self._exchange: Exchange | None = None
        self._heard: Heard | None = None
        self._refusal = _OUT_OF_TURN
        self._actions: dict[Action, Callable[[float], None]] = {
            Action.NOTHING: lambda now: None,
            Action.SEND_INITIATE: self._send_initiate,
            Action.MAKE_EPHEMERAL: self._make_ephemeral,
            Action.SEND_EPHEMERAL: self._send_ephemeral,
            Action.MAKE_CONFIRM: self._make_confirm,
            Action.SEND_CONFIRM: self._send_confirm,
            Action.COMPLETE: self._complete,
            Action.REFUSE: self._refuse,
            Action.REFUSE_OUT_OF_TURN: self._refuse,
            Action.GIVE_UP: self._give_up,
        }

    def side(self) -> ClusterSide:
        """The client side of the cluster."""
        return ClusterSide(
            cluster.CLUSTER, False, {cluster.KEY_ESTABLISHMENT_SUITE: constant(cluster.Suite.CBKE_ECMQV_K163)},
            {
                InitiateKeyEstablishment: lambda heard: self._hear(Event.INITIATE, heard),
                EphemeralData: lambda heard: self._hear(Event.EPHEMERAL, heard),
                ConfirmKeyData: lambda heard: self._hear(Event.CONFIRM, heard),
                TerminateKeyEstablishment: lambda heard: self._hear(Event.TERMINATE, heard),
            },
            malformed=self._malformed, other=self._default_response,
        )

    @property
    def busy(self) -> bool:
        """Whether an exchange is going on."""
        return self.state is not State.IDLE

    def start(self, path: Path, partner: Eui64, now: float) -> None:
        """Begin an exchange with the node at `path`, whose certificate must name `partner`."""
        self.forget()
        self._path = path
        self._exchange = Exchange(self._credentials, self._application.core.ieee, partner, Role.INITIATOR)
        self.fire(Event.START, now)

    def forget(self) -> None:
        """Drop the exchange without a word."""
        self.state = State.IDLE
        self._exchange = self._heard = None
        self._application.agenda.cancel("initiator")

    def fire(self, event: Event, now: float) -> None:
        """Let an event happen."""
        if (
            TRANSITIONS[self.state, event][1] is Action.REFUSE_OUT_OF_TURN and not self._policy.checks_sequence
        ):
            return
        self.state, action = TRANSITIONS[self.state, event]
        if self.state is State.IDLE:
            self._application.agenda.cancel("initiator")
        self._actions[action](now)

    # -- what comes in

    def _hear(self, event: Event, heard: Heard) -> Answer:
        exchange = self._exchange
        if exchange is None or heard.indication.source != self._path.dest:
            return None
        if event is not Event.TERMINATE:
            flaw = length_flaw(heard, self._policy) or self._flaw(event, heard.command, exchange)
            if flaw and event is Event.EPHEMERAL and not self._policy.answers_bad_key:
                return None
            self._refusal = flaw or _OUT_OF_TURN
            event = Event.FLAWED if flaw else event
        self._heard = heard
        self.fire(event, heard.now)
        return None

    def _flaw(self, event: Event, message: Record, exchange: Exchange) -> Refusal | None:
        if event is Event.INITIATE:
            return flaw_of_initiate(message, exchange.partner, self._credentials, self._policy)
        return flaw_of_ephemeral(message) if event is Event.EPHEMERAL else None

    def _malformed(self, indication: AsduIndication, header: Record, now: float) -> Answer:
        if self._exchange is not None and indication.source == self._path.dest:
            self._heard = Heard(indication, header, zcl.UnknownCommand.of(), now)
            self._refusal = Refusal(TerminateStatus.BAD_MESSAGE, "cannot be read")
            self.fire(Event.FLAWED, now)
        return None

    def _default_response(self, heard: Heard) -> Answer:
        if heard.indication.source == self._path.dest and heard.command.status != zcl.Status.SUCCESS:
            self._heard = heard
            self.fire(Event.REFUSED, heard.now)
        return None

    # -- what is done

    def _send_initiate(self, now: float) -> None:
        self._request(initiate(self._credentials, self._timing), 0, now)

    def _make_ephemeral(self, now: float) -> None:
        assert self._exchange is not None
        assert self._heard is not None
        message = self._heard.command
        self._exchange.partner_certificate = message.certificate
        self._exchange.partner_ephemeral_time = message.ephemeral_data_generate_time
        self._exchange.partner_confirm_time = message.confirm_key_generate_time
        self._compute(self._timing.needed(self._timing.ephemeral, self._timing.making_ephemeral, self._policy), now)

    def _send_ephemeral(self, now: float) -> None:
        assert self._exchange is not None
        self._exchange.own_ephemeral = self._ephemeral_key()
        message = EphemeralData.of(ephemeral_public_key=self._exchange.own_ephemeral.public)
        self._request(message, self._exchange.partner_ephemeral_time, now)

    def _make_confirm(self, now: float) -> None:
        assert self._exchange is not None
        assert self._heard is not None
        self._exchange.partner_ephemeral = self._heard.command.ephemeral_public_key
        self._compute(self._timing.needed(self._timing.confirm, self._timing.making_confirm, self._policy), now)

    def _send_confirm(self, now: float) -> None:
        assert self._exchange is not None
        try:
            outcome = self._exchange.outcome(self._policy)
        except ValueError as fault:
            self._refusal = Refusal(TerminateStatus.BAD_MESSAGE, str(fault))
            self.fire(Event.FLAWED, now)
            return
        message = ConfirmKeyData.of(message_authentication_code=outcome.mac_u)
        self._request(message, self._exchange.partner_confirm_time, now)
        if self._breaks_off:
            self._breaks_off = False
            self._refusal = Refusal(TerminateStatus.NO_RESOURCES, "thought better of it")
            self._refuse(now)
        elif not self._policy.awaits_confirmation:
            self._done(Established(self._exchange.partner, outcome.key_data), now)

    def _complete(self, now: float) -> None:
        assert self._exchange is not None
        assert self._heard is not None
        outcome, expected = self._exchange.outcome(self._policy), self._exchange.expected(self._policy)
        right = self._heard.command.message_authentication_code == expected.mac_v or not self._policy.checks_confirmation
        partner = self._exchange.partner
        if not right:
            self._refusal = Refusal(TerminateStatus.BAD_KEY_CONFIRM, "the responder's confirmation is wrong")
            if self._policy.keeps_key_only_if_confirmed:
                self._refuse(now)
                return
            self._terminate(now)
        self.forget()
        if self._policy.awaits_confirmation:
            self._done(Established(partner, outcome.key_data), now)

    def _refuse(self, now: float) -> None:
        self._terminate(now)
        self._fail(self._refusal.status.name.lower(), now, self._timing.pause, self._refusal.status)

    def _give_up(self, now: float) -> None:
        if self._heard is not None and self._heard.command.is_a(TerminateKeyEstablishment):
            message = self._heard.command
            if self._keeps_on(now):
                return
            self._fail("terminated", now, max(message.wait_time, MINIMUM_PAUSE), message.status)
            return
        if self._heard is not None and self._heard.command.is_a(zcl.DefaultResponse):
            self._fail("default_response", now, self._timing.pause)
            return
        if self._policy.terminates_on_timeout:
            self._refusal = Refusal(TerminateStatus.BAD_MESSAGE, "nothing came")
            self._terminate(now)
        self._fail("silence", now, self._timing.pause)

    def _keeps_on(self, now: float) -> bool:
        """Whether it takes the key of an exchange that the partner has ended, where there is one."""
        exchange = self._exchange
        if self._policy.heeds_terminate or exchange is None or not exchange.partner_ephemeral:
            return False
        outcome = exchange.outcome(self._policy)
        self.forget()
        self._done(Established(exchange.partner, outcome.key_data), now)
        return True

    def _fail(self, cause: str, now: float, wait: float, status: int | None = None) -> None:
        assert self._exchange is not None
        partner = self._exchange.partner
        self.forget()
        self._done(Failed(partner, cause, wait, status == TerminateStatus.UNKNOWN_ISSUER), now)

    # -- sending and timing

    def _request(self, message: Record, advertised: int, now: float) -> None:
        state, exchange = self.state, self._exchange

        def delivered(acknowledged: bool, now: float) -> None:
            if not acknowledged and self.state is state and self._exchange is exchange:
                self.fire(Event.UNDELIVERED, now)

        send(self._application, self._path, message, now, delivered=delivered)
        if self._policy.recovers_from_silence:
            deadline = now + self._timing.allowed(advertised, self._policy)
            self._application.agenda.set("initiator", deadline, lambda now: self.fire(Event.TIMEOUT, now))

    def _terminate(self, now: float) -> None:
        send(self._application, self._path, terminate(self._refusal, self._timing), now)

    def _ephemeral_key(self) -> EphemeralKey:
        if self._drawn is None or not self._policy.reuses_ephemeral_key:
            self._drawn = self._new_ephemeral_key()
        return self._drawn

    def _compute(self, seconds: float, now: float) -> None:
        self._application.agenda.set("initiator", now + seconds, lambda now: self.fire(Event.READY, now))


MINIMUM_PAUSE = 1.0  # seconds between two exchanges where the partner asks for none
_OUT_OF_TURN = Refusal(TerminateStatus.BAD_MESSAGE, "out of its turn")
