"""The web services that carry CIM messages, as WSDL 1.1 documents, and the table of documents that a place publishes.

Knows names, schemas and addresses as text; no sockets, and no message. Document/literal, SOAP 1.1 and 1.2. Names are those that
implementers have in common: port type `<Noun>_Port`, operation `<Verb><Noun>`, the action its namespace and name. The bodies are
the messages themselves, without an element of the operation's around them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from lxml import etree

from harness.cim.nouns import NOUNS, envelope_namespace, message_namespace
from harness.cim.schema import XSD

CONTENT_TYPE = "text/xml; charset=utf-8"

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SCHEMA = "http://www.w3.org/2001/XMLSchema"
_HTTP = "http://schemas.xmlsoap.org/soap/http"
_BINDINGS = {  # what a port's name ends in: the namespace of its SOAP version's elements in a WSDL
    "": "http://schemas.xmlsoap.org/wsdl/soap/",
    "12": "http://schemas.xmlsoap.org/wsdl/soap12/",
}


class _Operation(NamedTuple):
    """What is put and what may come back, as element names; nothing comes back to a reply that is sent later."""

    name: str
    put: str
    answered: str | None = None
    refused: str | None = None


class _Service(NamedTuple):
    name: str
    port: str  # the common beginning of port type, binding and port
    namespace: str  # the WSDL's own; an action is this and the operation's name
    messages: str  # the namespace of the elements
    schema: str  # below the folder of schemas
    operations: tuple[_Operation, ...]


def documents(place: str, address: str, generation: str = "2011") -> Mapping[str, tuple[str, bytes]]:
    """What a place answers to GET: by target (its path not percent-encoded), the content type and the octets.

    `/<place>?wsdl` is the generic service, `/<place>/<Noun>?wsdl` the strongly typed one of a noun, `/xsd/...` the schemas that they
    import. All posts go to `address`.
    """
    services = {f"/{place}?wsdl": generic(generation)}
    services |= {f"/{place}/{noun}?wsdl": typed(noun, generation) for noun in NOUNS}
    return {
        **{target: (CONTENT_TYPE, _written(service, address)) for target, service in services.items()},
        **{f"/xsd/{name}": (CONTENT_TYPE, octets) for name, octets in _schemas().items()},
    }


def typed(noun: str, generation: str = "2011") -> _Service:
    """The strongly typed service of a noun: an operation for each request and event that its schema declares, and for late replies."""
    messages, schema = message_namespace(noun, generation), f"{generation}/{noun}Message.xsd"
    answers = f"{noun}ResponseMessage"
    put = [name for name, kind in _declared(schema) if kind in ("RequestMessageType", "EventMessageType")]
    operations = [_Operation(name, name, answers, f"{noun}FaultMessage") for name in put]
    return _Service(
        f"Execute{noun}", noun, messages.removesuffix("Message"), messages, schema,
        (*operations, _Operation(f"Reply{noun}", answers)),
    )


def generic(generation: str = "2011") -> _Service:
    """The generic service, for every noun."""
    messages = envelope_namespace(generation)
    return _Service("Generic", "Generic", f"{messages.removesuffix('schema/message')}abstract", messages, f"{generation}/Message.xsd", (
        _Operation("Request", "RequestMessage", "ResponseMessage", "FaultMessage"),
        _Operation("PublishEvent", "EventMessage", "ResponseMessage", "FaultMessage"),
        _Operation("Response", "ResponseMessage"),
    ))


@cache
def _schemas() -> Mapping[str, bytes]:
    """Every schema, by its path below the folder of schemas; they import one another by relative paths, which hold here too."""
    return {path.relative_to(XSD).as_posix(): path.read_bytes() for path in sorted(XSD.rglob("*.xsd"))}


def _declared(schema: str) -> Iterator[tuple[str, str]]:
    """Name and type of the document elements in a schema, in its order."""
    for element in etree.fromstring(_schemas()[schema]).iterfind(f"{{{_SCHEMA}}}element"):
        yield element.get("name", ""), element.get("type", "")


def _written(service: _Service, address: str) -> bytes:
    spaces = {"wsdl": _WSDL, "xs": _SCHEMA, "tns": service.namespace, "m": service.messages}
    spaces |= {f"soap{version}": namespace for version, namespace in _BINDINGS.items()}
    root = etree.Element(f"{{{_WSDL}}}definitions", {"name": service.name, "targetNamespace": service.namespace}, nsmap=spaces)
    schema = etree.SubElement(_add(root, "types"), f"{{{_SCHEMA}}}schema")
    location = f"/xsd/{service.schema}"
    etree.SubElement(schema, f"{{{_SCHEMA}}}import", {"namespace": service.messages, "schemaLocation": location})
    used = {element for each in service.operations for element in (each.put, each.answered, each.refused) if element}
    for element in sorted(used):
        _add(_add(root, "message", name=element), "part", name="body", element=f"m:{element}")
    _write_port_type(root, service)
    for version in _BINDINGS:
        _write_binding(root, service, version)
    ports = _add(root, "service", name=service.name)
    for version, namespace in _BINDINGS.items():
        port = _add(ports, "port", name=f"{service.port}_Port{version}", binding=f"tns:{service.port}_Binding{version}")
        etree.SubElement(port, f"{{{namespace}}}address", {"location": address})
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _write_port_type(root: etree._Element, service: _Service) -> None:
    port_type = _add(root, "portType", name=f"{service.port}_Port")
    for each in service.operations:
        operation = _add(port_type, "operation", name=each.name)
        _add(operation, "input", message=f"tns:{each.put}")
        if each.answered:
            _add(operation, "output", message=f"tns:{each.answered}")
        if each.refused:
            _add(operation, "fault", name="refused", message=f"tns:{each.refused}")


def _write_binding(root: etree._Element, service: _Service, version: str) -> None:
    namespace = _BINDINGS[version]
    binding = _add(root, "binding", name=f"{service.port}_Binding{version}", type=f"tns:{service.port}_Port")
    etree.SubElement(binding, f"{{{namespace}}}binding", {"style": "document", "transport": _HTTP})
    for each in service.operations:
        operation = _add(binding, "operation", name=each.name)
        etree.SubElement(operation, f"{{{namespace}}}operation", {"soapAction": f"{service.namespace}/{each.name}", "style": "document"})
        etree.SubElement(_add(operation, "input"), f"{{{namespace}}}body", {"use": "literal"})
        if each.answered:
            etree.SubElement(_add(operation, "output"), f"{{{namespace}}}body", {"use": "literal"})
        if each.refused:
            etree.SubElement(_add(operation, "fault", name="refused"), f"{{{namespace}}}fault", {"name": "refused", "use": "literal"})


def _add(parent: etree._Element, tag: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_WSDL}}}{tag}", attributes)
