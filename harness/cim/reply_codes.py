"""The reply codes of IEC 61968-9 and what they mean, in our own words; knows nothing of messages.

The standard leaves `Error/code` a free string and allows local codes; HANproof's profile takes any code that begins with a
letter for a local one.
"""

from __future__ import annotations

import re
from enum import StrEnum


class ReplyCode(StrEnum):
    """The codes that a DR Application, AMI Head-End or CIS of the use case has reason to send."""

    NO_ERROR = "0.0"
    ACKNOWLEDGEMENT = "0.3"
    HEADER_ELEMENT_MISSING = "1.5"
    PAYLOAD_ELEMENT_MISSING = "1.7"
    SCHEMA = "1.8"
    REVISION = "1.9"
    METER = "2.4"
    NOUN = "2.5"
    VERB = "2.9"
    REQUEST_ID = "2.15"
    SERVICE_LOCATION = "2.16"
    CUSTOMER_AGREEMENT = "2.24"
    METER_AND_LOCATION = "2.17"
    RELATIONSHIP = "2.29"
    TOO_MANY = "3.1"
    NOT_ATTEMPTED = "5.2"
    ATTEMPTED_AND_FAILED = "5.3"
    LOCAL_KEY = "HAN-KEY"  # the table has no code for anything of a HAN device: these are HANproof's own
    LOCAL_MAC = "HAN-MAC"
    LOCAL_WINDOW = "HAN-WINDOW"
    LOCAL_CODE = "HAN-CODE"


MEANINGS: dict[str, str] = {
    "0.0": "no error", "0.1": "partial result, more follows in other messages", "0.2": "partial result, nothing follows",
    "0.3": "acknowledgement only",
    "1.5": "header element missing", "1.6": "request element missing", "1.7": "payload element missing",
    "1.8": "not valid against the schema", "1.9": "message revision not supported",
    "2.4": "meter not valid", "2.5": "noun not valid", "2.6": "ReadingType not valid", "2.9": "verb not valid",
    "2.10": "ReadingType not supported", "2.12": "UsagePoint not valid", "2.13": "meter and UsagePoint do not match",
    "2.14": "source not valid", "2.15": "request ID not valid", "2.16": "ServiceLocation not valid",
    "2.17": "meter and ServiceLocation do not match", "2.18": "ComModule and meter do not match",
    "2.19": "CustomerAccount not valid", "2.20": "ServiceSupplier not valid",
    "2.21": "CustomerAccount and ServiceSupplier do not match", "2.22": "Customer not valid",
    "2.23": "Customer and CustomerAccount do not match", "2.24": "CustomerAgreement not valid",
    "2.25": "CustomerAccount and CustomerAgreement do not match", "2.26": "CustomerAgreement and UsagePoint do not match",
    "2.27": "CustomerAccount and UsagePoint do not match", "2.28": "ServiceSupplier and UsagePoint do not match",
    "2.29": "related objects do not match", "2.30": "ComModule not valid", "2.31": "ServiceCategory not valid",
    "2.32": "UsagePointLocation not valid", "2.33": "PricingStructure not valid",
    "3.1": "too many items in the request", "3.2": "too many requests pending",
    "4.1": "the request timed out",
    "5.1": "not processed: load too high", "5.2": "not processed: not attempted", "5.3": "not processed: attempted and failed",
    "5.4": "not processed: several kinds of error", "5.5": "readings not in the meter data system",
    "5.6": "readings not in the AMI", "5.7": "some or all of the data not available",
    "5.8": "not processed: mandatory field missing", "5.9": "aborted to keep the transaction whole",
    "6.1": "business rule: cancelled", "6.2": "business rule: held", "6.3": "business rule: released",
    "6.4": "business rule: rescheduled", "6.5": "business rule: cancelled by the user",
    "7.1": "authentication failed for now", "7.2": "authentication required", "7.3": "authentication too weak",
    "7.4": "authentication failed", "7.5": "user not authorised", "7.6": "authentication needs encryption",
    "7.7": "policy violation",
}

_LOCAL = re.compile(r"[A-Za-z][\w.:-]*")


def is_known(code: str) -> bool:
    """Whether a code is in the table or of the local form."""
    return code in MEANINGS or bool(_LOCAL.fullmatch(code))


def is_success(code: str) -> bool:
    """Whether a code belongs to family 0, which says that all went well so far."""
    return code.partition(".")[0] == "0"
