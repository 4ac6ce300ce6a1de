"""Instants as CIM messages write them: xs:dateTime, by our profile always with a zone; reads no clock."""

from __future__ import annotations

from datetime import UTC, datetime


def written(instant: datetime) -> str:
    """An instant as our messages write it: UTC, milliseconds, Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_of(text: str | None) -> datetime | None:
    """The UTC instant that an xs:dateTime names; None for no text, an unreadable one, or one without a zone."""
    moment = _read(text)
    return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)


def lacks_zone(text: str | None) -> bool:
    """Whether a text is a readable date and time that leaves its zone open."""
    moment = _read(text)
    return moment is not None and moment.tzinfo is None


def _read(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
