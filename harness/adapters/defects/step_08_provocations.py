"""Step 8: what the harness's own side of key establishment does wrong on purpose, to see what the other side makes of it.

Each provocation exists for either side (`esi-...`, `device-...`) where it can, and errs once, the first time it can, so that the
exchange after it can succeed; where it takes something, the case draws it. What it breaks on its own side is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from harness.adapters import wrong_key_establishment as wrong
from harness.adapters.defects import Defect
from harness.adapters.wrong_key_establishment import every, first, terminate
from harness.usecase import Actor

SIDES = {"esi": Actor.ESI, "device": Actor.HAN_DEVICE}
NEARLY = 0.95  # share of the advertised time
TOO_LONG = 5.0  # the partner has given up by then


def _of_either() -> Iterator[Defect]:
    for side, actor in SIDES.items():
        for name, text, misbehaviours, made in (
            ("of-another-authority", "has a certificate of another authority", "M-20 M-21",
             lambda given: (first(InitiateKeyEstablishment, wrong.with_issuer),)),
            ("with-anothers-certificate", "has a certificate that was issued to another device", "M-19",
             lambda given: (first(InitiateKeyEstablishment, wrong.with_subject),)),
            ("with-a-reversed-certificate", "has a certificate whose subject is in the order of the air", "M-19",
             lambda given: (first(InitiateKeyEstablishment, wrong.with_reversed_subject),)),
            ("confirms-wrongly", "sends a wrong confirmation", "M-24 M-25",
             lambda given: (first(ConfirmKeyData, wrong.with_wrong_code),)),
            ("sends-no-point", "sends an ephemeral key that is no point", "M-23 M-26", wrong.pointless),
            ("resizes", "sends a message of a wrong length", "M-26", wrong.resizing),
            ("misplaces", "sends a message at a wrong place", "M-27", wrong.misplacing),
            ("names-suite", "names a suite that nobody has", "M-18", wrong.naming_suite),
            ("falls-silent", "falls silent in the middle of an exchange", "M-29", wrong.silent),
            ("terminates", "ends the exchange in its midst", "", wrong.terminating),
            ("terminates-turned", "ends the exchange with a Terminate of the other direction", "M-32",
             wrong.terminating_oddly(wrong.turned_terminate)),
            ("refuses-by-default-response", "sends a Default Response where a message is due", "M-17",
             wrong.refusing_by_default_response),
        ):
            yield Defect(f"{side}-{name}", actor, f"the {actor} {text}", made=made, misbehaviours=tuple(misbehaviours.split()))
        yield Defect(
            f"{side}-forges", actor, f"the {actor} sends a public key that is not its own, and accepts any confirmation",
            decisions={"checks_confirmation": False}, made=wrong.forging, misbehaviours=("M-26",),
        )
        for name, text, misbehaviours, decisions in (
            ("has-anothers-private-key", "has a private key that does not belong to its certificate, and accepts any confirmation",
             "M-22", {"holds_own_private_key": False, "checks_confirmation": False}),
            ("takes-its-time", "needs nearly all the time that it advertises", "M-29", {"generate_time_share": NEARLY}),
            ("is-late", "needs longer than it advertises, and longer than anybody waits", "M-29",
             {"generate_time_share": TOO_LONG}),
            ("encrypts-key-establishment", "APS-encrypts with the key that it has", "M-33",
             {"establishes_under_network_key_only": False}),
        ):
            yield Defect(
                f"{side}-{name}", actor, f"the {actor} {text}", decisions=decisions, misbehaviours=tuple(misbehaviours.split()),
            )


DEFECTS = (
    *_of_either(),
    Defect("esi-is-busy", Actor.ESI, "the ESI has no resources and says how long to wait", made=wrong.busy, misbehaviours=("M-28",)),
    Defect(
        "esi-is-always-busy", Actor.ESI, "the ESI never has resources", misbehaviours=("M-35",),
        rewrites=(every(InitiateKeyEstablishment, terminate(TerminateStatus.NO_RESOURCES)),),
    ),
    Defect(
        "esi-terminates-under-another-number", Actor.ESI, "the ESI ends the exchange under another transaction sequence number",
        made=wrong.terminating_oddly(wrong.renumbered(lambda number: number + 0x55, TerminateKeyEstablishment)),
        misbehaviours=("M-31",),
    ),
    Defect(
        "esi-refuses-the-authority", Actor.ESI, "the ESI says that it does not know the device's authority",
        made=lambda given: (first(InitiateKeyEstablishment, terminate(TerminateStatus.UNKNOWN_ISSUER)),), misbehaviours=("M-21",),
    ),
    Defect(
        "device-asks-from", Actor.HAN_DEVICE, "the device begins from an endpoint that it does not have", made=wrong.asking_from,
        misbehaviours=("M-31",),
    ),
    Defect(
        "device-numbers-messages", Actor.HAN_DEVICE, "the device gives every message the same transaction sequence number",
        made=wrong.numbering, misbehaviours=("M-31",),
    ),
    Defect(
        "device-breaks-off", Actor.HAN_DEVICE, "the device ends its first exchange right behind its own confirmation",
        decisions={"breaks_off": True},
    ),
    Defect(
        "device-uses-a-refused-key", Actor.HAN_DEVICE, "the device sends a wrong confirmation, and uses the key all the same",
        decisions={"heeds_terminate": False}, made=lambda given: (first(ConfirmKeyData, wrong.with_wrong_code),),
        misbehaviours=("M-25",),
    ),
)
