"""Octets to an XML tree without believing them: no document type, no entities, no network, bounded size and depth.

Knows XML only, nothing of envelopes. What the octets get wrong comes back as findings, never as an exception.
"""

from __future__ import annotations

import re

from lxml import etree

from harness.cim.finding import CimFinding, note

MAX_OCTETS = 1 << 20
MAX_DEPTH = 64
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
UTF8_BOM = b"\xef\xbb\xbf"

_PARSER = etree.XMLParser(  # one for all messages: to make it takes as long as to use it
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
    remove_comments=True, remove_pis=True, encoding="utf-8",
)
_DECLARED_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
_HINTING = etree.XPath(
    "//*[@xsi:schemaLocation or @xsi:noNamespaceSchemaLocation]", namespaces={"xsi": SCHEMA_INSTANCE},
)
_DOCTYPE_IN_PROLOGUE = re.compile(rb"(?:\s++|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)


def parse(octets: bytes) -> tuple[etree._Element | None, list[CimFinding]]:
    """The document element, and what is wrong at the level of XML; None when there is no tree to look at."""
    refusal = _refusal(octets)
    if refusal is not None:
        return None, [refusal]
    try:
        root = etree.fromstring(octets.removeprefix(UTF8_BOM), _PARSER)
    except etree.XMLSyntaxError as fault:
        if "depth" in str(fault):
            return None, [CimFinding("depth", f"elements nest deeper than the parser goes (limit here {MAX_DEPTH})")]
        line = fault.lineno or 0
        return None, [CimFinding("well-formed", f"not well-formed XML at line {line}: {_first_line(fault)}")]
    # too deep a document has more than MAX_DEPTH start tags, and an end tag for each but the innermost
    if octets.count(b"<") > 2 * MAX_DEPTH and octets.count(b"</") >= MAX_DEPTH and (depth := _depth(root)) > MAX_DEPTH:
        return None, [CimFinding("depth", f"elements nest {depth} deep; at most {MAX_DEPTH} are read")]
    # markup in text is written with & or in a CDATA section, and a hint needs the namespace of its attribute
    hinting = b"&" in octets or b"XMLSchema-instance" in octets or (b"!" in octets and b"<![CDATA[" in octets)
    return root, _hints(root) if hinting else []


def path_of(element: etree._Element, *below: str) -> str:
    """Where an element stands, by local names, numbered where siblings share its name; `below` is appended as it is.

    It counts siblings, so it is asked only for what is to be shown.
    """
    steps = list(reversed(below))
    here: etree._Element | None = element
    while here is not None:
        parent = here.getparent()
        twins = [] if parent is None else [child for child in parent if child.tag == here.tag]
        steps.append(local(here) + (f"[{twins.index(here) + 1}]" if len(twins) > 1 else ""))
        here = parent
    return "/" + "/".join(reversed(steps))


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]  # a QName would check the name once more


def space(element: etree._Element) -> str:
    """The namespace of an element, empty for none."""
    return str(element.tag).rpartition("}")[0].removeprefix("{")


def child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """The first descendant along these local names, whatever their namespaces; None where the path ends early."""
    for name in names:
        for each in () if element is None else element:
            if str(each.tag).rpartition("}")[2] == name:
                element = each
                break
        else:
            return None
    return element


def text(element: etree._Element | None, *names: str) -> str | None:
    """The text of that descendant without surrounding blanks, None when there is no such element."""
    found = child(element, *names) if names else element
    return None if found is None else (found.text or "").strip()


def parts(element: etree._Element | None) -> dict[str, etree._Element]:
    """The first child of each local name, for who asks after several of them; none where there is no element."""
    return {} if element is None else {str(each.tag).rpartition("}")[2]: each for each in element[::-1]}  # faster than reversed


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """The children of that local name."""
    return [each for each in element[:] if str(each.tag).rpartition("}")[2] == name]


def _refusal(octets: bytes) -> CimFinding | None:
    """Why these octets are not even given to the parser."""
    if len(octets) > MAX_OCTETS:
        return CimFinding("size", f"{len(octets)} octets; at most {MAX_OCTETS} are read")
    try:
        octets.isascii() or octets.decode("utf-8")
    except UnicodeDecodeError as fault:
        return CimFinding("encoding", f"not UTF-8 at octet {fault.start}")
    plain = octets.removeprefix(UTF8_BOM)
    declared = _DECLARED_ENCODING.match(plain)
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        return CimFinding("encoding", f"the declaration says {declared[1].decode()}, the octets are UTF-8")
    if b"!" in plain and _DOCTYPE_IN_PROLOGUE.match(plain):
        return CimFinding("doctype", "a document type declaration is refused unread, with every entity in it")
    return None


def _hints(root: etree._Element) -> list[CimFinding]:
    findings = [
        note("schema-location", "the schema hint is ignored; local schemas judge", path_of(element)) for element in _HINTING(root)
    ]
    operations = (operation for body in root.iterchildren("{*}Body") for operation in body)  # of SOAP: with text as a parameter
    for holder in (*root.iter("{*}Payload"), *operations):
        for element in (holder, *holder):
            if (element.text or "").lstrip().startswith("<"):
                findings.append(CimFinding("payload-as-text", "the payload is markup written as text", path_of(element)))
    return findings


def _depth(root: etree._Element) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _first_line(fault: Exception) -> str:
    return str(fault).splitlines()[0]
