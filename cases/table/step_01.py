"""Step 1: DR Application -> AMI Head-End: the provisioning window is requested."""

from __future__ import annotations

from harness.checkers import cim_dialogue, cim_refusal, window_granted, window_request
from harness.checkers.cim_message import STEP_1, Part, keeps, obeys
from harness.checkers.confidentiality import keeps_the_key
from harness.usecase import Actor, Clause, Point, Step

ROW = Step(
    number=1,
    description=(
        "Sends a time-based provisioning window that lets newly authorised HAN Devices begin provisioning to "
        "the ESI through the AMI Network."
    ),
    information=(
        "HAN Device MAC address, device type, pre-configured security key, and the command that lets the ESI "
        "enable provisioning."
    ),
    producer=Actor.DR_APPLICATION,
    receiver=Actor.AMI_HEAD_END,
    message_type="",
    open_item="Step 1 has no message type; HANproof sends EndDeviceControls x.10.73.298 (PROFILE).",
)

CLAUSES = (
    Clause(
        id="UC2.7-01-COMMAND",
        text="A joining window is asked for by create EndDeviceControls, code x.10.73.298, one command a message.",
        origin="PROFILE",
        citation="AEP use case 2.7, row 1; IEC 61968-9:2013, codes of EndDeviceControlType; docs/cim-profile.md, step 1",
        checks={Actor.DR_APPLICATION: (window_request.window_is_asked_for, keeps(STEP_1, "one-command", "control-code"))},
        needs=(Point.CIM,),
        open_item="Row 1 names no message type.",
    ),
    Clause(
        id="UC2.7-01-MAC",
        text="The request names the HAN device that was ordered by its EUI-64, 16 hex digits, most significant first.",
        origin="UC",
        citation="AEP use case 2.7, row 1; docs/cim-profile.md, step 1",
        checks={Actor.DR_APPLICATION: (window_request.device_is_the_ordered_one, keeps(STEP_1, "mac"))},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-TYPE",
        text="The request names the device's type: 19 thermostat, 16 load control device; 12, some PAN device, is noted.",
        origin="UC",
        citation="AEP use case 2.7, row 1; IEC 61968-9:2013, device types of the four-part codes; docs/cim-profile.md, step 1",
        checks={Actor.DR_APPLICATION: (window_request.type_is_the_ordered_one, keeps(STEP_1, "device-type"))},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-KEY",
        text="The request carries the device's key: an install code of legal length and right CRC, or a link key, as agreed.",
        origin="UC",
        citation="AEP use case 2.7, row 1; SE 1.0 (075356r15) 5.4.8.1 as explained by AN708, 12.1; docs/cim-profile.md, step 1",
        checks={Actor.DR_APPLICATION: (window_request.key_is_the_ordered_one, keeps(STEP_1, "key"))},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-WINDOW",
        text="The request says when the window starts, with its zone, and for how long, as ordered; it is not over already.",
        origin="UC",
        citation="AEP use case 2.7, row 1: a time-based window; docs/cim-profile.md, step 1",
        checks={Actor.DR_APPLICATION: (window_request.window_is_the_ordered_one, keeps(STEP_1, "window", "time-zone"))},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-METER",
        text="The request names the meter whose ESI the device is to join.",
        origin="UC",
        citation="AEP use case 2.7, assumptions: a targeted Smart Meter ESI; docs/cim-profile.md, step 1",
        checks={Actor.DR_APPLICATION: (
            window_request.meter_is_the_ordered_one, keeps(STEP_1, "target", "identity", "name-type", "mrid"),
        )},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-ENVELOPE",
        text="The header is in order: a legal verb that fits the message, the payload's noun, a known revision and context.",
        origin="ENV",
        citation="IEC 61968-100:2013, HeaderType and RequestMessageType (2011 namespace)",
        checks={Actor.DR_APPLICATION: (obeys(STEP_1, Part.ENVELOPE),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-HEADER-PROFILE",
        text="The header has a fresh timestamp with its zone, a source, a MessageID and a CorrelationID.",
        origin="PROFILE",
        citation="docs/cim-profile.md, envelope; optional in the 2011 envelope, in part mandatory in that of 2018",
        checks={Actor.DR_APPLICATION: (obeys(STEP_1, Part.HEADER_PROFILE),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-SCHEMA",
        text="Envelope and payload are XML without a document type, each valid against its schema.",
        origin="ENV",
        citation="IEC 61968-100:2013, Message.xsd; IEC 61968-9:2013, EndDeviceControls (2011 namespaces)",
        checks={Actor.DR_APPLICATION: (obeys(STEP_1, Part.SCHEMA),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-SECRET",
        text="Key material appears nowhere but in the key element of the order: in no answer, no event, no log.",
        origin="PROFILE",
        citation="docs/cim-profile.md, step 1",
        checks={
            Actor.DR_APPLICATION: (keeps_the_key(Actor.DR_APPLICATION, log=True),),
            Actor.AMI_HEAD_END: (keeps_the_key(Actor.AMI_HEAD_END, log=False),),  # its log is 02-CONFIDENTIAL's
        },
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-REPLY",
        text="A request gets one answer: a reply with its CorrelationID and a MessageID of its own; a right one is granted.",
        origin="ENV",
        citation="IEC 61968-100:2013, ResponseMessageType and ReplyType; correlation of request and response",
        checks={Actor.AMI_HEAD_END: (cim_dialogue.answered(STEP_1, window_granted.wrong_orders),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-RETRY",
        text="A request that nobody answers is sent again, octet for octet and so with the same MessageID.",
        origin="PROFILE",
        citation="docs/cim-profile.md, MessageID",
        checks={Actor.DR_APPLICATION: (cim_dialogue.asks_again(STEP_1),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-REJECTS",
        text="A malformed request is refused with the fitting code, and opens nothing.",
        origin="ENV",
        citation="IEC 61968-9:2013, reply codes; IEC 61968-100:2013, ErrorType; docs/cim-profile.md, refusals",
        checks={Actor.AMI_HEAD_END: (
            cim_refusal.refuses(STEP_1, window_granted.wrong_orders, window_granted.opened_windows),
        )},
        needs=(Point.CIM, Point.LEG),
        sees=(1, 2),
    ),
    Clause(
        id="UC2.7-01-TOLERANT",
        text="A request that is unusual but legal is granted as ever: other prefixes, comments, another zone, an extension in its place.",
        origin="ENV",
        citation="XML 1.0 and Namespaces in XML; XML Schema part 2; IEC 61968-100:2013, Message.xsd (extension points)",
        checks={Actor.AMI_HEAD_END: (cim_refusal.takes_the_unusual(STEP_1, window_granted.wrong_orders),)},
        needs=(Point.CIM,),
    ),
    Clause(
        id="UC2.7-01-IDEMPOTENT",
        text="The same request again, octet for octet, gets the same answer and opens no second window.",
        origin="PROFILE",
        citation="docs/cim-profile.md, MessageID",
        checks={Actor.AMI_HEAD_END: (cim_refusal.takes_once(STEP_1, window_granted.opened_windows),)},
        needs=(Point.CIM, Point.LEG),
        sees=(1, 2),
    ),
    Clause(
        id="UC2.7-01-CANCEL",
        text="A command to close (x.10.73.299) withdraws the window, before it is open and while it is.",
        origin="CIM",
        citation="IEC 61968-9:2013, codes of EndDeviceControlType; docs/cim-profile.md, step 1",
        checks={Actor.AMI_HEAD_END: (window_granted.withdrawal_is_obeyed,)},
        needs=(Point.CIM, Point.LEG),
        sees=(1, 2),
    ),
    Clause(
        id="UC2.7-01-HOSTILE-XML",
        text="What is a danger to who reads it as XML is refused in good time, and the next request is answered as ever.",
        origin="ENV",
        citation="IEC 61968-100:2013, FaultMessageType; docs/cim-profile.md, rules of the layer xml",
        checks={Actor.AMI_HEAD_END: (cim_refusal.outlives(STEP_1),)},
        needs=(Point.CIM,),
    ),
)
