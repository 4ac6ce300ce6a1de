"""What is asked of either side of the HAN in step 7: descriptors, attributes, and whatever a node must refuse or survive."""

from __future__ import annotations

from dataclasses import replace

from dissectors import zcl, zdp
from dissectors.clusters import basic, drlc, identify, key_establishment
from dissectors.clusters import time as time_cluster
from dissectors.layer import Record, encode
from dissectors.nwk import BroadcastAddress
from dissectors.smart_energy import PROFILE
from dissectors.zcl import DataType
from harness.adapters.stimuli import ANSWER, Stimulus, secured
from harness.stack import commissioning
from harness.stack.application import Path
from harness.stack.conversation import Script, Tell, ZclQuestion
from harness.stack.stimulus import Asker

BASIC = basic.CLUSTER.identifier
LOAD_CONTROL = drlc.CLUSTER.identifier


def _inspect(asker: Asker) -> Script:
    yield from commissioning.inspect(asker.partner, asker.endpoint, asker.application)


def _descriptors_of_another(asker: Asker, address: int) -> Script:
    other = address if address != asker.partner.address else address ^ 1
    yield asker.zdp(zdp.NodeDescReq.of(nwk_addr_of_interest=other))
    yield ANSWER


def _endpoint(asker: Asker, endpoint: int) -> Script:
    yield asker.zdp(zdp.SimpleDescReq.of(nwk_addr_of_interest=asker.partner.address, endpoint=endpoint))
    yield ANSWER


def _match(
    asker: Asker, clusters: tuple[int, ...], profile: int = PROFILE, broadcast: bool = False, out_clusters: tuple[int, ...] = (),
) -> Script:
    interest = BroadcastAddress.RX_ON_WHEN_IDLE if broadcast else asker.partner.address
    wanted = zdp.MatchDescReq.of(
        nwk_addr_of_interest=interest, profile=profile, in_clusters=clusters, out_clusters=out_clusters,
    )
    yield asker.zdp(wanted, interest)
    yield ANSWER


def _bind(asker: Asker) -> Script:
    path = asker.path(BASIC)
    yield asker.zdp(zdp.BindReq.of(
        source_ieee=asker.partner.ieee or 0, source_endpoint=path.dest_endpoint, cluster_id=BASIC,
        dest_ieee=asker.application.core.ieee, dest_endpoint=asker.endpoint,
    ))
    yield ANSWER


def _unknown_zdp(asker: Asker, cluster: int) -> Script:
    yield asker.zdp_octets(cluster, b"")
    yield ANSWER


def _attribute(asker: Asker, attribute: int) -> Script:
    yield from _attributes(asker, BASIC, (attribute,))


def _attributes(asker: Asker, cluster: int, attributes: tuple[int, ...], under: str | None = None) -> Script:
    yield from asker.find(cluster)
    yield asker.command(asker.path(cluster), zcl.ReadAttributes.of(attributes=attributes), security=secured(under))
    yield ANSWER


def _basic(asker: Asker, under: str | None = None) -> Script:
    wanted = (basic.ZCL_VERSION, basic.POWER_SOURCE, basic.DEVICE_ENABLED)
    yield from _attributes(asker, BASIC, wanted, under)


def _suite(asker: Asker) -> Script:
    wanted = (key_establishment.KEY_ESTABLISHMENT_SUITE,)
    yield from _attributes(asker, key_establishment.CLUSTER.identifier, wanted)


def _time(asker: Asker, under: str | None = None) -> Script:
    wanted = (time_cluster.TIME, time_cluster.TIME_STATUS)
    yield from _attributes(asker, time_cluster.CLUSTER.identifier, wanted, under)


def _unknown_cluster(asker: Asker, cluster: int) -> Script:
    yield asker.command(asker.path(cluster), zcl.ReadAttributes.of(attributes=(0,)))
    yield ANSWER


def _many_attributes(asker: Asker, count: int) -> Script:
    """So many times an attribute that is not there, of a cluster that needs the link key: of the ESI's Time, the device's
    load control. The request has 3 octets and 2 for each, the answer 3 and 3."""
    to_server = LOAD_CONTROL not in asker.partner.clients
    cluster = time_cluster.CLUSTER if to_server else drlc.CLUSTER
    unknown = 1 + max(cluster.attributes if to_server else cluster.client_attributes)
    yield asker.command(
        asker.path(cluster.identifier, to_server), zcl.ReadAttributes.of(attributes=(unknown,) * count),
    )
    yield ANSWER


def _unknown_command(
    asker: Asker, command: int, general: bool = False, manufacturer_code: int | None = None, broadcast: bool = False,
    silent: bool = False,
) -> Script:
    path = asker.path(BASIC)
    if broadcast:
        path = Path(BroadcastAddress.RX_ON_WHEN_IDLE, path.dest_endpoint, path.source_endpoint, BASIC)
    yield asker.command(
        path, zcl.UnknownCommand.of(octets=b""), identifier=(general, command), manufacturer_code=manufacturer_code,
        silent=silent,
    )
    yield ANSWER


def _unasked_default_response(asker: Asker) -> Script:
    answer = zcl.DefaultResponse.of(command=0, status=zcl.Status.FAILURE)
    yield asker.command(asker.path(BASIC), answer)
    yield ANSWER


def _malformed(asker: Asker, kind: str, length: int) -> Script:
    """A message that cannot be read, cut to `length` octets where it is one that is cut, and then a simple question."""
    path = asker.path(BASIC)
    yield _MALFORMED[kind](asker, path, length)
    yield ANSWER
    yield ZclQuestion(path, zcl.ReadAttributes.of(attributes=(basic.ZCL_VERSION,)))


def _odd_attribute_list(asker: Asker, path: Path, length: int) -> Tell:
    whole = encode(zcl.ReadAttributes.of(attributes=(basic.ZCL_VERSION,) * (length + 1)))
    return asker.octets(path, zcl.ReadAttributes, whole[:-1])


def _write(asker: Asker, path: Path, record: Record, cut: int = 0) -> Tell:
    octets = encode(zcl.WriteAttributes.of(records=(record,)))
    return asker.octets(path, zcl.WriteAttributes, octets[: len(octets) - cut])


def _cut_string(asker: Asker, path: Path, length: int) -> Tell:
    text = b"HANPROOF"
    record = zcl.AttributeValue.of(attribute=basic.LOCATION_DESCRIPTION, type=DataType.CHARACTER_STRING, value=text)
    return _write(asker, path, record, cut=1 + length % len(text))


def _wrong_type(asker: Asker, path: Path, length: int) -> Tell:
    return _write(asker, path, zcl.AttributeValue.of(attribute=basic.DEVICE_ENABLED, type=DataType.UINT16, value=1))


def _unknown_type(asker: Asker, path: Path, length: int) -> Tell:
    record = encode(zcl.AttributeValue.of(attribute=basic.DEVICE_ENABLED, type=DataType.NO_DATA))
    return asker.octets(path, zcl.WriteAttributes, record[:-1] + bytes([min(DataType.DATA8, *_RESERVED_TYPES)]))


def _cut_header(asker: Asker, path: Path, length: int) -> Tell:
    return asker.asdu(path, encode(zcl.Zcl.of())[: length % len(encode(zcl.Zcl.of()))])


def _reserved_frame_type(asker: Asker, path: Path, length: int) -> Tell:
    return asker.asdu(path, encode(zcl.Zcl.of(frame_type=_RESERVED_FRAME_TYPE)))


def _cut_cluster_command(asker: Asker, path: Path, length: int) -> Tell:
    to_server = LOAD_CONTROL not in asker.partner.clients
    there = asker.path(LOAD_CONTROL, to_server)
    layer = drlc.GetScheduledEvents if to_server else drlc.LoadControlEvent
    whole = encode(layer.of())
    return asker.octets(there, layer, whole[: length % len(whole)])


def _cut_zdp(asker: Asker, path: Path, length: int) -> Tell:
    whole = encode(zdp.SimpleDescReq.of(nwk_addr_of_interest=asker.partner.address, endpoint=path.dest_endpoint))
    return asker.zdp_octets(zdp.cluster_of(zdp.SimpleDescReq), whole[: length % len(whole)])


def _short_cluster_list(asker: Asker, path: Path, length: int) -> Tell:
    """A Match_Desc_req that counts more clusters than it lists."""
    whole = encode(zdp.MatchDescReq.of(
        nwk_addr_of_interest=asker.partner.address, profile=PROFILE, in_clusters=(path.cluster,) * (2 + length % 8),
    ))
    count = len(encode(zdp.MatchDescReq.of())) - 2  # where it stands: before it address and profile, behind it the other count
    return asker.zdp_octets(zdp.cluster_of(zdp.MatchDescReq), whole[: count + 3])


def _surplus(asker: Asker, path: Path, length: int) -> Tell:
    whole = encode(identify.IdentifyQuery.of())
    return asker.octets(replace(path, cluster=identify.CLUSTER.identifier), identify.IdentifyQuery, whole + bytes(1 + length))


_RESERVED_TYPES = tuple(kind for kind in range(DataType.NO_DATA + 1, DataType.DATA8))
_RESERVED_FRAME_TYPE = max(zcl.FrameType) + 1
_MALFORMED = {
    "odd attribute list": _odd_attribute_list,
    "cut string": _cut_string,
    "wrong type": _wrong_type,
    "unknown type": _unknown_type,
    "cut header": _cut_header,
    "reserved frame type": _reserved_frame_type,
    "cut cluster command": _cut_cluster_command,
    "cut ZDP request": _cut_zdp,
    "short cluster list": _short_cluster_list,
    "surplus": _surplus,
}

STIMULI = (
    Stimulus("inspect", "node descriptor, endpoints, their simple descriptors, Basic", _inspect),
    Stimulus("descriptors-of-another", "the node descriptor of a device that the one asked is not", _descriptors_of_another),
    Stimulus("endpoint", "the simple descriptor of any endpoint number", _endpoint),
    Stimulus("match", "who serves one of these clusters of a profile", _match, ("M-40", "M-41")),
    Stimulus("bind", "a binding of Basic to the asker", _bind),
    Stimulus("unknown-zdp", "a ZDP request that nobody knows", _unknown_zdp),
    Stimulus("attribute", "any attribute of Basic", _attribute),
    Stimulus("basic", "the mandatory attributes of Basic", _basic, ("M-39",)),
    Stimulus("suite", "the key establishment suites", _suite, ("M-16",)),
    Stimulus("time", "the time and its status", _time),
    Stimulus("unknown-cluster", "an attribute of a cluster that nobody has", _unknown_cluster, ("M-57",)),
    Stimulus("many-attributes", "so many attributes that request, or response, needs several frames", _many_attributes, ("M-43", "M-44")),
    Stimulus("unknown-command", "a command that Basic does not have", _unknown_command),
    Stimulus("unasked-default-response", "a Default Response that answers nothing", _unasked_default_response),
    Stimulus("malformed", "a message that cannot be read, then one that can", _malformed),
)
