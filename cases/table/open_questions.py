"""What the use case and the specifications leave open, how HANproof treats it, and which clauses it touches; decides nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpenQuestion:
    """One question. `treated` is what is done while it is open; `clauses` are the ids it touches, none where nothing judges it."""

    source: str
    question: str
    treated: str
    clauses: tuple[str, ...] = ()


_USE_CASE, _SOURCES = "AEP use case 2.7", "SE 1.0 and stacks of its time"

OPEN_QUESTIONS = (
    OpenQuestion(
        _USE_CASE, "Step 1 names no message type.", "EndDeviceControls of code x.10.73.298, a choice of the profile.",
        ("UC2.7-01-COMMAND",),
    ),
    OpenQuestion(
        _USE_CASE, "Step 3 is received by the NIC in its column and by the ESI in its text.", "Judged by the column.",
        ("UC2.7-03-RECEIVER",),
    ),
    OpenQuestion(
        _USE_CASE, "The summary has the head-end generate the CIM message, row 14 the DR Application.",
        "Each row is judged as it stands: step 13 at the head-end, step 14 at the DR Application.",
        ("UC2.7-13-MESSAGE", "UC2.7-14-MESSAGE"),
    ),
    OpenQuestion(_USE_CASE, "Step 14 writes \"Premise ID(?)\".", "The premise of the enrolment is demanded.", ("UC2.7-14-PREMISE",)),
    OpenQuestion(
        _USE_CASE, "Two of three postconditions are put as questions.", "Asked where somebody can be asked; else inconclusive.",
        ("UC2.7-POST-CONFIG-IN-CIS", "UC2.7-POST-ENROLMENT-PASSED"),
    ),
    OpenQuestion(
        _USE_CASE, "ODS is an integration point that appears in no step; the DRMS is named and is no actor.",
        "The ODS is told the head-end's events; the DRMS is the DR Application.", ("UC2.7-INT-HEAD-END-ODS", "UC2.7-POST-STATE-IN-DRMS"),
    ),
    OpenQuestion(
        _USE_CASE, "CIS and AMI Head-End must be tested with each other, and no step uses that.",
        "The CIS creates the meter's record, which the run depends on.", ("UC2.7-INT-CIS-HEAD-END",),
    ),
    OpenQuestion(
        _USE_CASE, "Step 8 speaks of a new application key.", "Taken for the new trust-centre link key, as SE has it.",
        ("UC2.7-08-KEY-INSTALLED",),
    ),
    OpenQuestion(
        _USE_CASE, "The assumption on the metering cluster would make steps 7 to 9 conditional, and a switch has none.",
        "A PICS item that only the metering clauses ask for.", ("UC2.7-PRE-METERING-CLUSTER", "UC2.7-09-METERING"),
    ),
    OpenQuestion(
        _USE_CASE, "Row 7 stands before row 8, but reading the time needs the key of row 8.", "Either order passes.",
        ("UC2.7-SEQ-ORDER", "UC2.7-07-TIME"),
    ),
    OpenQuestion(
        _USE_CASE, "Exceptions: none.", "Negative cases are derived from SE 1.0, ZigBee PRO or IEC 61968, and say from which.",
    ),
    OpenQuestion(
        _USE_CASE, "What step 13 says after a failed provisioning is undefined.", "No linkage is demanded; an event is, by the profile.",
        ("UC2.7-13-FAILURE",),
    ),
    OpenQuestion(
        _SOURCES, "Terminate 06: one source names it, the others end at 05.",
        "Never demanded; as an answer it is a Terminate like any other.",
        ("UC2.7-08-TERMINATE",),
    ),
    OpenQuestion(
        _SOURCES, "Data under the key of the install code is discarded in silence by one source, answered with FAILURE by another.",
        "Both pass; only its execution fails.", ("UC2.7-09-NOT-INSTALL-KEY",),
    ),
    OpenQuestion(
        _SOURCES, "How long a trust centre waits for key establishment: 20 minutes in two sources, 60 in one.",
        "No deadline is judged: a bench waits 20 minutes, and less or more is nobody's fail.",
    ),
    OpenQuestion(
        _SOURCES, "Which octets the signature of Report Event Status covers, and whether a 1.0 device must sign.",
        "One that is there must verify; a missing one fails only where the PICS claims signatures.", ("UC2.7-09-EVENT-SIGNATURE",),
    ),
    OpenQuestion(
        _SOURCES, "How many fragments may be under way at once: stacks differ.", "A window of 1 is judged, as the profile has it.",
        ("UC2.7-07-FRAGMENTS",),
    ),
    OpenQuestion(
        _SOURCES, "A client of load control whose table is full may refuse a further event or give up an older one.",
        "A rejection while others are pending is noted; the report of any other is demanded.", ("UC2.7-09-DURATION",),
    ),
    OpenQuestion(
        _SOURCES, "Which key Basic, Alarms and Time use: one source contradicts three.",
        "Time needs the key of key establishment as three have it; Basic and Alarms under the network key never fail.",
        ("UC2.7-09-LINK-KEY-REQUIRED",),
    ),
    OpenQuestion(
        _SOURCES, "The type of the suite attribute is an enumeration in some sources and a bitmap in others.", "Both types pass.",
        ("UC2.7-07-SUITE",),
    ),
    OpenQuestion(
        _SOURCES, "Whether key establishment runs under the old link key when keys are renewed.",
        "Under the network key alone, as in the first exchange; a renewal of link keys is not provoked.", ("UC2.7-08-NWK-ONLY",),
    ),
)
