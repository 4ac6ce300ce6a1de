"""The client of Messaging: shows one message at a time and confirms where that is asked for. SE 1.0 (075356), annex D.5."""

from __future__ import annotations

from collections.abc import Callable

from dissectors.clusters import messaging
from dissectors.layer import Record
from dissectors.zcl import Status
from harness.stack.application import Application
from harness.stack.endpoint import Answer, ClusterSide, Heard
from harness.stack.network_time import NetworkTime
from harness.stack.programme import SECONDS_A_MINUTE

READING = 1.0  # seconds until the user presses the button

Taken = Callable[[Record, Heard], None]


class MessagingClient:
    """`shown` is the message on the display, None when there is none; a new message takes the place of the old one."""

    def __init__(self, application: Application, time: NetworkTime, taken: Taken) -> None:
        self.shown: Record | None = None
        self._application = application
        self._time = time
        self._taken = taken
        self._confirmed: set[int] = set()

    def side(self) -> ClusterSide:
        """The client side of the cluster."""
        return ClusterSide(
            messaging.CLUSTER, False, {},
            {messaging.DisplayMessage: self._display, messaging.CancelMessage: self._cancel},
        )

    def forget(self) -> None:
        """Drop the message."""
        self.shown = None
        self._confirmed.clear()
        for name in ("show", "confirm", "remove"):
            self._application.agenda.cancel((name, "message"))

    def _display(self, heard: Heard) -> Answer:
        command, now = heard.command, heard.now
        self._taken(command, heard)
        start = now if command.start_time == 0 else self._time.instant(command.start_time)
        if start is None:
            return Status.SUCCESS  # without a clock only "now" means anything
        if command.duration_in_minutes != messaging.UNTIL_CHANGED:
            end = start + command.duration_in_minutes * SECONDS_A_MINUTE
            if end <= now:
                return Status.SUCCESS
            self._application.agenda.set(("remove", "message"), end, lambda now: self._remove(command))
        if start > now:
            self._application.agenda.set(("show", "message"), start, lambda now: self._show(heard, now))
        else:
            self._show(heard, now)
        return Status.SUCCESS

    def _show(self, heard: Heard, now: float) -> None:
        command = self.shown = heard.command
        if command.confirmation_required and command.message_id not in self._confirmed:
            self._application.agenda.set(("confirm", "message"), now + READING, lambda now: self._confirm(heard, now))

    def _confirm(self, heard: Heard, now: float) -> None:
        utc = self._time.utc(now)
        self._confirmed.add(heard.command.message_id)
        confirmation = messaging.MessageConfirmation.of(message_id=heard.command.message_id, confirmation_time=utc or 0)
        self._application.send_zcl(heard.back(), confirmation, now)

    def _cancel(self, heard: Heard) -> Answer:
        if self.shown is None or self.shown.message_id != heard.command.message_id:
            return Status.NOT_FOUND
        if heard.command.confirmation_required:
            self._confirm(heard, heard.now)
        self.forget()
        return Status.SUCCESS

    def _remove(self, command: Record) -> None:
        if self.shown is command:
            self.shown = None
