"""Step 6: frame counters and message integrity on the network that the HAN Device has joined."""

from __future__ import annotations

from cases.table import clause, step
from harness import faults
from harness.usecase import Actor

pytestmark = step(6)  # ESI -> HAN Device: network key, 16-bit short address, PAN ID


@clause("UC2.7-06-COUNTERS")
def test_frame_counters_rise(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-06-COUNTERS@HAN Device")
def test_the_device_keeps_its_frame_counter_over_a_power_failure(bench, verify):
    bench.open()
    bench.join()
    bench.power_cycle(Actor.HAN_DEVICE)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-COUNTERS@ESI")
def test_the_esi_keeps_its_frame_counter_over_a_power_failure(bench, verify):
    bench.open()
    bench.join()
    bench.power_cycle(Actor.ESI)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@HAN Device")  # derived: 05-3474 4.3.1.2
def test_the_device_takes_no_frame_twice(benches, verify):
    bench = benches(provocation="06-esi-replays")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@ESI")  # derived: 05-3474 4.3.1.2
def test_the_esi_takes_no_frame_twice(benches, verify):
    bench = benches(provocation="06-device-replays")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@HAN Device")  # derived: 05-3474 4.3.1.2
def test_the_device_takes_no_counter_twice(benches, verify):
    bench = benches(provocation="06-esi-counters-stand")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@ESI")  # derived: 05-3474 4.3.1.2
def test_the_esi_takes_no_counter_twice(benches, verify):
    bench = benches(provocation="06-device-counters-stand")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@HAN Device")  # derived: 05-3474 4.3.1.2
def test_the_device_takes_no_counter_of_an_esi_that_forgot_it(benches, verify):
    bench = benches(provocation="06-provoke-forgotten-counter")
    bench.play()
    bench.power_cycle(Actor.ESI)
    bench.ask(Actor.HAN_DEVICE, "basic")
    verify(bench.trace)


@clause("UC2.7-06-COUNTER-JUMP@HAN Device")
def test_the_device_takes_a_counter_that_jumps(benches, verify):
    bench = benches(provocation="06-esi-counter-jumps")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-COUNTER-JUMP@ESI")
def test_the_esi_takes_a_counter_that_jumps(benches, verify):
    bench = benches(provocation="06-device-counter-jumps")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-COUNTER-JUMP@HAN Device")  # derived: 05-3474 4.4.1.2
def test_the_device_takes_an_aps_counter_that_jumps(benches, verify):
    bench = benches(provocation="06-esi-link-counter-jumps")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-COUNTER-JUMP@ESI")  # derived: 05-3474 4.4.1.2
def test_the_esi_takes_an_aps_counter_that_jumps(benches, verify):
    bench = benches(provocation="06-device-link-counter-jumps")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@HAN Device")  # derived: 05-3474 4.4.1.2
def test_the_device_takes_no_aps_frame_twice(benches, verify):
    bench = benches(provocation="06-esi-replays-link")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-REPLAY@ESI")  # derived: 05-3474 4.4.1.2
def test_the_esi_takes_no_aps_frame_twice(benches, verify):
    bench = benches(provocation="06-device-replays-link")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-ACKNOWLEDGES")
def test_acknowledgements_are_of_what_they_acknowledge(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "basic")
    bench.ask(Actor.HAN_DEVICE, "basic")
    verify(bench.trace)


@clause("UC2.7-06-BAD-MIC@HAN Device")  # derived: 05-3474 4.3.1.2
def test_the_device_takes_no_frame_with_a_wrong_mic(bench, verify):
    with bench.air.suffering(faults.corrupt(faults.asks_for_acknowledgement, sender=Actor.ESI)):
        bench.open()
        bench.join()
    verify(bench.trace)


@clause("UC2.7-06-BAD-MIC@ESI")  # derived: 05-3474 4.3.1.2
def test_the_esi_takes_no_frame_with_a_wrong_mic(bench, verify):
    with bench.air.suffering(faults.corrupt(faults.asks_for_acknowledgement, sender=Actor.HAN_DEVICE)):
        bench.open()
        bench.join()
    verify(bench.trace)
