"""The firmware of an EmberZNet co-processor, for tests: EZSP commands in, answers and callbacks out, by the tables that bellows has.

What it does not know it answers as the real one does, with `invalidCommand`, and counts. Behind it is whatever `Behind` says; no
EmberZNet co-processor was at hand, so that what one makes of these commands is not shown by this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

import bellows.types as t
from bellows.ezsp import EZSP

from harness.stack.packets import (
    DeviceCame,
    DeviceWent,
    Form,
    PacketReceived,
    PacketSent,
    Permit,
    RawSent,
    Remove,
    Request,
    SendPacket,
    SendRaw,
    ShareKey,
    Told,
)
from harness.values import Eui64

OVERFLOW, RESPONSE, ASYNCHRONOUS = 0x01, 0x80, 0x10  # of the low control octet of a frame
SHORT_HEADERS, LONG_HEADERS = 5, 8  # the EZSP versions from which a frame has 5 octets of header, and an identifier of 16 bits
SUCCESSFUL = frozenset({  # what is taken, and needs nothing done
    "addEndpoint", "setConfigurationValue", "setPolicy", "setValue", "setConcentrator", "setRadioPower", "setMulticastTableEntry",
    "clearKeyTable", "clearTransientLinkKeys", "tokenFactoryReset", "setManufacturerCode", "setSourceRouteDiscoveryMode", "nop",
    "setExtendedTimeout", "setExtendedSecurityBitmask", "readCounters", "readAndClearCounters",
})
QUIET = -60  # dBm, less a channel's number
NO_PLACE = 0xFF  # in the key table


class Behind(Protocol):
    """What is on the air side of a firmware."""

    def ask(self, request: Request) -> None: ...
    def listen(self, channel: int | None) -> None: ...


class Firmware:
    """One stick of one EZSP version. `say` takes its frames for the host."""

    def __init__(self, version: int, own: Eui64, behind: Behind, say: Callable[[bytes], None]) -> None:
        self.version, self.own = version, t.EUI64.deserialize(bytes(reversed(bytes.fromhex(str(own)))))[0]
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refused: Counter[str] = Counter()
        self.hangs = self.overflows = False
        self._behind, self._say = behind, say
        self._commands: dict[str, tuple[int, Any, Any]] = EZSP._BY_VERSION[version].COMMANDS
        self._by_id = {identifier: name for name, (identifier, _, _) in self._commands.items()}
        self._sequence = 0
        self._up = False
        self._formed: Any = None
        self._security: Any = None
        self._keys: dict[int, t.EUI64] = {}
        self._expected: dict[Eui64, bytes] = {}
        self._handles = count(1)
        self._sent: dict[int, tuple[int, Any, int]] = {}
        self._channel: int | None = None  # of a capture

    def restart(self) -> None:
        """The host, or a loss of power, has reset it: what is in its flash stays."""
        self.asked.append(("reset", {}))
        self._up = False
        self._channel = None

    # -- frames

    def take(self, octets: bytes) -> None:
        """A frame of the host's."""
        if self.hangs:
            return
        self._sequence = octets[0]
        is_first = len(octets) < SHORT_HEADERS or octets[2] == 0x00  # `version`, before the host knows ours
        identifier, data = (octets[2], octets[3:]) if is_first else _read(self.version, octets)
        name = self._by_id.get(identifier, "")
        if not name or not (name in SUCCESSFUL or hasattr(self, f"_{name}")):
            self.refused[name or f"0x{identifier:04X}"] += 1
            self._tell("invalidCommand", {"status": self._status("invalidCommand", "ERROR_INVALID_FRAME_ID", "COMMAND_IS_INVALID")})
            return
        given, _ = t.deserialize_dict(data, self._commands[name][1])
        self.asked.append((name, dict(given)))
        answer = {} if name in SUCCESSFUL else getattr(self, f"_{name}")(given) or {}
        if is_first:
            self._say(bytes([self._sequence, RESPONSE, 0, self.version, 2, 0x40, 0x74]))
        else:
            self._tell(name, answer)
        if name == "startScan":
            for channel in given["channelMask"]:
                self.callback("energyScanResultHandler", channel=channel, maxRssiValue=QUIET - channel)
            self.callback("scanCompleteHandler", status=self._status("scanCompleteHandler", "SUCCESS", "OK"))
        if name in ("networkInit", "formNetwork") and self._up:
            self.callback("stackStatusHandler", status=self._status("stackStatusHandler", "NETWORK_UP"))

    def callback(self, name: str, **fields: Any) -> None:
        """Something that the host did not ask for."""
        self._tell(name, fields, ASYNCHRONOUS | (OVERFLOW if self.overflows else 0))

    def _tell(self, name: str, fields: dict[str, Any], control: int = 0) -> None:
        identifier, _, schema = self._commands[name]
        body = b"".join(_made(kind, fields.get(field, 0)) for field, kind in schema.items())
        self._say(_header(self.version, self._sequence, RESPONSE | control, identifier) + body)

    def _status(self, command: str, *names: str) -> Any:
        """One of these, as the version has it."""
        kind = next(kind for field, kind in self._commands[command][2].items() if field == "status")
        return next(kind[name] for name in names if name in kind.__members__)

    # -- a stick as ever

    def _version(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"protocolVersion": self.version, "stackType": 2, "stackVersion": 0x7440}

    def _getEui64(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"eui64": self.own}

    def _getMfgToken(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"tokenData": b""}

    def _getConfigurationValue(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"value": 12}

    def _getValue(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["valueId"] == t.EzspValueId.VALUE_VERSION_INFO:
            return {"value": bytes.fromhex("0000 07 04 04 00 aa")}
        return {"status": self._status("getValue", "ERROR_INVALID_ID", "INVALID_PARAMETER")}

    def _startScan(self, given: dict[str, Any]) -> None:
        """What it hears comes afterwards."""

    def _getNodeId(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"nodeId": 0 if self._up else 0xFFFE}

    def _getMulticastTableEntry(self, given: dict[str, Any]) -> dict[str, Any]:
        return {}

    # -- a network

    def _networkState(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"status": t.EmberNetworkStatus.JOINED_NETWORK if self._up else t.EmberNetworkStatus.NO_NETWORK}

    def _networkInit(self, given: dict[str, Any]) -> dict[str, Any]:
        self._up = self._formed is not None
        return {} if self._up else {"status": self._status("networkInit", "NOT_JOINED")}

    def _leaveNetwork(self, given: dict[str, Any]) -> dict[str, Any]:
        self._up, self._formed = False, None
        self.callback("stackStatusHandler", status=self._status("stackStatusHandler", "NETWORK_DOWN"))
        return {}

    def _setInitialSecurityState(self, given: dict[str, Any]) -> dict[str, Any]:
        self._security = given["state"]
        return {}

    def _getCurrentSecurityState(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"state": t.EmberCurrentSecurityState(bitmask=t.EmberCurrentSecurityBitmask(0), trustCenterLongAddress=self.own)}

    def _formNetwork(self, given: dict[str, Any]) -> dict[str, Any]:
        self._formed, self._up = given["parameters"], True
        self._keys.clear()
        self._behind.ask(Form(
            self._formed.radioChannel, self._formed.panId, _eui64(self._formed.extendedPanId), bytes(self._security.networkKey.serialize()),
            self._security.networkKeySequenceNumber, 0,
        ))
        return {}

    def _getNetworkParameters(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"nodeType": t.EmberNodeType.COORDINATOR, "parameters": self._formed}

    def _getKey(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"keyStruct": t.EmberKeyStruct(
            bitmask=t.EmberKeyStructBitmask(0x1F), type=given["keyType"], key=self._security.networkKey, outgoingFrameCounter=0,
            incomingFrameCounter=0, sequenceNumber=0, partnerEUI64=self.own,
        )}

    def _exportKey(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"key": self._security.networkKey, "context": given["context"]}

    def _getNetworkKeyInfo(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"network_key_info": t.SecurityManagerNetworkKeyInfo.deserialize(b"\x01" * 64)[0]}  # a key is set

    # -- who gets in, and with which key

    def _addTransientLinkKey(self, given: dict[str, Any]) -> None:
        self._expected[_eui64(given["partner"])] = bytes(given["transientKey"].serialize())

    def _importTransientKey(self, given: dict[str, Any]) -> None:
        self._expected[_eui64(given["eui64"])] = bytes(given["plaintext_key"].serialize())

    def _permitJoining(self, given: dict[str, Any]) -> None:
        self._behind.ask(Permit(given["duration"], dict(self._expected)))

    def _addOrUpdateKeyTableEntry(self, given: dict[str, Any]) -> None:
        free = next(place for place in range(12) if self._keys.get(place) in (None, given["address"]))
        self._share(given["address"], given["keyData"], free)

    def _importLinkKey(self, given: dict[str, Any]) -> None:
        self._share(given["address"], given["key"], given["index"])

    def _share(self, device: t.EUI64, key: Any, place: int) -> None:
        self._keys[place] = device
        self._behind.ask(ShareKey(_eui64(device), bytes(key.serialize())))

    def _findKeyTableEntry(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"index": next((place for place, device in self._keys.items() if device == given["address"]), NO_PLACE)}

    def _eraseKeyTableEntry(self, given: dict[str, Any]) -> None:
        self._behind.ask(ShareKey(_eui64(self._keys.pop(given["index"])), None))

    def _removeDevice(self, given: dict[str, Any]) -> None:
        self._behind.ask(Remove(_eui64(given["targetLong"]), given["destShort"]))

    # -- packets

    def _sendUnicast(self, given: dict[str, Any]) -> dict[str, Any]:
        _, dest, frame, tag, octets = given.values()
        return self._send("sendUnicast", int(dest), frame, int(tag), bytes(octets))

    def _sendBroadcast(self, given: dict[str, Any]) -> dict[str, Any]:
        frame = given.get("aps_frame", given.get("apsFrame"))
        octets = given.get("message", given.get("messageContents"))
        return self._send("sendBroadcast", int(given["destination"]), frame, 0, bytes(octets or b""))

    def _send(self, command: str, dest: int, frame: Any, tag: int, octets: bytes) -> dict[str, Any]:
        if dest == 0:  # to itself: it has nothing to add
            return {"status": self._status(command, "DELIVERY_FAILED", "ZIGBEE_DELIVERY_FAILED")}
        handle = next(self._handles)
        self._sent[handle] = dest, frame, tag
        self._behind.ask(SendPacket(
            handle, dest, frame.sourceEndpoint, frame.destinationEndpoint, frame.profileId, frame.clusterId, octets, frame.sequence,
            t.EmberApsOption.APS_OPTION_ENCRYPTION in frame.options, t.EmberApsOption.APS_OPTION_RETRY in frame.options,
        ))
        return {"sequence": frame.sequence}

    def _sendRawMessage(self, given: dict[str, Any]) -> None:
        self._behind.ask(SendRaw(bytes(given["messageContents"])))

    def _sendRawMessageExtended(self, given: dict[str, Any]) -> None:
        self._behind.ask(SendRaw(bytes(given["message"])))

    def tell(self, told: Told) -> None:
        """What the air side has to tell, as a callback."""
        match told:
            case PacketSent(handle, status):
                if handle not in self._sent:
                    return  # its own
                dest, frame, tag = self._sent.pop(handle)
                became = self._status("messageSentHandler", *(("SUCCESS", "OK") if status == "success" else (
                    "DELIVERY_FAILED", "ZIGBEE_DELIVERY_FAILED")))
                self.callback(
                    "messageSentHandler", type=0, message_type=0, indexOrDestination=dest, nwk=dest, apsFrame=frame, aps_frame=frame,
                    messageTag=tag, message_tag=tag, status=became, messageContents=b"", message=b"",
                )
            case RawSent(status):
                became = ("SUCCESS", "OK") if status == "success" else ("DELIVERY_FAILED", "ZIGBEE_DELIVERY_FAILED")
                self.callback("rawTransmitCompleteHandler", status=self._status("rawTransmitCompleteHandler", *became), messageContents=b"")
            case PacketReceived():
                options = t.EmberApsOption.APS_OPTION_ENCRYPTION if told.secured else t.EmberApsOption.APS_OPTION_NONE
                frame = t.EmberApsFrame(
                    profileId=told.profile, clusterId=told.cluster, sourceEndpoint=told.source_endpoint,
                    destinationEndpoint=told.dest_endpoint, options=options, groupId=0, sequence=told.counter,
                )
                kind = t.EmberIncomingMessageType["INCOMING_BROADCAST" if told.broadcast else "INCOMING_UNICAST"]
                self.callback(
                    "incomingMessageHandler", type=kind, message_type=kind, apsFrame=frame, aps_frame=frame, lastHopLqi=told.lqi,
                    lqi=told.lqi, lastHopRssi=told.rssi, rssi=told.rssi, sender=told.source, nwk=told.source, eui64=self.own,
                    messageContents=told.asdu, message=told.asdu,
                )
            case DeviceCame(device, address, how):
                self._came(device, address, t.EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN, t.EmberJoinDecision[
                    "DENY_JOIN" if how == "refused" else "USE_PRECONFIGURED_KEY"
                ])
            case DeviceWent(device, address):
                self._came(device, address, t.EmberDeviceUpdate.DEVICE_LEFT, t.EmberJoinDecision.NO_ACTION)

    def _came(self, device: Eui64, address: int, how: Any, decision: Any) -> None:
        self.callback(
            "trustCenterJoinHandler", newNodeId=address, newNodeEui64=t.EUI64.deserialize(bytes.fromhex(str(device))[::-1])[0],
            status=how, policyDecision=decision, parentOfNewNodeId=0,
        )

    # -- a capture

    def _mfglibStart(self, given: dict[str, Any]) -> dict[str, Any]:
        if self._up or self._channel is not None:
            return {"status": self._status("mfglibStart", "INVALID_CALL", "INVALID_STATE")}
        return {}

    def _mfglibSetChannel(self, given: dict[str, Any]) -> None:
        self._channel = int(given["channel"])
        self._behind.listen(self._channel)

    def _mfglibGetChannel(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"channel": self._channel or 0}

    def _mfglibEnd(self, given: dict[str, Any]) -> None:
        self._channel = None
        self._behind.listen(None)

    def hear(self, psdu: bytes, channel: int, lqi: int, rssi: int) -> None:
        """A frame on the air; where its FCS was, a capture has two octets that are none."""
        if channel == self._channel:
            self.callback("mfglibRxHandler", linkQuality=lqi, rssi=rssi, packetContents=psdu[:-2] + b"\x00\x00")


def _read(version: int, octets: bytes) -> tuple[int, bytes]:
    if version >= LONG_HEADERS:
        return int.from_bytes(octets[3:5], "little"), octets[5:]
    return (octets[4], octets[5:]) if version >= SHORT_HEADERS else (octets[2], octets[3:])


def _header(version: int, sequence: int, control: int, identifier: int) -> bytes:
    if version >= LONG_HEADERS:
        return bytes([sequence, control, 0x01]) + identifier.to_bytes(2, "little")
    return bytes([sequence, control, 0xFF, 0x00, identifier] if version >= SHORT_HEADERS else [sequence, control, identifier])


def _made(kind: Any, value: Any) -> bytes:
    """A field of an answer; 0 is the kind's own nothing."""
    if value == 0 and hasattr(kind, "fields"):
        return bytes(kind.deserialize(bytes(64))[0].serialize())
    if value == 0 and issubclass(kind, (bytes, list)):
        return bytes(kind().serialize()) if not issubclass(kind, t.EUI64) else bytes(8)
    return bytes((value if isinstance(value, kind) else kind(value)).serialize())


def _eui64(ieee: t.EUI64) -> Eui64:
    return Eui64.parse(bytes(ieee.serialize())[::-1].hex())
