"""Step 13: AMI Head-End -> DR Application: the linkage is announced."""

from __future__ import annotations

from harness.checkers import cim_dialogue, cim_refusal, linkage, linkage_chain
from harness.checkers.cim_message import STEP_13, Part, keeps, obeys, unique_ids
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=13,
    description="Sends the HAN Device's provisioning state to the DR Application.",
    information="Provisioned state, HAN Device MAC address.",
    producer=Actor.AMI_HEAD_END,
    receiver=Actor.DR_APPLICATION,
    message_type="Create / MasterDataLinkageConfig",
    open_item=(
        "The Summary has the head-end generate the CIM message, row 14 the DR Application. What step 13 says "
        "after a failed provisioning is undefined."
    ),
)

CLAUSES = (
    Clause(
        id="UC2.7-13-MESSAGE",
        text="A device that step 12 reports as provisioned is announced by create MasterDataLinkageConfig.",
        origin="UC",
        citation="AEP use case 2.7, row 13",
        checks={Actor.AMI_HEAD_END: (linkage_chain.follows(STEP_13, linkage_chain.reports),)},
        needs=(Point.CIM, Point.LEG),
        sees=(13, 12),
    ),
    Clause(
        id="UC2.7-13-AFTER-12",
        text="No linkage is announced before step 12 has reported the device as provisioned.",
        origin="UC",
        citation="AEP use case 2.7, rows 12 and 13",
        checks={Actor.AMI_HEAD_END: (linkage_chain.not_before(STEP_13, linkage_chain.reports),)},
        needs=(Point.CIM, Point.LEG),
        sees=(13, 12),
    ),
    Clause(
        id="UC2.7-13-ENVELOPE",
        text="The header is in order: a legal verb that fits the message, the payload's noun, a known revision and context.",
        origin="ENV",
        citation="IEC 61968-100:2013, HeaderType and RequestMessageType (2011 namespace)",
        checks={Actor.AMI_HEAD_END: (obeys(STEP_13, Part.ENVELOPE),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-HEADER-PROFILE",
        text="The header has a fresh timestamp with its zone, a source, a MessageID and a CorrelationID.",
        origin="PROFILE",
        citation="docs/cim-profile.md, envelope; optional in the 2011 envelope, in part mandatory in that of 2018",
        checks={Actor.AMI_HEAD_END: (obeys(STEP_13, Part.HEADER_PROFILE),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-SCHEMA",
        text="Envelope and payload are XML without a document type, each valid against its schema.",
        origin="CIM",
        citation="IEC 61968-9:2013, MasterDataLinkageConfig; IEC 61968-100:2013, Message.xsd (2011 namespaces)",
        checks={Actor.AMI_HEAD_END: (obeys(STEP_13, Part.SCHEMA),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-MAC",
        text="The EndDevice is the device of step 1, named by its EUI-64, 16 hex digits, most significant first.",
        origin="UC",
        citation="AEP use case 2.7, row 13; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.AMI_HEAD_END: (
            linkage.names_the_device(STEP_13), keeps(STEP_13, "mac", "identity", "name-type", "mrid", of="EndDevice"),
        )},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-METER",
        text="The device is linked to the meter that it was ordered for.",
        origin="CIM",
        citation="IEC 61968-9:2013, MasterDataLinkageConfig; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.AMI_HEAD_END: (
            linkage.names_the_meter(STEP_13), keeps(STEP_13, "identity", "name-type", "mrid", of="Meter"),
        )},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-STATUS",
        text="The linkage says that the device has joined, and since when.",
        origin="UC",
        citation="AEP use case 2.7, row 13: provisioned state; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.AMI_HEAD_END: (keeps(STEP_13, "status"),)},
        needs=(Point.CIM,),
        open_item="Row 13 calls the state provisioned, row 14 calls it joined.",
    ),
    Clause(
        id="UC2.7-13-CORRELATION",
        text="The linkage has the CorrelationID of the order of step 1.",
        origin="PROFILE",
        citation="docs/cim-profile.md, CorrelationID",
        checks={Actor.AMI_HEAD_END: (linkage.belongs_to_the_order(STEP_13),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-UNIQUE",
        text="Every message has a MessageID of its own, but for the same octets sent again.",
        origin="ENV",
        citation="IEC 61968-100:2013, HeaderType; docs/cim-profile.md, MessageID",
        checks={Actor.AMI_HEAD_END: (unique_ids(Actor.AMI_HEAD_END),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-TIME-LOGIC",
        text="In force since the device registered, as step 12 said; recorded no earlier, and sent no earlier than recorded.",
        origin="PROFILE",
        citation="docs/cim-profile.md, steps 13 and 14",
        checks={Actor.AMI_HEAD_END: (
            linkage.times_fit(STEP_13), linkage_chain.as_reported(keeps(STEP_13, "time-order", "time-zone")),
        )},
        needs=(Point.CIM, Point.LEG),
        sees=(13, 12),
    ),
    Clause(
        id="UC2.7-13-ONE-LINKAGE",
        text="One provisioning is announced once, as one linkage of one device with one meter.",
        origin="PROFILE",
        citation="docs/cim-profile.md, steps 13 and 14",
        checks={Actor.AMI_HEAD_END: (
            linkage_chain.announced_once(STEP_13, linkage_chain.reports),
            keeps(STEP_13, "one-linkage", "linkage-ends"),
        )},
        needs=(Point.CIM, Point.LEG),
        sees=(13, 12),
    ),
    Clause(
        id="UC2.7-13-REPLY",
        text="A linkage gets one answer: a reply with its CorrelationID and a MessageID of its own; a right one is taken.",
        origin="ENV",
        citation="IEC 61968-100:2013, ResponseMessageType and ReplyType; correlation of request and response",
        checks={Actor.DR_APPLICATION: (cim_dialogue.answered(STEP_13, linkage_chain.wrong_linkages(STEP_13)),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-REJECTS",
        text="A malformed linkage, or one of an unknown device, another meter or known already, is refused and not passed on.",
        origin="ENV",
        citation="IEC 61968-9:2013, reply codes; IEC 61968-100:2013, ErrorType; docs/cim-profile.md, refusals",
        checks={Actor.DR_APPLICATION: (
            cim_refusal.refuses(STEP_13, linkage_chain.wrong_linkages(STEP_13), linkage_chain.step_14s),
        )},
        needs=(Point.CIM,),
        sees=(13, 14),
    ),
    Clause(
        id="UC2.7-13-TOLERANT",
        text="A linkage that is unusual but legal is granted as ever: other prefixes, comments, another zone, an extension in its place.",
        origin="ENV",
        citation="XML 1.0 and Namespaces in XML; XML Schema part 2; IEC 61968-100:2013, Message.xsd (extension points)",
        checks={Actor.DR_APPLICATION: (cim_refusal.takes_the_unusual(STEP_13, linkage_chain.wrong_linkages(STEP_13)),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-IDEMPOTENT",
        text="The same linkage again, octet for octet, gets the same answer and is passed on once.",
        origin="PROFILE",
        citation="docs/cim-profile.md, MessageID",
        checks={Actor.DR_APPLICATION: (cim_refusal.takes_once(STEP_13, linkage_chain.step_14s),)},
        needs=(Point.CIM,),
        sees=(13, 14),
    ),
    Clause(
        id="UC2.7-13-RETRY",
        text="A linkage that nobody answers is sent again, octet for octet and so with the same MessageID.",
        origin="PROFILE",
        citation="docs/cim-profile.md, MessageID",
        checks={Actor.AMI_HEAD_END: (cim_dialogue.asks_again(STEP_13),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-13-FAILURE",
        text="A device that was not provisioned is linked to nothing; a pairing-failed event (x.10.0.85) is sent in its stead.",
        origin="PROFILE",
        citation="docs/cim-profile.md, steps 13 and 14; IEC 61968-9:2013, codes of EndDeviceEventType",
        checks={Actor.AMI_HEAD_END: (linkage_chain.failure_is_told_apart,)},
        needs=(Point.CIM, Point.LEG),
        open_item="What step 13 says after a failed provisioning is undefined.",
        sees=(13, 12),
    ),
)
