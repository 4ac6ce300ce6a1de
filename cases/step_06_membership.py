"""Step 6: the HAN Device stays a member of the HAN, over power failures and changes of the network key."""

from __future__ import annotations

from cases.table import clause, step
from dissectors.nwk import RejoinResponse
from harness import faults
from harness.usecase import Actor

pytestmark = step(6)  # ESI -> HAN Device: network key, 16-bit short address, PAN ID


@clause("UC2.7-06-REJOIN")
def test_a_member_rejoins_when_its_power_returns(bench, verify):
    bench.open()
    bench.join()
    bench.power_cycle(Actor.HAN_DEVICE)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-REJOIN")  # derived: 05-3474 4.6.3.2.2.1
def test_the_dummy_key_after_a_rejoin_is_no_key(benches, verify):
    bench = benches(provocation="06-provoke-dummy-key")
    bench.open()
    bench.join()
    bench.power_cycle(Actor.HAN_DEVICE)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-REJOIN-PACE")  # derived: SE 1.0 table 5-2
def test_a_member_whose_rejoins_are_not_answered_backs_off(bench, verify):
    bench.open()
    bench.join()
    with bench.air.suffering(faults.drop(RejoinResponse, times=None)):
        bench.power_cycle(Actor.HAN_DEVICE)
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-RETURNS")
def test_the_network_is_there_again_when_the_esi_has_power_again(bench, verify):
    bench.open()
    bench.join()
    bench.power_cycle(Actor.ESI)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-STAYS")
def test_a_device_in_service_stays(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-06-STAYS")  # derived: 08006r03 NLF130, and what Smart Energy 1.1 made of it
def test_a_device_whose_parent_tells_it_to_leave_does_as_its_revision_says(bench, verify):
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "leave")
    verify(bench.trace)


@clause("UC2.7-06-UNSECURED-COMMANDS@HAN Device")  # derived: 05-3474 3.6.2.2
def test_the_device_obeys_no_leave_that_is_not_secured(bench, verify):
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "unsecured-leave")
    bench.ask(Actor.HAN_DEVICE, "basic")
    verify(bench.trace)


@clause("UC2.7-06-UNSECURED-COMMANDS@ESI")  # derived: 05-3474 3.6.2.2
def test_the_esi_believes_no_goodbye_that_is_not_secured(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "unsecured-leave")
    bench.ask(Actor.ESI, "basic")
    verify(bench.trace)


@clause("UC2.7-06-UNREGISTERED")  # derived: Smart Energy 1.0 5.4.6
def test_a_device_that_never_registers_is_let_at_nothing(benches, verify):
    bench = benches(provocation="06-never-establishes")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-KEY-SWITCH")
def test_a_new_network_key_is_taken_and_used(bench, verify):
    bench.open()
    bench.join()
    bench.renew_network_key()
    bench.settle()
    verify(bench.trace)
