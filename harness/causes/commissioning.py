"""Causes of failures in commissioning (step 7)."""

from __future__ import annotations

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {
    "somebody-else-described": "a descriptor is given for whatever address is asked about, and not for the own one alone.",
    "trust-centre-not-told": "the server mask leaves out the bit of the primary trust centre.",
    "capability-not-as-joined": "the node descriptor gives another capability octet than the device associated with.",
    "logical-type-of-another": "the node descriptor gives the logical type of another kind of node.",
    "device-object-counted": "the device object's endpoint 0 is counted among the application endpoints.",
    "endpoints-not-ascending": "a list of endpoints is neither sorted nor free of repetitions.",
    "device-id-of-another": "the device identifier is that of another device of the profile: 0502, 0503 and 0504 are mixed up easily.",
    "cluster-on-the-wrong-side": (
        "a cluster stands in the other list of the simple descriptor: input clusters are servers, output clusters clients."
    ),
    "cluster-missing": "a cluster that the device must have stands in no simple descriptor.",
    "any-profile-matched": "Match_Desc compares clusters and leaves the profile out.",
    "anything-matched": "Match_Desc names an endpoint whatever cluster is looked for, as when one list is compared with the other.",
    "match-not-told": "Match_Desc does not name an endpoint that has the cluster.",
    "unmatched-broadcast-answered": "a broadcast Match_Desc without a match is answered, where silence is due.",
    "unmatched-status": "a Match_Desc without a match draws a status that no revision gives it.",
    "binding-status-of-another-request": "a binding is answered with a status that belongs to another request.",
    "binding-not-answered": "a binding request is not answered at all, which it must be even where bindings are not supported.",
    "binding-insisted-on": "the device waits for a binding that was refused, where a refusal is to be tolerated.",
    "any-endpoint-assumed": "an endpoint is taken for granted (10 in the samples of one manufacturer) and not discovered.",
    "attribute-missing": "an attribute that is mandatory is answered as unsupported.",
    "attribute-type": "an attribute is given with another data type than its cluster declares.",
    "attribute-of-a-draft": "an attribute stands under the number that a draft gave it, where the final text has another one.",
    "power-source-unknown": "the power source is a value that the cluster library does not have.",
    "suite-of-another": "the suite attribute leaves out bit 0, crypto suite 1, which every device of Smart Energy 1.0 has.",
    "time-invalid": "the clock was never set: the time is ffffffff.",
    "time-does-not-run": "the time is a constant, or does not run with the seconds.",
    "time-read-too-often": "the device synchronises its clock more often than once in 24 hours.",
    "time-never-read": "the device never reads the time of the ESI.",
    "master-and-synchronized": "the time status has both bits, where a master is synchronised by nobody.",
    "untrusted-time-used": "the time status is not looked at: a time is taken whose server is neither Master nor Synchronized.",
    "invalid-time-used": "the value is not looked at: ffffffff is taken for a time and counted on from.",
    "transfer-size-too-small": "the maximum incoming transfer size is below the 128 octets of the profile.",
    "transfer-size-ignored": "the partner's node descriptor is not heeded when something long is sent.",
    "block-numbers": "blocks are numbered by another rule: the first says how many there are, the next is 1.",
    "later-block-unsecured": "only the first block of a message is APS-secured, as if security were the message's and not the block's.",
    "unsecured-block-taken": "only the first block's security is looked at when a message is put together.",
    "block-without-acknowledgement-request": "a block asks for no acknowledgement, without which nobody knows that it is lost.",
    "window-above-one": "blocks are sent ahead of their acknowledgements: the window is larger than the profile's 1.",
    "lost-block-given-up": "a block is sent only once: the retries of 05-3474, 2.2.8.4.4, are left out.",
    "block-said-to-be-lost": "the acknowledgement's bitfield does not have the bit of the block that it acknowledges.",
    "status-of-another-refusal": "what is not there is refused with the status of another refusal.",
    "unknown-passed-over": "a question is passed over in silence that must be answered also where nothing is there.",
    "unknown-obeyed": "a command of a cluster that nobody has is answered as if it had been carried out.",
    "broadcast-answered": "a Default Response answers a broadcast.",
    "default-response-answered": "a Default Response answers a Default Response, which may go on for ever.",
    "default-response-always": (
        "a Default Response is sent for every command, whether or not there is a response and whatever the header says."
    ),
    "default-response-missing": "no Default Response is sent where a command draws nothing else.",
    "malformed-obeyed": "a message that cannot be read is answered as if it had been carried out.",
    "malformed-not-survived": "a message that cannot be read stops the stack from answering.",
}
