"""YAML with a memory: a field read from a file knows its line, so that a wrong one is reported as `FILE:LINE: field: problem`.

Scalars are taken as they are written (a hex number stays text, `yes` stays `yes`); nothing here knows which fields there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import yaml

from harness.errors import InputError

T = TypeVar("T")
MAX_OCTETS = 1 << 18  # of a file that somebody wrote: more is some other file
_LONGEST = 80  # characters of a value that an error repeats
_MAY_BE_KEY = re.compile(r"[0-9A-Fa-f](?:[\s:-]?[0-9A-Fa-f]){15,}")  # 16 digits: what the shortest install code has
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


class Field:
    """One value of a file with its name and line."""

    def __init__(self, path: Path, node: yaml.Node, name: str) -> None:
        self.path = path
        self.node = node
        self.name = name

    @property
    def place(self) -> str:
        """Where it stands, as errors begin: file, line and name."""
        return f"{self.path}:{self.node.start_mark.line + 1}: " + (f"{self.name}: " if self.name else "")

    def wrong(self, problem: str, right: str) -> InputError:
        """The error that says where, what and what would be right; the caller raises it."""
        return InputError(f"{self.place}{problem}; right would be {right}")

    def text(self) -> str:
        """The scalar as it is written. Raises InputError for a list or a mapping, and for what no file can hold."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("is not a single value", "one value")
        text = str(self.node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):  # YAML's escapes can write it
            raise self.wrong(f"{shown(text)} has half a character", "text that can be written as UTF-8")
        return text

    def read(self, reader: Callable[[str], T], right: str) -> T:
        """The scalar through `reader`, whose ValueError is the problem; the text itself is never shown."""
        try:
            return reader(self.text())
        except ValueError as fault:
            raise self.wrong(str(fault), right) from None

    def word(self) -> str:
        """A name that files, lines and command lines can carry."""
        if not _WORD.fullmatch(self.text()):
            raise self.wrong(f"{shown(self.text())} is no name", "one word of at most 40 letters, digits, _ - or .")
        return self.text()

    def line(self, longest: int = _LONGEST) -> str:
        """A text on one line that is not empty and has so many characters at most."""
        if not self.text().isprintable() or not 0 < len(self.text()) <= longest:
            raise self.wrong(f"{shown(self.text())} is no line of text", f"1 to {longest} characters on one line")
        return self.text()

    def choice(self, choices: Iterable[str]) -> str:
        """One of these words."""
        allowed = list(choices)
        if self.text() not in allowed:
            raise self.wrong(f"{shown(self.text())} is not known", "one of " + ", ".join(allowed))
        return self.text()

    def number(self, least: float, most: float = math.inf) -> float:
        """A number from `least` to `most`."""
        right = f"a number from {least:.0f}" + (f" to {most:.0f}" if math.isfinite(most) else "")
        try:
            value = float(self.text())
        except ValueError:
            raise self.wrong(f"{shown(self.text())} is no number", right) from None
        if not math.isfinite(value) or not least <= value <= most:
            raise self.wrong(f"{value:g} is out of range", right)
        return value

    def integer(self) -> int:
        """A whole number, not negative."""
        try:
            value = int(self.text(), 0)
        except ValueError:
            raise self.wrong(f"{shown(self.text())} is no whole number", "a whole number from 0") from None
        if value < 0:
            raise self.wrong(f"{self.text()[:_LONGEST]} is negative", "a whole number from 0")
        return value

    def class_name(self, example: str) -> str:
        """`module:Class`, which is not loaded."""
        module, _, name = self.text().partition(":")
        if not (module and name and all(part.isidentifier() for part in (*module.split("."), name))):
            raise self.wrong(f"{shown(self.text())} names no class", f"module:Class, as {example}")
        return self.text()

    def items(self) -> list[Field]:
        """The members of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("is not a list", "a list, [...] or one `- ` a line")
        return [Field(self.path, each, f"{self.name}[{index}]") for index, each in enumerate(self.node.value)]

    def is_mapping(self) -> bool:
        """Whether the value has fields of its own."""
        return isinstance(self.node, yaml.MappingNode)

    def fields(self) -> Fields:
        """The fields of a mapping, each name once."""
        return Fields(self)


class Fields:
    """The fields of one mapping; what has not been taken when `done` is called is unknown, and an error."""

    def __init__(self, whole: Field) -> None:
        if not isinstance(whole.node, yaml.MappingNode):
            raise whole.wrong("has no fields", "`name: value` lines")
        self.whole = whole
        self._known: list[str] = []
        self._left: dict[str, Field] = {}
        self._prefix = f"{whole.name}." if whole.name else ""
        for key, value in whole.node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Field(whole.path, key, whole.name).wrong("a list or a mapping stands for a name", "`name: value` lines")
            named = key.value if _WORD.fullmatch(key.value.replace(" ", "")) and not _MAY_BE_KEY.search(key.value) else shown(key.value)
            field = Field(whole.path, value, f"{self._prefix}{named}")
            if key.value in self._left:
                raise field.wrong("is there twice", "one line")
            self._left[key.value] = field

    def take(self, name: str) -> Field | None:
        """The field of that name, None where it is absent."""
        self._known.append(name)
        return self._left.pop(name, None)

    def need(self, name: str, right: str) -> Field:
        """The field of that name. Raises InputError where it is absent."""
        field = self.take(name)
        if field is None:
            raise Field(self.whole.path, self.whole.node, f"{self._prefix}{name}").wrong("is missing", f"`{name}: {right}`")
        return field

    def rest(self) -> dict[str, Field]:
        """All fields not taken yet, by name."""
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        """Every field has been taken. Raises InputError for the first that is unknown."""
        for field in self._left.values():
            raise field.wrong("there is no such field", "one of " + ", ".join(self._known))


def shown(text: str) -> str:
    """A value as an error repeats it: quoted, on one line, cut where it is long, without what may be a key."""
    text = _MAY_BE_KEY.sub(lambda digits: f"<{len(digits[0])} characters>", text)
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def read_text(path: Path) -> str:
    """The text of a file that somebody wrote, without a byte order mark. Raises InputError naming the file."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except (OSError, ValueError) as fault:  # ValueError: a name that no file can have
        raise InputError(f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault
    return text_of(octets, path)


def text_of(octets: bytes, path: Path) -> str:
    """The text that `path` holds. Raises InputError naming the file."""
    if len(octets) > MAX_OCTETS:
        raise InputError(f"{path}: has more than {MAX_OCTETS} octets; right would be a short text file")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: not a text file: octet {fault.start} is no UTF-8") from None


def read_fields(path: Path) -> Fields:
    """The fields of a YAML file. Raises InputError naming the file, and the line where it is not YAML."""
    return fields_of(read_text(path), path)


def fields_of(text: str, path: Path) -> Fields:
    """The fields of YAML that `path` holds. Raises InputError as `read_fields` does."""
    right = "right would be `name: value` lines, indented by spaces"
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark is not None else 1
        said = ", ".join(each for each in (fault.context, fault.problem) if each)
        raise InputError(f"{path}:{line}: not YAML: {said}; {right}") from None
    except yaml.reader.ReaderError as fault:
        line = text.count("\n", 0, fault.position) + 1
        raise InputError(f"{path}:{line}: not YAML: character {fault.character:#x} cannot stand there; {right}") from None
    except RecursionError:
        raise InputError(f"{path}: not YAML that can be read: it nests too deep; {right}") from None
    if node is None:
        raise InputError(f"{path}:1: empty; {right}")
    return Fields(Field(path, node, ""))
