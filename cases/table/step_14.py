"""Step 14: DR Application -> CIS: device and premise are registered.

There is no 14-FAILURE: of a device that was not provisioned step 13 brings no linkage, and one without it fails 14-AFTER-13.
"""

from __future__ import annotations

from harness.checkers import cim_dialogue, cim_refusal, linkage, linkage_chain
from harness.checkers.cim_message import STEP_14, Part, keeps, obeys, unique_ids
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=14,
    description="Sends the HAN Device's status and the premise to the CIS.",
    information="Premise - HAN Device join registration: premise ID, joined.",
    producer=Actor.DR_APPLICATION,
    receiver=Actor.CIS,
    message_type="Create / MasterDataLinkageConfig",
    open_item="The premise is written as \"Premise ID(?)\".",
)

CLAUSES = (
    Clause(
        id="UC2.7-14-MESSAGE",
        text="A linkage that the DR Application took in step 13 goes on to the CIS, by create MasterDataLinkageConfig.",
        origin="UC",
        citation="AEP use case 2.7, row 14",
        checks={Actor.DR_APPLICATION: (linkage_chain.follows(STEP_14, linkage_chain.linkages_taken),)},
        needs=(Point.CIM,),
        sees=(14, 13),
    ),
    Clause(
        id="UC2.7-14-AFTER-13",
        text="The CIS is told of no linkage before step 13 has brought one.",
        origin="UC",
        citation="AEP use case 2.7, rows 13 and 14",
        checks={Actor.DR_APPLICATION: (linkage_chain.not_before(STEP_14, linkage_chain.linkages_received),)},
        needs=(Point.CIM,),
        sees=(14, 13),
    ),
    Clause(
        id="UC2.7-14-ENVELOPE",
        text="The header is in order: a legal verb that fits the message, the payload's noun, a known revision and context.",
        origin="ENV",
        citation="IEC 61968-100:2013, HeaderType and RequestMessageType (2011 namespace)",
        checks={Actor.DR_APPLICATION: (obeys(STEP_14, Part.ENVELOPE),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-HEADER-PROFILE",
        text="The header has a fresh timestamp with its zone, a source, a MessageID and a CorrelationID.",
        origin="PROFILE",
        citation="docs/cim-profile.md, envelope; optional in the 2011 envelope, in part mandatory in that of 2018",
        checks={Actor.DR_APPLICATION: (obeys(STEP_14, Part.HEADER_PROFILE),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-SCHEMA",
        text="Envelope and payload are XML without a document type, each valid against its schema.",
        origin="CIM",
        citation="IEC 61968-9:2013, MasterDataLinkageConfig; IEC 61968-100:2013, Message.xsd (2011 namespaces)",
        checks={Actor.DR_APPLICATION: (obeys(STEP_14, Part.SCHEMA),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-MAC",
        text="The EndDevice is the device of step 1, named by its EUI-64, 16 hex digits, most significant first.",
        origin="UC",
        citation="AEP use case 2.7, row 14; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (
            linkage.names_the_device(STEP_14), keeps(STEP_14, "mac", "identity", "name-type", "mrid", of="EndDevice"),
        )},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-METER",
        text="The device is linked to the meter that it was ordered for.",
        origin="CIM",
        citation="IEC 61968-9:2013, MasterDataLinkageConfig; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (
            linkage.names_the_meter(STEP_14), keeps(STEP_14, "identity", "name-type", "mrid", of="Meter"),
        )},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-PREMISE",
        text="The device is linked to the premise of its customer's enrolment.",
        origin="UC",
        citation="AEP use case 2.7, row 14; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (
            linkage.names_the_premise(STEP_14), keeps(STEP_14, "premise"),
            keeps(STEP_14, "identity", "name-type", "mrid", of="ServiceLocation"),
            keeps(STEP_14, "identity", "name-type", "mrid", of="CustomerAgreement"),
        )},
        needs=(Point.CIM,),
        open_item="The premise is written as \"Premise ID(?)\".",
    ),
    Clause(
        id="UC2.7-14-STATUS",
        text="The linkage says that the device has joined, and since when.",
        origin="UC",
        citation="AEP use case 2.7, row 14: joined; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (keeps(STEP_14, "status"),)},
        needs=(Point.CIM,),
        open_item="Row 13 calls the state provisioned, row 14 calls it joined.",
    ),
    Clause(
        id="UC2.7-14-CORRELATION",
        text="The linkage has the CorrelationID of the order of step 1.",
        origin="PROFILE",
        citation="docs/cim-profile.md, CorrelationID",
        checks={Actor.DR_APPLICATION: (linkage.belongs_to_the_order(STEP_14),)},
        needs=(Point.CIM,),
        sees=(14, 1),
    ),
    Clause(
        id="UC2.7-14-UNIQUE",
        text="Every message has a MessageID of its own, but for the same octets sent again.",
        origin="ENV",
        citation="IEC 61968-100:2013, HeaderType; docs/cim-profile.md, MessageID",
        checks={Actor.DR_APPLICATION: (unique_ids(Actor.DR_APPLICATION),)},
        needs=(Point.CIM,),
        sees=(14, 1),
    ),
    Clause(
        id="UC2.7-14-TIME-LOGIC",
        text="In force since the device registered, as step 13 said; recorded no earlier, and sent no earlier than recorded.",
        origin="PROFILE",
        citation="docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (
            linkage.times_fit(STEP_14), linkage_chain.as_reported(keeps(STEP_14, "time-order", "time-zone")),
        )},
        needs=(Point.CIM, Point.LEG),
        sees=(14, 13, 12),
    ),
    Clause(
        id="UC2.7-14-ONE-LINKAGE",
        text="One linkage of step 13 goes on once, as one linkage of one device with one meter and one premise.",
        origin="PROFILE",
        citation="docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (
            linkage_chain.announced_once(STEP_14, linkage_chain.linkages_taken),
            keeps(STEP_14, "one-linkage", "linkage-ends"),
        )},
        needs=(Point.CIM,),
        sees=(14, 13),
    ),
    Clause(
        id="UC2.7-14-REPLY",
        text="A linkage gets one answer: a reply with its CorrelationID and a MessageID of its own; a right one is taken.",
        origin="ENV",
        citation="IEC 61968-100:2013, ResponseMessageType and ReplyType; correlation of request and response",
        checks={Actor.CIS: (cim_dialogue.answered(STEP_14, linkage_chain.wrong_linkages(STEP_14)),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-REJECTS",
        text="A malformed linkage, or one of an unknown premise, of another meter or known already, is refused.",
        origin="ENV",
        citation="IEC 61968-9:2013, reply codes; IEC 61968-100:2013, ErrorType; docs/cim-profile.md, refusals",
        checks={Actor.CIS: (
            cim_refusal.refuses(STEP_14, linkage_chain.wrong_linkages(STEP_14), linkage_chain.unseen),
        )},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-TOLERANT",
        text="A linkage that is unusual but legal is granted as ever: other prefixes, comments, another zone, an extension in its place.",
        origin="ENV",
        citation="XML 1.0 and Namespaces in XML; XML Schema part 2; IEC 61968-100:2013, Message.xsd (extension points)",
        checks={Actor.CIS: (cim_refusal.takes_the_unusual(STEP_14, linkage_chain.wrong_linkages(STEP_14)),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-IDEMPOTENT",
        text="The same linkage again, octet for octet, gets the same answer.",
        origin="PROFILE",
        citation="docs/cim-profile.md, MessageID",
        checks={Actor.CIS: (cim_refusal.takes_once(STEP_14, linkage_chain.unseen),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-14-RETRY",
        text="A linkage that nobody answers is sent again, octet for octet and so with the same MessageID.",
        origin="PROFILE",
        citation="docs/cim-profile.md, MessageID",
        checks={Actor.DR_APPLICATION: (cim_dialogue.asks_again(STEP_14),)},
        needs=(Point.CIM,),
    ),
)
