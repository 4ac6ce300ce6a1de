"""Step 8: HAN Device <-> ESI: key establishment."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checkers import (
    application_security,
    key_agreement,
    key_contention,
    key_establishment,
    key_messages,
    key_recovery,
    key_refusal,
)
from harness.checkers.key_refusal import Flaw
from harness.checkers.parties import for_each
from harness.usecase import Actor, Check, Clause, Point, Step, Timed

ROW = Step(
    number=8,
    description=(
        "Initiates and completes security registration and receives its new application key in a secure "
        "transaction."
    ),
    information="New application key.",
    producer=Actor.HAN_DEVICE,
    receiver=Actor.ESI,
    message_type="ZigBee, SEP 1.0",
    open_item="The new application key is, in SE terms, the new trust-centre link key.",
)

DEVICE, ESI = (Actor.HAN_DEVICE,), (Actor.ESI,)
BOTH = DEVICE + ESI
ANNEX_C = "SE 1.0 (075356r15) annex C.3"


def _clause(
    name: str, text: str, checks: Mapping[Actor, tuple[Check, ...]], citation: str = ANNEX_C, *, origin: str = "SE",
    open_item: str = "", pics: str | None = None, survives: bool = False, timed: Timed | None = None,
) -> Clause:
    return Clause(
        f"UC2.7-08-{name}", text, origin, citation, checks, needs=(Point.MAC,), open_item=open_item, pics=pics, survives=survives,
        timed=timed,
    )


CLAUSES = (
    _clause(
        "DISCOVERS", "The device asks an endpoint that the ESI has named as a Key Establishment server, and assumes none.",
        {Actor.HAN_DEVICE: (key_establishment.discovers_the_server,)}, "SE 1.0 (075356r15) 5.5; 05-3474r17 2.4.3.1.7",
    ),
    _clause(
        "NOT-BEFORE-JOINED", "Key establishment begins when the device is a member of the network and has announced itself.",
        {Actor.HAN_DEVICE: (key_establishment.joins_first,)}, "SE 1.0 (075356r15) 5.4.1, 5.5; 05-3474r17 2.4.3.1.11",
    ),
    _clause(
        "COMPLETES", "The device begins key establishment by itself, and neither party leaves the other without an answer.",
        for_each(BOTH, key_establishment.brings_it_to_an_end), f"use case 2.7, row 8; {ANNEX_C}", origin="UC",
    ),
    _clause(
        "ORDER", "Initiate, Ephemeral Data and Confirm Key Data are sent once each, in this order, in turn with the partner's.",
        for_each(BOTH, key_establishment.keeps_the_order),
    ),
    _clause("SUITE-BIT", "Initiate names exactly one crypto suite.", for_each(BOTH, key_messages.names_one_suite)),
    _clause(
        "CERTIFICATE", "Initiate carries the sender's certificate: 48 octets, of the right authority, for its IEEE address.",
        for_each(BOTH, key_messages.certificate_is_its_own), "SE 1.0 (075356r15) annex C.3, C.4",
    ),
    _clause(
        "EPHEMERAL", "Ephemeral Data carries a public key: 22 octets, a compressed point of the curve.",
        for_each(BOTH, key_messages.ephemeral_key_is_one), "SE 1.0 (075356r15) annex C.3, C.4.2",
    ),
    _clause(
        "TIMES", "No message takes its sender longer than it advertised, and what it advertises is at most 254 s.",
        for_each(BOTH, key_establishment.keeps_its_times),
    ),
    _clause(
        "PATIENCE", "A party waits for as long as its partner advertised, and 2 s for the way.",
        for_each(BOTH, key_establishment.waits_as_advertised), timed=Timed.PACE,
    ),
    _clause("ACKED", "Every message asks for an APS acknowledgement.", for_each(BOTH, key_messages.asks_for_acknowledgements)),
    _clause(
        "NWK-ONLY", "Messages are secured with the network key alone, never APS-encrypted.",
        for_each(BOTH, key_messages.stays_under_the_network_key), f"{ANNEX_C}, 5.4.6",
    ),
    _clause(
        "DIRECTION-BIT", "Each message, Terminate included, says the direction that its sender's role has.",
        for_each(BOTH, key_messages.says_its_direction), f"{ANNEX_C}; ZCL 075123 2.3.1",
    ),
    _clause(
        "SOURCE-ENDPOINT", "An answer goes to the endpoint that the request came from.",
        for_each(ESI, key_establishment.answers_where_it_was_asked),
    ),
    _clause(
        "TRANSACTION", "An answer carries the transaction sequence number of its request.",
        for_each(ESI, key_establishment.answers_with_the_same_sequence), "ZCL 075123 2.3.1", origin="ZCL",
    ),
    _clause(
        "DEFAULT-RESPONSE-INSTEAD", "Messages are answered with commands of the cluster, not with a Default Response.",
        for_each(BOTH, key_establishment.answers_with_the_cluster), f"{ANNEX_C}; ZCL 075123 2.4.12.2",
    ),
    _clause(
        "MAC-U", "The initiator's confirmation is the HMAC over tag, addresses and ephemeral keys under the agreed MacKey.",
        for_each(DEVICE, key_agreement.confirmation_is_right), "SE 1.0 (075356r15) annex C.4.2",
    ),
    _clause(
        "MAC-V", "The responder's confirmation is the HMAC over tag, addresses and ephemeral keys under the agreed MacKey.",
        for_each(ESI, key_agreement.confirmation_is_right), "SE 1.0 (075356r15) annex C.4.2",
    ),
    _clause(
        "KEY-CONFIRMED", "The device uses the agreed key when the ESI's confirmation has come, and not before.",
        {Actor.HAN_DEVICE: (key_agreement.key_is_confirmed_first,)}, "SE 1.0 (075356r15) annex C.3, C.4.2",
    ),
    _clause(
        "KEY-INSTALLED", "After a completed exchange the agreed KeyData is the link key, in place of the install code's.",
        for_each(BOTH, key_agreement.new_key_is_used), "SE 1.0 (075356r15) 5.4.7, annex C.4",
    ),
    _clause(
        "OLD-KEY-RETIRED", "What comes under the install code's key after another one was established has no effect.",
        for_each(BOTH, application_security.old_key_is_retired), "SE 1.0 (075356r15) 5.4.6, 5.4.7",
        open_item="Sources differ on whether data under the install-code key is refused or passed over in silence; both pass.",
    ),
    _clause(
        "FRESH-EPHEMERAL", "Each exchange has its own ephemeral key.", for_each(BOTH, key_establishment.draws_afresh),
        "SE 1.0 (075356r15) annex C.4.2",
    ),
    _clause(
        "UNKNOWN-ISSUER", "A certificate of another authority is refused: Terminate, UNKNOWN_ISSUER.",
        for_each(BOTH, key_refusal.refuses(Flaw.ISSUER)),
    ),
    _clause(
        "LEAVES", "A device that does not share the trust centre's authority leaves the network.",
        {Actor.HAN_DEVICE: (key_recovery.leaves_a_foreign_network,)}, f"{ANNEX_C}, 5.5",
    ),
    _clause(
        "BAD-SUBJECT", "A certificate that was issued to somebody else is refused.",
        for_each(BOTH, key_refusal.refuses(Flaw.SUBJECT)), open_item="Which status Terminate has is not named; any is taken.",
    ),
    _clause(
        "BAD-CONFIRM", "A wrong confirmation is refused: Terminate, BAD_KEY_CONFIRM; no key comes of it.",
        for_each(BOTH, key_refusal.refuses(Flaw.CONFIRMATION)), "SE 1.0 (075356r15) annex C.3, C.4.2",
    ),
    _clause(
        "BAD-MESSAGE", "A message of a wrong length is refused: Terminate, BAD_MESSAGE.",
        for_each(BOTH, key_refusal.refuses(Flaw.LENGTH)),
    ),
    _clause(
        "FORGED", "No key comes of a certificate or an ephemeral key that is not the partner's own, whatever octet differs.",
        for_each(BOTH, key_refusal.falls_for_no_forgery), "SE 1.0 (075356r15) annex C.4.2",
    ),
    _clause(
        "UNSUPPORTED-SUITE", "A suite that nobody has is refused: Terminate, UNSUPPORTED_SUITE.",
        for_each(BOTH, key_refusal.refuses(Flaw.SUITE)),
    ),
    _clause(
        "OUT-OF-SEQUENCE", "A message at a wrong place is refused: Terminate, BAD_MESSAGE.",
        for_each(BOTH, key_refusal.refuses(Flaw.TURN)),
    ),
    _clause(
        "TERMINATE", "Terminate has a status that there is, a wait time of at most 254 s and the suites of its sender.",
        for_each(BOTH, key_messages.terminates_in_form),
    ),
    _clause(
        "TERMINATE-MIDWAY", "After the partner's Terminate no further message of the exchange comes, and no key.",
        for_each(BOTH, key_recovery.ends_when_told),
    ),
    _clause(
        "NO-RESOURCES",
        "Whoever begins while the ESI is busy is told to wait, or served beside the first; a device that is told to wait does.",
        {
            Actor.HAN_DEVICE: (key_recovery.respects_wait_time,), Actor.ESI: (key_contention.has_resources_or_says_so,),
        }, timed=Timed.PACE,
    ),
    _clause(
        "RESTART", "After an exchange that failed a new one is begun, and answered.", for_each(BOTH, key_recovery.begins_anew),
    ),
    _clause(
        "RETRY-PAUSE", "An exchange that fails is tried again at most ten times in a row; then the device pauses for a quarter of an hour.",
        {Actor.HAN_DEVICE: (key_recovery.pauses_after_many,)}, "SE 1.4, as a stack for it does (ZBOSS)", origin="SE1.1",
        pics="smart_energy_1_4", timed=Timed.PACE,
    ),
    _clause(
        "SILENCE",
        "A party whose partner falls silent, or is later than it said, gives up without Terminate and is ready for a new exchange.",
        for_each(BOTH, key_recovery.outlasts_silence), survives=True,
    ),
    _clause(
        "DUPLICATE", "A message that is repeated with the same APS counter is taken once.",
        for_each(BOTH, key_recovery.takes_a_repetition_once), f"05-3474r17 2.2.8.4.2; {ANNEX_C}", origin="ZB",
    ),
)

WITHOUT_NEGATIVE: Mapping[str, str] = {}  # clause@actor to the reason why nothing can be done to it that would ask the question
