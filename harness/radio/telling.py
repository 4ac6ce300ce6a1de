"""What a radio tells, from its own thread to the bench's, at the bench times at which it happened. Knows no port."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from harness.ports import Received, Transmitted
from harness.radio.alignment import Alignment

STANDSTILL = 0.5  # seconds that the bench's clock falls behind at once when it has been stopped, and not only been busy


class Telling:
    """One thread puts in, another takes out; neither waits."""

    def __init__(self, host: Callable[[], float]) -> None:
        """`host` reads the host's clock, seconds, from either thread."""
        self.clock = Alignment()
        self._host = host
        self._told: deque[tuple[float, float, Received | Transmitted]] = deque()  # host's clock, radio's clock (0: none)
        self._bench_ahead = float("-inf")  # the bench's clock minus the host's
        self._looked = 0.0  # the bench time of the last look

    def put(self, pdu: Received | Transmitted, at: float) -> None:
        """Something that has come just now, and happened at `at` by the radio's clock; 0 where that does not say."""
        self._told.append((self._host(), at, pdu))

    def take_before(
        self, fault: Exception | None, now: float, interrupt: Callable[[], None],
    ) -> list[tuple[float, Received | Transmitted]]:
        """As `take`; where `fault` broke the radio it is raised once there is nothing left, and whoever has taken the last of it is
        interrupted, so that he comes again."""
        told = self.take(now)
        if fault is not None:
            if not told:
                raise fault
            interrupt()
        return told

    def take(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """Everything since the last call, with bench times that are never ahead of `now`."""
        ahead = now - self._host()  # less than it really is where the bench, which stands still while it works, lags behind
        stood = ahead < self._bench_ahead - STANDSTILL
        self._bench_ahead = ahead if stood else max(self._bench_ahead, ahead)
        least, self._looked = self._looked if stood else 0.0, now  # what came while time stood still came when it stopped
        came = [self._told.popleft() for _ in range(len(self._told))]
        for host, radio, _ in came:
            if radio:
                self.clock.learn(radio, host)
        told = [(min(self.clock.host_time(radio), host) if radio else host, pdu) for host, radio, pdu in came]
        return [(min(max(at + self._bench_ahead, least), now), pdu) for at, pdu in told]
