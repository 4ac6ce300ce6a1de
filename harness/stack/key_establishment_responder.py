"""The responder's machine of key establishment: the trust centre's side. Knows one partner at a time, and no window.

`TRANSITIONS` is complete: every state has an entry for every event. Smart Energy 1.0 (075356), annex C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto

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
from harness.stack.application import Application
from harness.stack.descriptors import LAST_ENDPOINT
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
from harness.stack.registrar import Registrar
from harness.values import Eui64


class State(Enum):
    """Where the exchange stands."""

    IDLE = auto()
    AWAIT_EPHEMERAL = auto()  # the Initiate Response is out
    MAKING_EPHEMERAL = auto()
    AWAIT_CONFIRM = auto()  # the Ephemeral Data Response is out
    MAKING_CONFIRM = auto()
    DELIVERING = auto()  # the Confirm Key Data Response is out, not yet acknowledged
    CONFIRMED = auto()  # acknowledged; the partner may still refuse our confirmation, and nobody has used the key


class Event(Enum):
    """What can happen; the first four are messages of the partner."""

    INITIATE = auto()
    EPHEMERAL = auto()
    CONFIRM = auto()
    FLAWED = auto()  # a message that fails a check, or that cannot be read
    TERMINATE = auto()
    INTRUDER = auto()  # somebody else's Initiate while we are busy
    STRAY = auto()  # any other message of somebody else
    READY = auto()  # our computing is done
    TIMEOUT = auto()
    DELIVERED = auto()
    UNDELIVERED = auto()  # the message that led to this state was never acknowledged


class Action(Enum):
    """What is done on the way."""

    NOTHING = auto()
    ANSWER_INITIATE = auto()
    MAKE_EPHEMERAL = auto()
    SEND_EPHEMERAL = auto()
    MAKE_CONFIRM = auto()
    SEND_CONFIRM = auto()
    REFUSE = auto()  # Terminate to the partner; the exchange is over
    REFUSE_OUT_OF_TURN = auto()  # the same, for a message that is right but comes at the wrong place
    REFUSE_BUSY = auto()  # Terminate NO_RESOURCES to an intruder
    REFUSE_STRAY = auto()
    ABANDON = auto()  # the exchange is over without a word
    ATTEND = auto()  # the key is good when the partner uses it, or does not refuse it for a while
    COMPLETE = auto()
    WITHDRAW = auto()  # the partner refused our confirmation: the key goes


_BUSY = (State.AWAIT_EPHEMERAL, State.MAKING_EPHEMERAL, State.AWAIT_CONFIRM, State.MAKING_CONFIRM, State.DELIVERING)
_FREE = (State.IDLE, State.CONFIRMED)
_MESSAGES = (Event.INITIATE, Event.EPHEMERAL, Event.CONFIRM)

TRANSITIONS: dict[tuple[State, Event], tuple[State, Action]] = {
    **{(state, event): (state, Action.NOTHING) for state in State for event in Event},  # what is below overrules this
    **{(state, Event.INITIATE): (State.AWAIT_EPHEMERAL, Action.ANSWER_INITIATE) for state in _FREE},
    **{(state, Event.FLAWED): (state, Action.REFUSE_STRAY) for state in _FREE},
    **{(state, event): (state, Action.REFUSE_STRAY) for state in _FREE for event in (Event.EPHEMERAL, Event.CONFIRM)},
    **{(state, event): (State.IDLE, Action.REFUSE_OUT_OF_TURN) for state in _BUSY for event in _MESSAGES},
    **{(state, Event.FLAWED): (State.IDLE, Action.REFUSE) for state in _BUSY},
    **{(state, Event.TERMINATE): (State.IDLE, Action.ABANDON) for state in _BUSY},
    **{(state, Event.TIMEOUT): (State.IDLE, Action.ABANDON) for state in _BUSY},
    **{(state, Event.UNDELIVERED): (State.IDLE, Action.ABANDON) for state in _BUSY},
    **{(state, Event.INTRUDER): (state, Action.REFUSE_BUSY) for state in _BUSY},
    **{(state, Event.STRAY): (state, Action.REFUSE_STRAY) for state in _BUSY},
    (State.AWAIT_EPHEMERAL, Event.EPHEMERAL): (State.MAKING_EPHEMERAL, Action.MAKE_EPHEMERAL),
    (State.MAKING_EPHEMERAL, Event.READY): (State.AWAIT_CONFIRM, Action.SEND_EPHEMERAL),
    (State.AWAIT_CONFIRM, Event.CONFIRM): (State.MAKING_CONFIRM, Action.MAKE_CONFIRM),
    (State.MAKING_CONFIRM, Event.READY): (State.DELIVERING, Action.SEND_CONFIRM),
    (State.DELIVERING, Event.DELIVERED): (State.CONFIRMED, Action.ATTEND),
    (State.DELIVERING, Event.TERMINATE): (State.IDLE, Action.WITHDRAW),
    (State.CONFIRMED, Event.TERMINATE): (State.IDLE, Action.WITHDRAW),
    (State.CONFIRMED, Event.TIMEOUT): (State.IDLE, Action.COMPLETE),
}


class Responder:
    """Answers key establishment for one node."""

    def __init__(
        self, application: Application, credentials: Credentials, registrar: Registrar, timing: Timing,
        new_ephemeral_key: NewEphemeralKey,
    ) -> None:
        self.state = State.IDLE
        self._application = application
        self._policy = application.policy
        self._credentials = credentials
        self._registrar = registrar
        self._timing = timing
        self._new_ephemeral_key = new_ephemeral_key
        self._drawn: EphemeralKey | None = None
        self._exchange: Exchange | None = None
        self._unused: Eui64 | None = None  # whose confirmed key has not proved good yet
        self._heard: Heard | None = None  # the partner's last message
        self._refusal = _OUT_OF_TURN
        self._actions: dict[Action, Callable[[float], None]] = {
            Action.NOTHING: lambda now: None,
            Action.ANSWER_INITIATE: self._answer_initiate,
            Action.MAKE_EPHEMERAL: self._make_ephemeral,
            Action.SEND_EPHEMERAL: self._send_ephemeral,
            Action.MAKE_CONFIRM: self._make_confirm,
            Action.SEND_CONFIRM: self._send_confirm,
            Action.REFUSE: self._refuse,
            Action.REFUSE_OUT_OF_TURN: self._refuse_out_of_turn,
            Action.REFUSE_BUSY: lambda now: self._terminate(_BUSY_REFUSAL, now),
            Action.REFUSE_STRAY: self._refuse_stray,
            Action.ABANDON: self._abandon,
            Action.ATTEND: self._attend,
            Action.COMPLETE: self._complete,
            Action.WITHDRAW: self._withdraw,
        }

    def side(self) -> ClusterSide:
        """The server side of the cluster."""
        return ClusterSide(
            cluster.CLUSTER, True, {cluster.KEY_ESTABLISHMENT_SUITE: constant(cluster.Suite.CBKE_ECMQV_K163)},
            {
                InitiateKeyEstablishment: lambda heard: self._hear(Event.INITIATE, heard),
                EphemeralData: lambda heard: self._hear(Event.EPHEMERAL, heard),
                ConfirmKeyData: lambda heard: self._hear(Event.CONFIRM, heard),
                TerminateKeyEstablishment: lambda heard: self._hear(Event.TERMINATE, heard),
            },
            malformed=self._malformed,
        )

    @property
    def partner(self) -> Eui64 | None:
        """With whom an exchange is going on."""
        return self._exchange.partner if self._exchange is not None and self.state in _BUSY else None

    @property
    def unsettled(self) -> Eui64 | None:
        """With whom an exchange is going on, or whose key has not proved good yet."""
        return self.partner or self._unused

    def forget(self) -> None:
        """Drop the exchange, as a power failure does."""
        self.state = State.IDLE
        self._unused = None
        self._exchange = None
        self._application.agenda.cancel("responder")

    def fire(self, event: Event, now: float) -> None:
        """Let an event happen."""
        self.state, action = TRANSITIONS[self.state, event]
        if self.state is State.IDLE:
            self._application.agenda.cancel("responder")
        self._actions[action](now)

    # -- what comes in

    def _hear(self, event: Event, heard: Heard) -> Answer:
        partner = self._sender(heard.indication)
        if partner is None:
            return None  # who it is will be known when it has announced itself
        if event is Event.TERMINATE:
            if self._exchange is None or self._exchange.partner != partner or not self._policy.heeds_terminate:
                return None
        else:
            flaw = length_flaw(heard, self._policy) or self._flaw(event, heard.command, partner)
            if flaw and event is Event.EPHEMERAL and not self._policy.answers_bad_key:
                return None
            self._refusal = flaw or _OUT_OF_TURN
            event = Event.FLAWED if flaw else event
        if self.partner not in (None, partner):
            if event is Event.INITIATE and not self._policy.refuses_when_busy:
                self.forget()
            elif event is Event.INITIATE and not self._policy.answers_when_busy:
                return None
            else:
                self._intrude(event, heard)
                return None
        self._heard = heard
        self.fire(event, heard.now)
        return None

    def _intrude(self, event: Event, heard: Heard) -> None:
        mine, self._heard = self._heard, heard
        self.fire(Event.INTRUDER if event is Event.INITIATE else Event.STRAY, heard.now)
        self._heard = mine

    def _malformed(self, indication: AsduIndication, header: Record, now: float) -> Answer:
        partner = self._sender(indication)
        heard = Heard(indication, header, TerminateKeyEstablishment.of(), now)
        self._refusal = Refusal(TerminateStatus.BAD_MESSAGE, "cannot be read")
        if self.partner not in (None, partner):
            self._intrude(Event.FLAWED, heard)
            return None
        self._heard = heard
        self.fire(Event.FLAWED, now)
        return None

    def _flaw(self, event: Event, message: Record, partner: Eui64) -> Refusal | None:
        if event is Event.INITIATE:
            if not self._registrar.may_establish(partner) or not (self._policy.answers_after_failure or self._exchange is None):
                return Refusal(TerminateStatus.NO_RESOURCES, "not registered here", cluster.MAXIMUM_SECONDS)
            return flaw_of_initiate(message, partner, self._credentials, self._policy)
        return flaw_of_ephemeral(message) if event is Event.EPHEMERAL else None

    # -- what is done

    def _answer_initiate(self, now: float) -> None:
        assert self._heard is not None
        message, partner = self._heard.command, self._sender(self._heard.indication)
        assert partner is not None
        self._complete(now)  # of the exchange before, which nobody has refused
        self._exchange = Exchange(
            self._credentials, self._application.core.ieee, partner, Role.RESPONDER,
            partner_certificate=message.certificate, partner_ephemeral_time=message.ephemeral_data_generate_time,
            partner_confirm_time=message.confirm_key_generate_time,
        )
        self._reply(initiate(self._credentials, self._timing), now)
        self._allow(self._exchange.partner_ephemeral_time, now)

    def _make_ephemeral(self, now: float) -> None:
        assert self._exchange is not None
        assert self._heard is not None
        self._exchange.partner_ephemeral = self._heard.command.ephemeral_public_key
        self._compute(self._timing.needed(self._timing.ephemeral, self._timing.making_ephemeral, self._policy), now)

    def _send_ephemeral(self, now: float) -> None:
        assert self._exchange is not None
        self._exchange.own_ephemeral = self._ephemeral_key()
        self._reply(EphemeralData.of(ephemeral_public_key=self._exchange.own_ephemeral.public), now)
        self._allow(self._exchange.partner_confirm_time, now)

    def _make_confirm(self, now: float) -> None:
        self._compute(self._timing.needed(self._timing.confirm, self._timing.making_confirm, self._policy), now)

    def _send_confirm(self, now: float) -> None:
        assert self._exchange is not None
        assert self._heard is not None
        try:
            outcome, expected = self._exchange.outcome(self._policy), self._exchange.expected(self._policy)
        except ValueError as fault:
            self._refusal = Refusal(TerminateStatus.BAD_MESSAGE, str(fault))
            self.fire(Event.FLAWED, now)
            return
        right = self._heard.command.message_authentication_code == expected.mac_u or not self._policy.checks_confirmation
        if right or not self._policy.keeps_key_only_if_confirmed:
            self._registrar.established(self._exchange.partner, outcome.key_data, now)
        if not right:
            self._refusal = Refusal(TerminateStatus.BAD_KEY_CONFIRM, "the initiator's confirmation is wrong")
            self.fire(Event.FLAWED, now)
            return
        self._reply(ConfirmKeyData.of(message_authentication_code=outcome.mac_v), now, told=True)

    def _attend(self, now: float) -> None:
        assert self._exchange is not None
        self._unused = self._exchange.partner
        self._registrar.acknowledged(self._unused, now)
        self._allow(0, now)

    def _complete(self, now: float) -> None:
        if self._unused is not None:
            self._registrar.registered(self._unused, now)
        self._unused = None

    def _withdraw(self, now: float) -> None:
        assert self._exchange is not None
        self._unused = None
        self._registrar.withdrawn(self._exchange.partner, now)
        self._registrar.failed(self._exchange.partner, "terminated", now)

    def _refuse(self, now: float) -> None:
        assert self._exchange is not None
        self._terminate(self._refusal, now)
        self._registrar.failed(self._exchange.partner, self._refusal.status.name.lower(), now)

    def _refuse_stray(self, now: float) -> None:
        assert self._heard is not None
        if not self._policy.checks_sequence and self._refusal is _OUT_OF_TURN:
            self._answer_out_of_turn(now)
            return
        self._terminate(self._refusal, now)
        if self._heard.command.is_a(InitiateKeyEstablishment):
            self._registrar.failed(self._sender(self._heard.indication), self._refusal.status.name.lower(), now)

    def _refuse_out_of_turn(self, now: float) -> None:
        if self._policy.checks_sequence:
            self._refuse(now)
        else:
            self._answer_out_of_turn(now)

    def _answer_out_of_turn(self, now: float) -> None:
        """What a responder does that follows no order: it answers whatever comes."""
        assert self._heard is not None
        if self._heard.command.is_a(InitiateKeyEstablishment):
            self.state = State.AWAIT_EPHEMERAL
            self._answer_initiate(now)
        elif self._heard.command.is_a(EphemeralData):
            self._reply(EphemeralData.of(ephemeral_public_key=self._new_ephemeral_key().public), now)
        elif self._heard.command.is_a(ConfirmKeyData):
            self._reply(ConfirmKeyData.of(), now)

    def _abandon(self, now: float) -> None:
        assert self._exchange is not None
        terminated = self._heard is not None and self._heard.command.is_a(TerminateKeyEstablishment)
        if self._policy.terminates_on_timeout and not terminated:
            self._terminate(Refusal(TerminateStatus.BAD_MESSAGE, "nothing came"), now)
        self._registrar.failed(self._exchange.partner, "terminated" if terminated else "silence", now)

    # -- sending and timing

    def _sender(self, indication: AsduIndication) -> Eui64 | None:
        return indication.source_ieee or self._application.core.ieee_of(indication.source)

    def _reply(self, message: Record, now: float, told: bool = False) -> None:
        """Answer the partner's last message; that it was not acknowledged counts only while we are still in this state."""
        assert self._heard is not None
        state, exchange = self.state, self._exchange

        def delivered(acknowledged: bool, now: float) -> None:
            if self.state is state and self._exchange is exchange and (told or not acknowledged):
                self.fire(Event.DELIVERED if acknowledged else Event.UNDELIVERED, now)

        path = self._heard.back()
        if not self._policy.answers_source_endpoint:
            path = replace(path, dest_endpoint=path.dest_endpoint % LAST_ENDPOINT + 1)  # certainly not the one asked
        send(self._application, path, message, now, self._heard.header.sequence, delivered)

    def _terminate(self, refusal: Refusal, now: float) -> None:
        assert self._heard is not None
        send(self._application, self._heard.back(), terminate(refusal, self._timing), now, self._heard.header.sequence)

    def _allow(self, advertised: int, now: float) -> None:
        if self._policy.recovers_from_silence:
            deadline = now + self._timing.allowed(advertised, self._policy)
            self._application.agenda.set("responder", deadline, lambda now: self.fire(Event.TIMEOUT, now))

    def _ephemeral_key(self) -> EphemeralKey:
        if self._drawn is None or not self._policy.reuses_ephemeral_key:
            self._drawn = self._new_ephemeral_key()
        return self._drawn

    def _compute(self, seconds: float, now: float) -> None:
        self._application.agenda.set("responder", now + seconds, lambda now: self.fire(Event.READY, now))


_OUT_OF_TURN = Refusal(TerminateStatus.BAD_MESSAGE, "out of its turn")
_BUSY_REFUSAL = Refusal(TerminateStatus.NO_RESOURCES, "busy with another device")
