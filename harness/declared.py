"""YAML with a memory: a field read from a file knows its line, so that a wrong one is reported as `FILE:LINE: field: problem`.

Scalars are taken as they are written (a hex number stays text, `yes` stays `yes`); nothing here knows which fields there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import yaml

from harness.errors import InputError

T = TypeVar("T")


class Field:
    """One value of a file with its name and line."""

    def __init__(self, path: Path, node: yaml.Node, name: str) -> None:
        self.path = path
        self.node = node
        self.name = name

    def wrong(self, problem: str, right: str) -> InputError:
        """The error that says where, what and what would be right; the caller raises it."""
        place = f"{self.path}:{self.node.start_mark.line + 1}: " + (f"{self.name}: " if self.name else "")
        return InputError(f"{place}{problem}; right would be {right}")

    def text(self) -> str:
        """The scalar as it is written. Raises InputError for a list or a mapping."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("is not a single value", "one value")
        return str(self.node.value)

    def read(self, reader: Callable[[str], T], right: str) -> T:
        """The scalar through `reader`, whose ValueError is the problem; the text itself is never shown."""
        try:
            return reader(self.text())
        except ValueError as fault:
            raise self.wrong(str(fault), right) from None

    def choice(self, choices: Iterable[str]) -> str:
        """One of these words."""
        allowed = list(choices)
        if self.text() not in allowed:
            raise self.wrong(f"{self.text()!r} is not known", "one of " + ", ".join(allowed))
        return self.text()

    def number(self, least: float | None = None) -> float:
        """A number, not less than `least`."""
        value = self.read(float, "a number")
        if not math.isfinite(value) or (least is not None and value < least):
            raise self.wrong(f"{self.text()} is out of range", f"a number from {least or 0:g}")
        return value

    def integer(self) -> int:
        """A whole number, not negative."""
        value = self.read(lambda text: int(text, 0), "a whole number")
        if value < 0:
            raise self.wrong(f"{value} is negative", "a whole number from 0")
        return value

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
            field = Field(whole.path, value, f"{self._prefix}{key.value}")
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


def read_fields(path: Path) -> Fields:
    """The fields of a YAML file. Raises InputError naming the file, and the line where it is not YAML."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: not a text file: octet {fault.start} is no UTF-8") from fault
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark is not None else 1
        raise InputError(f"{path}:{line}: not YAML: {fault.problem}") from fault
    except yaml.YAMLError as fault:
        raise InputError(f"{path}: not YAML: {fault}") from fault
    if node is None:
        raise InputError(f"{path}: empty; right would be `name: value` lines")
    return Fields(Field(path, node, ""))
