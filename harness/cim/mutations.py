"""Every mutation that the schemas let one think of for a message: of its structure, its values, its spelling.

Places, types and order come from the schemas (`harness.cim.grammar`); what each must lead to follows from them as well, but for
a few names that rules of meaning read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from lxml import etree

from harness.cim.envelope import CimMessage
from harness.cim.grammar import STRING, Content, Grammar, Place, Value, content_of
from harness.cim.mutation import ELSEWHERE, MESSAGE, OF_OCTETS, Claim, Mutation, place_of
from harness.cim.mutation_values import SAMPLE_OF_KIND, values
from harness.cim.nouns import NOUNS
from harness.cim.tree import SCHEMA_INSTANCE, local, space

_VENDOR = '<v:extension xmlns:v="urn:example:vendor">something of a vendor</v:extension>'
_OUT_OF_PLACE = ("order", "missing", "extension", "reply-place", "noun", "namespace", "payload-namespace", "root")
_SAMPLES: Mapping[str, str] = {  # text for an element that is added, where rules read it
    "mRID": "7f3c0e52-1f0c-4b7e-9a55-0d8c4a6f2b11", "Revision": "2.0", "Context": "TESTING", "code": "0.3",
    "dateTime": "2026-01-15T11:00:00Z", "effectiveDateTime": "2026-01-15T11:00:00Z",
}
_MEANT = frozenset({  # what is added with one of these names is for rules of meaning to judge
    "Request", "Reply", "Result", "Error", "Payload", "AsyncReplyFlag", "CorrelationID", "OperationSet", "Compressed", "Format",
    "EndDeviceControl", "EndDevices", "EndDevice", "Meter", "ServiceLocation", "CustomerAgreement", "installCode", "mac",
    "end", "Names", "NameType", "Assets", "EndDeviceEvent", "Customer", "CustomerAccount", "UsagePoint", "UsagePointLocation",
})


def mutations(message: CimMessage, generation: str | None = None) -> Iterator[Mutation]:
    """All mutations of a message that is right in that generation (None: the one that its namespaces tell)."""
    grammar = Grammar(message, generation)
    yield from _of_the_whole(message, grammar)
    for element in message.root.iter(etree.Element):
        content = grammar.content(element)
        yield from _of_place(element, grammar)
        if content is not None:
            yield from _of_content(element, content)
            yield from _of_attributes(element, content)
            yield from _of_value(element, content)
            yield from _of_spelling(element, content)
    yield from _of_header(message)


def _of_place(element: etree._Element, grammar: Grammar) -> Iterator[Mutation]:
    """An element missing, there twice, out of order, under another name, in another namespace."""
    where, place, parent = place_of(element), grammar.place(element), element.getparent()
    around = None if parent is None else grammar.content(parent)
    if where == MESSAGE:
        for what, to in (("rename", f"{local(element)}x"), ("move to the namespace", ELSEWHERE), ("move to the namespace", "")):
            yield _refused(what, where, to, ("root", "namespace"))
        return
    if place is None or parent is None or around is None:
        return
    twins = [each for each in parent if each.tag == element.tag]
    needed = place.least >= len(twins)
    closed = needed or not around.wildcards
    yield _refused("drop", where) if needed else Mutation("drop", where)
    yield _refused("double", where) if place.most == len(twins) else Mutation("double", where)
    following = element.getnext()
    beside = None if following is None else grammar.place(following)
    if beside is not None and beside.name != place.name and beside.ordered and place.ordered:
        yield _refused("swap with the next", where)
    if "##any" not in around.wildcards:
        yield _refused("rename", where, f"{local(element)}x")
        yield _refused("move to the namespace", where, "")
        own, spaces = space(element), {space(each) for each in element.getroottree().iter(etree.Element)}
        for to in sorted({*spaces, ELSEWHERE, own.removesuffix("#") if own.endswith("#") else f"{own}#"} - {own}):
            if closed:
                yield _refused("move to the namespace", where, to)


def _of_content(element: etree._Element, content: Content) -> Iterator[Mutation]:
    """Something in it that does not belong there, and something that may."""
    where, present = place_of(element), [str(each.tag) for each in element]
    if content.value is not None:
        yield _refused("insert into", where, f"0 {_VENDOR}", ("schema",))
        return
    own = f'<stranger xmlns="{next((_namespace(place) for place in content.places if place.name), space(element))}"/>'
    if "##any" in content.wildcards:
        yield Mutation("insert into", where, f"0 {_VENDOR}")
        return
    rules = _OUT_OF_PLACE if content.places else ("schema",)
    yield _refused("insert into", where, f"{len(present)} {own}", rules)
    yield _refused("say", where, "words between the elements", ("schema", "payload-as-text"))
    if not content.wildcards:
        for number in sorted({0, len(present)}):
            yield _refused("insert into", where, f"{number} {_VENDOR}", rules)
    elif content.places[0].least:
        yield _refused("insert into", where, f"0 {_VENDOR}")
        to = f"{_index(content, present, '')} {_VENDOR}"
        yield _refused("insert into", where, to) if content.strict else Mutation("insert into", where, to, Claim.LEGAL)
    for place in content.places:
        if place.ordered and place.declared is not None and place.name not in present:
            to = f"{_index(content, present, place.name)} {_sample(place)}"
            yield Mutation("insert into", where, to, Claim.VALID if place.local in _MEANT else Claim.LEGAL)


def _index(content: Content, present: list[str], name: str) -> int:
    """Where among the children something of that name belongs, or (no name) what a wildcard lets in."""
    names = [place.name for place in content.places]
    before = names[:names.index(name)]
    return sum((each if each in names else "") in before for each in present)


@cache
def _sample(place: Place) -> str:
    """Markup of the least that may stand at a place."""
    assert place.declared is not None
    content = content_of(place.declared)
    name = place.local
    if content.value is not None:
        word = content.value.words[0] if content.value.words else SAMPLE_OF_KIND[content.value.kind]
        inner = _SAMPLES.get(name, word)
    else:
        inner = "".join(_sample(each) for each in content.places if each.least or each.local == "mRID")
    return f'<{name} xmlns="{_namespace(place)}">{inner}</{name}>'


def _namespace(place: Place) -> str:
    return place.name.partition("}")[0].removeprefix("{")


def _of_attributes(element: etree._Element, content: Content) -> Iterator[Mutation]:
    where = place_of(element)
    for to in ("unheardOf=1", f"{{{ELSEWHERE}}}unheardOf=1", f"{{{SCHEMA_INSTANCE}}}nil=true", f"{{{SCHEMA_INSTANCE}}}nil=false"):
        yield _refused("set attribute of", where, to, ("schema",))
    for name, value in content.attributes.items():
        if name in element.attrib:
            yield Mutation("remove attribute of", where, name)
        for each, claim in values(value, element.get(name, "")):
            yield Mutation("set attribute of", where, f"{name}={each}", claim, _rules(claim, ("schema",)))


def _of_value(element: etree._Element, content: Content) -> Iterator[Mutation]:
    """Another value, by its type: some equal, some legal and meaning something else, some illegal."""
    if content.value is None:
        return
    for each, claim in values(content.value, element.text or ""):
        yield Mutation("say", place_of(element), each, claim, _rules(claim, ("schema", *_BY_VALUE)))


def _of_spelling(element: etree._Element, content: Content) -> Iterator[Mutation]:
    """The same, written otherwise."""
    where = place_of(element)
    yield Mutation("comment in", where, " nothing to see here ", Claim.LEGAL)
    yield Mutation("instruct in", where, "nothing to do")  # legal as XML; SOAP has none
    if content.value is not None and element.text:
        yield Mutation("quote", where, None, Claim.LEGAL)
        yield Mutation("refer to", where, None, Claim.LEGAL)


def _of_the_whole(message: CimMessage, grammar: Grammar) -> Iterator[Mutation]:
    contents = map(grammar.content, message.root.iter(etree.Element))
    if not any(content and content.value == Value("QName") for content in contents):  # such a value has a prefix in its text
        for to in ("", "n", "xsd"):
            yield Mutation("prefix anew", MESSAGE, to, Claim.LEGAL)
    for to in ("", "\n", " \t\r\n", "\n" * 100):
        yield Mutation("space out", MESSAGE, to, Claim.LEGAL)
    yield Mutation("hint at", MESSAGE, f"{space(message.root)} http://127.0.0.1:9/Message.xsd", Claim.LEGAL)
    for what in OF_OCTETS:
        yield Mutation(what, MESSAGE, None, Claim.LEGAL)


def _of_header(message: CimMessage) -> Iterator[Mutation]:
    """Verb and noun that do not go together, and an identifier that is used for two things."""
    if message.header is None or not (message.wrapper or message.payload is not None):
        return
    for noun in NOUNS:
        if noun != message.noun:
            yield _refused("say", "Header/Noun", noun, ("noun",))
    if message.header.correlation_id is not None:
        yield Mutation("copy the text of a sibling into", "Header/MessageID", "CorrelationID")


_BY_VALUE = ("verb", "result", "error-xpath", "date-time", "uuid")
"""What a wrong value may also be called, by the element that has it."""


def _refused(what: str, where: str, to: str | None = None, rules: tuple[str, ...] = _OUT_OF_PLACE) -> Mutation:
    return Mutation(what, where, to, Claim.REFUSED, rules)


def _rules(claim: Claim, rules: tuple[str, ...]) -> tuple[str, ...]:
    return rules if claim is Claim.REFUSED else ()


def free_texts(message: CimMessage, generation: str | None = None) -> list[str]:
    """The places of a message where the schemas let any text stand."""
    grammar = Grammar(message, generation)
    contents = ((place_of(element), grammar.content(element)) for element in message.root.iter(etree.Element))
    return [where for where, content in contents if content is not None and content.value == Value(STRING)]
