"""The fitting reply to a message that must be refused: findings to reply codes; knows no sender and no state."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cim.envelope import Reply, ReplyError
from harness.cim.finding import CimFinding, Layer
from harness.cim.reply_codes import ReplyCode

_BY_RULE: dict[str, ReplyCode] = {
    "verb": ReplyCode.VERB, "wrapper-verb": ReplyCode.VERB, "kind-verb": ReplyCode.VERB, "noun": ReplyCode.NOUN,
    "root": ReplyCode.NOUN, "revision": ReplyCode.REVISION, "header-profile": ReplyCode.HEADER_ELEMENT_MISSING,
    "correlation": ReplyCode.HEADER_ELEMENT_MISSING, "async-address": ReplyCode.HEADER_ELEMENT_MISSING,
    "replay-detection": ReplyCode.REQUEST_ID, "operation-set": ReplyCode.VERB,
    "payload-missing": ReplyCode.PAYLOAD_ELEMENT_MISSING, "incomplete": ReplyCode.PAYLOAD_ELEMENT_MISSING,
    "target": ReplyCode.PAYLOAD_ELEMENT_MISSING, "one-command": ReplyCode.TOO_MANY, "linkage-ends": ReplyCode.RELATIONSHIP,
    "one-linkage": ReplyCode.RELATIONSHIP, "premise": ReplyCode.SERVICE_LOCATION, "key": ReplyCode.LOCAL_KEY,
    "mac": ReplyCode.LOCAL_MAC, "window": ReplyCode.LOCAL_WINDOW, "control-code": ReplyCode.LOCAL_CODE,
    "device-type": ReplyCode.LOCAL_CODE,
}
_BY_OBJECT: dict[str, ReplyCode] = {"Meter": ReplyCode.METER, "ServiceLocation": ReplyCode.SERVICE_LOCATION}


def fitting_code(finding: CimFinding) -> ReplyCode:
    """The reply code that says best what a finding is about."""
    where = finding.path.rpartition("/")[2].partition("[")[0]
    if finding.rule in ("identity", "name-type", "mrid") and where in _BY_OBJECT:
        return _BY_OBJECT[where]
    if finding.rule == "missing":
        in_header = "/Header" in finding.path
        return ReplyCode.HEADER_ELEMENT_MISSING if in_header else ReplyCode.PAYLOAD_ELEMENT_MISSING
    if finding.rule in _BY_RULE:
        return _BY_RULE[finding.rule]
    return ReplyCode.SCHEMA if finding.layer in (Layer.TRANSPORT, Layer.XML, Layer.SCHEMA) else ReplyCode.NOT_ATTEMPTED


def refusal(findings: Iterable[CimFinding]) -> Reply:
    """FAILED with one error for each fault; what is only noted is left out."""
    return Reply("FAILED", tuple(
        ReplyError(fitting_code(finding), f"{finding.rule}: {finding.message}") for finding in findings if finding.failed
    ))


def refused(code: ReplyCode, reason: str) -> Reply:
    """FAILED with one error."""
    return Reply("FAILED", (ReplyError(code, reason),))
