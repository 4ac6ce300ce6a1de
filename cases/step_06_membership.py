"""Step 6: the HAN Device stays a member of the HAN, over power failures and changes of the network key."""

from __future__ import annotations

from cases.table import clause, step
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


@clause("UC2.7-06-KEY-SWITCH")
def test_a_new_network_key_is_taken_and_used(bench, verify):
    bench.open()
    bench.join()
    bench.renew_network_key()
    bench.settle()
    verify(bench.trace)
