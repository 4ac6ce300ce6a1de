"""Sixty ways in which devices of the field get ZigBee and Smart Energy wrong, and whether a tester can bring each about himself.

Which defects and provocations are an instance of one they say themselves (`Defect.misbehaviours`). Collected from field
reports, fault injections of vendors' test tools and the requirements of the specifications; every sentence is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

A_KEY_OF_A_PLAN = "Our device does so by the plan of a case: with a key made in this way it asks to be let in (06-WRONG-CODE)."
_UNUSUAL_ENDPOINTS = "Every run puts it: the bench's own nodes have none of the endpoints that are taken for granted."
NOT_OURS = "It is an act of the device under test by itself: nothing that our side does wrong would bring it about."


@dataclass(frozen=True)
class Misbehaviour:
    """One misbehaviour. `unprovoked` says why our own side does not commit it or bring it about, empty where it does; `noted`
    why it fails nobody, empty where it does."""

    id: str
    text: str
    unprovoked: str = ""
    noted: str = ""


_OF_THE_SIXTY = (
    ("The CRC is left out of what an install code's key is made of.", A_KEY_OF_A_PLAN),
    ("The CRC of an install code is written or taken most significant octet first.", A_KEY_OF_A_PLAN),
    ("A mistyped install code is taken although its CRC is wrong.", ""),
    ("The link key is loaded with its octets turned round.", A_KEY_OF_A_PLAN),
    ("A link key is taken for an install code and hashed again, or a code for a key.", A_KEY_OF_A_PLAN),
    ("A device that does not have the key stays silent after Transport-Key, for good.", A_KEY_OF_A_PLAN),
    ("The network key is sent in the clear, or under a well-known key, to a device without a registered code.", ""),
    (
        "Transport-Key is secured under the wrong key: the data key, or the network key.",
        "A device may take what is sealed under any key made of its own: no reaction to it would be wrong.",
    ),
    ("A joining device takes a network key that is not sealed with its own key.", ""),
    ("Transport-Key carries extended addresses or a route that a sleepy joiner does not read.", ""),
    ("The joining window is opened for ever, or never closed.", "A window that our ESI does not close asks nothing of a device."),
    ("The outgoing NWK frame counter begins again at 0 after a reboot.", ""),
    ("A frame whose counter was seen before is taken as fresh.", ""),
    (
        "An APS acknowledgement has the wrong counter, cluster or endpoint, or lacks the security of what it acknowledges.",
        "What is acknowledged wrongly is repeated, or given up: no clause says which, so that no reaction would be wrong.",
    ),
    ("A frame counter that jumps ahead is refused.", ""),
    ("The key establishment suite attribute says 0.", "", "Old stacks say so, the test tool of the time among them: it is noted."),
    ("Initiate Key Establishment is answered with a Default Response.", ""),
    ("The suite field has several bits set, or none.", ""),
    ("A certificate of another device is not told from the right one.", ""),
    ("A certificate of another authority is taken, or refused with the wrong status.", ""),
    ("A device stays on the network after its authority was refused.", ""),
    ("The private key does not belong to the certificate.", ""),
    ("An unfinished elliptic curve library gives wrong values.", ""),
    ("The key agreement errs in one step: cofactor, counter, tags, order or octet order of addresses.", ""),
    ("A key is stored although the partner's confirmation was wrong, or before it was looked at.", ""),
    ("A message of the wrong length or with octets changed crashes or hangs the receiver.", ""),
    ("A message of key establishment at the wrong place is taken.", ""),
    ("A second initiator is not refused while another is served, or the time to wait is not kept.", ""),
    ("The partner's advertised times are ignored, or Terminate is sent when one's own patience ends.", ""),
    ("Endpoints are taken for granted, or the ESI is known by a device id or an input cluster.", _UNUSUAL_ENDPOINTS),
    ("The answer goes to a fixed endpoint, or has another transaction sequence number.", ""),
    ("Terminate has the wrong direction bit.", ""),
    ("Key establishment is APS-encrypted, or asks for no APS acknowledgement.", ""),
    ("A repeated message of key establishment is taken for a new one.",
     "No act of our side: the air spoils acknowledgements, so that the device under test gets each message twice."),
    ("Key establishment is begun again and again without a pause.", ""),
    ("Data of the application clusters is sent or taken without APS security.", ""),
    ("The key of the install code is used for data after key establishment.", ""),
    ("Missing APS security is not answered, or not with FAILURE, or under the wrong key.", ""),
    ("APS security is demanded on a cluster that has none.", ""),
    ("Smart Energy clusters are matched or served under another profile.", ""),
    ("A Match Descriptor request has wrong lists of clusters.", ""),
    ("An end device polls too often at rest, or too seldom while an answer is due.", NOT_OURS, "A recommendation: it is noted."),
    ("More is sent than the partner can take at once, or too little is advertised.", ""),
    ("Fragments are sent in a window greater than 1, misnumbered, or later ones unsecured.", ""),
    ("A device leaves by itself, or a NWK Leave is obeyed after key establishment.", ""),
    ("Keys are lost over a reset, and the device associates instead of rejoining.", ""),
    ("A device rejoins more often than its back-off lets it.", "An ESI does not answer for how often it is asked."),
    ("Publish Price with the fields of a later revision is refused, or the length of 1.0 is.", ""),
    ("Report Event Status has a wrong time, length or signature.", NOT_OURS),
    ("An event for another class of device is answered with an error.", ""),
    ("An event that comes twice is answered or run twice.", ""),
    ("A superseded event is reported at the wrong moment, or not at all.", ""),
    ("An opt-out before the start is reported at the wrong moment.", ""),
    ("Randomisation is ignored, outside its limits, or always the same.", ""),
    ("An event with an impossible duration or a reserved criticality is run.", ""),
    ("The time is read again and again, or used although it is not valid.", ""),
    ("Numbers of clusters or attributes of a draft are used.", NOT_OURS),
    ("The device ids of thermostat, switch and display are taken for one another.", NOT_OURS),
    ("A device that never begins key establishment is left on the network with full access.", ""),
    ("A link key of before is in the way when a device that was reset joins again.", ""),
)

MISBEHAVIOURS = tuple(Misbehaviour(f"M-{number:02}", *told) for number, told in enumerate(_OF_THE_SIXTY, start=1))
