"""Errors that say whose fault it is; nothing here knows what went wrong in detail."""

from __future__ import annotations


class HanproofError(Exception):
    """Any error that HANproof raises on purpose; raise one of the kinds below, never this one."""


class LocalProtocolError(HanproofError):
    """We asked our own protocol code for something the protocol does not allow: our fault."""


class RemoteProtocolError(HanproofError):
    """The peer sent something its protocol does not allow: a finding about the peer."""


class BenchError(HanproofError):
    """The radio, the cable, the operator or another part of the bench failed: the laboratory's fault."""


class Unsupported(BenchError):
    """A part of the bench was asked for what it cannot do; the message names the part and the operation, and nothing was done."""


class InputError(HanproofError):
    """A file or argument given by the user is wrong; the message is one line: file, line, field, and what would be right."""


class Inconclusive(HanproofError):
    """The case could not decide; never a pass and never the device's fault."""


class NonConformance(AssertionError):
    """A clause failed on the trace; raised by the pytest plugin so that a case shows as failed."""


class JudgingError(HanproofError):
    """A checker raised, or judging itself broke: the harness's own fault, never the device's."""
