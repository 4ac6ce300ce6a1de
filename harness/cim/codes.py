"""The four-part codes `type.domain.subDomain.eventOrAction` of IEC 61968-9 (second edition, 2013 tables) and their names.

Device types and domains are complete but for vendors' own; of subDomain and eventOrAction what can be said of a HAN is named,
so an unknown number there is no fault. Knows nothing of messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from harness.cim_profile import DEFAULT, CimProfile
from harness.values import DeviceType


class Kind(IntEnum):
    """First part: the kind of device that is commanded, or to which it happened."""

    NA = 0
    DAP_DEVICE = 1
    DER_DEVICE = 2
    ELECTRIC_METER = 3
    GAS_METER = 4
    GATEWAY = 5
    DSP_DEVICE = 6
    PAN_GATEWAY = 7
    TRANSFORMER = 8
    COLLECTOR = 10
    NETWORK_ROUTER = 11
    PAN_DEVICE = 12
    FEEDER = 13
    GENERATOR = 14
    IN_PREMISES_DISPLAY = 15
    LOAD_CONTROL_DEVICE = 16
    PAN_METER = 17
    PREPAYMENT_TERMINAL = 18
    PROG_CTL_THERMOSTAT = 19
    RANGE_EXTENDER = 20
    REGULATOR = 21
    SUBSTATION = 22
    ENERGY_ROUTER = 23
    WATER_METER = 24
    WASTE_WATER_METER = 25
    COM_DEVICE = 26
    ELECTRIC_VEHICLE = 58


class Domain(IntEnum):
    """Second part: the area of function."""

    NA = 0
    COMMUNICATION = 1
    BATTERY = 2
    CARTRIDGE = 3
    GAS_SUPPLY = 4
    WATER_SUPPLY = 5
    INSTALLATION = 6
    CONFIGURATION = 7
    DEMAND = 8
    MODULE_FIRMWARE = 9
    PAIRING = 10
    FIRMWARE = 11
    SECURITY = 12
    VIDEO_DISPLAY = 13
    MOBILE_SECURITY = 14
    LOAD_CONTROL = 15
    LOAD_PROFILE = 16
    LOGS = 17
    MEMORY = 18
    MODEM = 19
    BILLING = 20
    METROLOGY = 21
    NETWORK = 23
    POWER = 26
    PRESSURE = 29
    RCD_SWITCH = 31
    TEMPERATURE = 35
    CLOCK = 36
    WATCHDOG = 37
    KYZ_PULSE_COUNTER = 38
    ASSOCIATED_DEVICE = 39
    VOLUME = 40
    RECORDER = 41


VENDOR_DOMAINS = range(51, 55)
_KINDS, _DOMAINS = frozenset(Kind), frozenset(Domain)


class SubDomain(IntEnum):
    """Third part: what in that area; those that concern a HAN or its commissioning."""

    NA = 0
    ACCESS = 1
    AUTO_REGISTRATION = 5
    PRICING = 9
    IDENTITY = 10
    STATUS = 17
    CERTIFICATE = 21
    PASSWORD = 24
    DATA = 31
    SECURITY_KEY = 32
    EVENT = 43
    HEAD_END_SYSTEM = 52
    LAN_ADDRESS = 61
    LOGIN = 65
    MESH = 68
    NETWORK_ID = 71
    WINDOW = 73
    ASSOCIATION = 74
    PARENT_DEVICE = 76
    REGISTRATION = 90
    TEXT_MESSAGE = 112
    SECURITY_KEY_LENGTH = 119
    SECURITY_KEY_VERSION = 120
    TIMEOUT = 125
    IP_ADDRESS = 127
    SESSION = 129
    RADIO = 136
    ALL_EVENTS = 148


class Happening(IntEnum):
    """Fourth part (eventOrAction): what is to be done, or was."""

    NA = 0
    ABORTED = 1
    ACCESSED = 2
    ACKNOWLEDGED = 3
    ACTIVATED = 4
    ATTEMPTED = 7
    CANCEL = 8
    CANCELLED = 10
    CHANGE = 13
    CHANGE_PENDING = 14
    CLOSED = 16
    CONFIRMED = 17
    CONNECT = 18
    DEACTIVATED = 19
    DELAYED = 20
    DISABLE = 22
    DISCONNECT = 23
    CHANGED = 24
    ENABLE = 26
    CLEARED = 28
    ESTABLISHED = 29
    EXECUTE = 30
    INITIALIZED = 33
    IN_PROGRESS = 34
    INVALID = 35
    NORMAL = 37
    NOT_AUTHORIZED = 38
    OPENED = 39
    PREEMPTED = 41
    CONNECTED = 42
    PROCESSED = 44
    READY = 48
    RE_ESTABLISHED = 49
    REGISTERED = 50
    RELEASED = 51
    REPLACED = 52
    RESTARTED = 53
    START = 54
    STOP = 55
    SUCCEEDED = 58
    TERMINATED = 59
    UNLOCKED = 62
    UNSECURE = 63
    EXPIRED = 64
    DISABLED = 66
    CONNECT_FAILED = 67
    DISCONNECTED = 68
    ENABLED = 76
    DISPLAY = 77
    ERROR = 79
    OPTED_IN = 80
    OPTED_OUT = 81
    CREATE = 82
    CREATED = 83
    DISCONNECT_FAILED = 84
    FAILED = 85
    CANCEL_FAILED = 86
    INSTALLED = 105
    MISMATCHED = 159
    NOT_FOUND = 160
    DISALLOWED = 161
    REMOVED = 212
    RESET = 214
    DISABLE_FAILED = 220
    ENABLE_FAILED = 221
    STARTED = 242
    STOPPED = 243
    TAMPER_DETECTED = 257
    CREATE_FAILED = 297
    OPEN = 298
    CLOSE = 299
    SCHEDULE = 300
    SCHEDULE_FAILED = 301
    TERMINATE_FAILED = 303


_FOUR_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")


@dataclass(frozen=True)
class Code:
    """One code; a part is a plain number so that unknown ones survive."""

    kind: int
    domain: int
    sub_domain: int
    happening: int

    @classmethod
    def parse(cls, text: str) -> Code:
        """Read four decimal numbers with dots. Raises ValueError saying what is wrong."""
        if not _FOUR_NUMBERS.fullmatch(text):
            raise ValueError(f"{text!r} is not four numbers with dots between them")
        return cls(*map(int, text.split(".")))

    def __str__(self) -> str:
        return f"{self.kind}.{self.domain}.{self.sub_domain}.{self.happening}"

    @property
    def about(self) -> tuple[int, int, int]:
        """The code without the kind of device: what is done, or happened."""
        return self.domain, self.sub_domain, self.happening

    @property
    def name(self) -> str:
        """The code by the names of its parts, as far as they are known ("PAN_GATEWAY.PAIRING.WINDOW.OPENED")."""
        tables: tuple[type[IntEnum], ...] = (Kind, Domain, SubDomain, Happening)
        parts = (self.kind, self.domain, self.sub_domain, self.happening)
        return ".".join(_name(table, part) for table, part in zip(tables, parts, strict=True))

    @property
    def fault(self) -> str:
        """What the tables say against this code; empty when nothing."""
        if self.kind not in _KINDS:
            return f"{self.kind} is no device type of the table"
        if self.domain not in _DOMAINS and self.domain not in VENDOR_DOMAINS:
            return f"{self.domain} is no domain of the table"
        return ""


OPEN_WINDOW = (Domain.PAIRING, SubDomain.WINDOW, Happening.OPEN)
CLOSE_WINDOW = (Domain.PAIRING, SubDomain.WINDOW, Happening.CLOSE)
WINDOW_OPENED = Code(Kind.PAN_GATEWAY, Domain.PAIRING, SubDomain.WINDOW, Happening.OPENED)
WINDOW_CLOSED = Code(Kind.PAN_GATEWAY, Domain.PAIRING, SubDomain.WINDOW, Happening.CLOSED)
PAIRED = (Domain.PAIRING, SubDomain.NA, Happening.SUCCEEDED)
PAIRING_FAILED = (Domain.PAIRING, SubDomain.NA, Happening.FAILED)

KIND_OF: dict[DeviceType, Kind] = {
    DeviceType.PCT: Kind.PROG_CTL_THERMOSTAT,
    DeviceType.LOAD_CONTROL: Kind.LOAD_CONTROL_DEVICE,
}


def device_code(device_type: DeviceType | None, about: tuple[int, int, int], profile: CimProfile = DEFAULT) -> Code:
    """The code of something done with, or happened to, a HAN device of that type.

    It is that of some device of a PAN for an untold type (None), and wherever the profile tells no types.
    """
    told = device_type if profile.device_code == "specific" else None
    return Code(Kind.PAN_DEVICE if told is None else KIND_OF[told], *about)


def device_type_of(kind: int) -> DeviceType | None:
    """The HAN device type of a code's first part; None for the generic PAN device and for everything else."""
    return next((device_type for device_type, number in KIND_OF.items() if number == kind), None)


def _name(table: type[IntEnum], number: int) -> str:
    try:
        return table(number).name
    except ValueError:
        return str(number)
