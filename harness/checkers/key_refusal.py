"""Step 8: what a party of key establishment makes of a partner that errs, refuses, repeats itself or falls silent.

A check looks for the partner's fault on the air first; where there is none, the question was not put.
Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import pairwise

from dissectors import mac, nwk, zcl
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from harness.checkers.attempts import (
    ANSWER_TIME,
    INITIATOR,
    RESPONDER,
    TURNS,
    Attempt,
    Said,
    address,
    attempts,
    numbers,
    partner_of,
    watched,
)
from harness.checkers.key_agreement import agreement, forged
from harness.checkers.reading import Heard, air
from harness.crypto.ecqv import Certificate, CertificateError
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, noted, passed

LONGEST_PAUSE = 960.0  # seconds: a quarter of an hour after many failures (known from SE 1.4), and a minute
CLOCK_TOLERANCE = 1.0  # seconds; wait times are whole seconds
LEAVING_TIME = 30.0  # seconds within which a device is off a network that it has to leave


class Flaw(Enum):
    """What a partner can do wrong, with the status that a Terminate for it must carry."""

    LENGTH = TerminateStatus.BAD_MESSAGE
    TURN = "out of turn"
    SUITE = TerminateStatus.UNSUPPORTED_SUITE
    ISSUER = TerminateStatus.UNKNOWN_ISSUER
    SUBJECT = "subject"
    CONFIRMATION = TerminateStatus.BAD_KEY_CONFIRM
