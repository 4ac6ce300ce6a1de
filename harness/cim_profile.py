"""How a bench wants its IEC 61968 messages: generation of the envelope, form, binding, and our own choices of words.

Plain values, so that a bench file, a trace's header and every builder and judge of messages can carry them; knows no XML. What
each choice means stands in docs/cim-profile.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ENVELOPES = ("2008", "2011", "2018")
FORMS = ("typed", "generic")
BINDINGS = ("xml", "soap11", "soap12")
PATTERNS = ("synchronous", "asynchronous")
DEVICE_CODES = ("specific", "generic")
CHOICES = {"envelope": ENVELOPES, "form": FORMS, "binding": BINDINGS, "pattern": PATTERNS, "device_code": DEVICE_CODES}
"""The fields that take one of a few words; the others are words of a bench's own."""


@dataclass(frozen=True)
class CimProfile:
    """The choices of one bench. Every field is a word, so that it can be written into a bench file and a trace as it is.

    Raises ValueError for a word that is none of a field's CHOICES.
    """

    envelope: str = "2011"  # generation of the IEC 61968-100 envelope, one of ENVELOPES
    form: str = "typed"  # how our own side wraps what it sends; either form is read
    binding: str = "xml"  # bare message, or inside a SOAP 1.1 or 1.2 envelope
    pattern: str = "synchronous"  # whether our own requests ask for an asynchronous reply to a ReplyAddress
    mac: str = "MACAddress"  # NameType of a HAN device's EUI-64
    meter: str = "MeterNumber"  # NameType of a meter
    premise: str = "PremiseId"  # NameType of a ServiceLocation
    agreement: str = "CustomerAgreementId"  # NameType of a CustomerAgreement
    joined: str = "Joined"  # status word of a device that is provisioned
    device_code: str = "specific"  # first number of a four-part code: the device's own type (16, 19), or 12, some PAN device

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is none of {', '.join(choices)}")

    def as_dict(self) -> dict[str, str]:
        """The choices as a trace's header holds them (`about["cim"]`)."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> CimProfile:
        """The profile that a trace's header holds; the default for a trace that says nothing. Unknown words are ignored."""
        known = {name: str(value) for name, value in (told or {}).items() if name in cls.__dataclass_fields__}
        return cls(**known)


DEFAULT = CimProfile()
