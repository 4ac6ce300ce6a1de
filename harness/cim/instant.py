"""Instants as CIM messages write them: xs:dateTime, by our profile always with a zone; reads no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def written(instant: datetime) -> str:
    """An instant as our messages write it: UTC, milliseconds, Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_of(text: str | None) -> datetime | None:
    """The UTC instant that an xs:dateTime names; None for no text, an unreadable one, or one without a zone."""
    moment = _read(text)
    try:
        if moment is None or moment.tzinfo is UTC:
            return moment
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # in the first or the last hours that there are
        return None


def lacks_zone(text: str | None) -> bool:
    """Whether a text is a readable date and time that leaves its zone open."""
    moment = _read(text)
    return moment is not None and moment.tzinfo is None


def after(instant: datetime, seconds: float) -> datetime | None:
    """The instant so much later; None where it is too far away to be named, or no number."""
    try:
        return instant + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def fault_of(text: str | None) -> tuple[str, str] | None:
    """The rule that a valid xs:dateTime breaks by leaving it open when it is, and in words why; None for no text as well."""
    if not text or instant_of(text) is not None:
        return None
    if lacks_zone(text):
        return "time-zone", f"{text} leaves its zone open"
    return "date-time", f"{text} is an instant that nobody can place"


def _read(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
