"""Step 7: HAN Device and ESI tell each other what they are and what they can, and find out the time."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from dissectors.clusters import drlc, key_establishment
from dissectors.smart_energy import HOME_AUTOMATION
from harness.application_strategies import (
    answers_of_less,
    any_block,
    endpoints,
    fragmented_requests,
    overlong_answers,
    spoilt_blocks,
    unknown_clusters,
    untrusted_times,
)
from harness.faults import a_block, drop, unacknowledged_block
from harness.strategies import short_addresses
from harness.usecase import Actor

pytestmark = step(7)  # HAN Device <-> ESI: message size, attributes and clusters of each endpoint, time and time status


@clause(
    "UC2.7-07-NODE-DESC@HAN Device", "UC2.7-07-ACTIVE-EP@HAN Device", "UC2.7-07-SIMPLE-DESC@HAN Device",
    "UC2.7-07-BASIC@HAN Device", "UC2.7-07-TRANSFER-SIZE@HAN Device", "UC2.7-07-TIME@HAN Device", "UC2.7-07-ENDPOINTS",
)
def test_the_device_is_commissioned(provisioned, verify):
    verify(provisioned)


@clause(
    "UC2.7-07-NODE-DESC@ESI", "UC2.7-07-MATCH-DESC@ESI", "UC2.7-07-SUITE@ESI", "UC2.7-07-BIND@ESI", "UC2.7-07-TIME@ESI",
    "UC2.7-07-TIME-STATUS@ESI", "UC2.7-07-TRANSFER-SIZE@ESI",
)
def test_the_esi_answers_the_device(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-07-NODE-DESC", "UC2.7-07-ACTIVE-EP", "UC2.7-07-SIMPLE-DESC", "UC2.7-07-BASIC", "UC2.7-07-TRANSFER-SIZE")
def test_either_side_describes_itself_when_asked(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "inspect")
    bench.ask(Actor.HAN_DEVICE, "inspect")
    verify(bench.trace)


@clause("UC2.7-07-NODE-DESC")  # derived: 05-3474 2.4.4.1.3
@given(address=short_addresses())
def test_the_descriptor_of_somebody_else_is_refused(benches, verify, address):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "descriptors-of-another", address=address)
    bench.ask(Actor.HAN_DEVICE, "descriptors-of-another", address=address)
    verify(bench.trace)


@clause("UC2.7-07-SIMPLE-DESC")  # derived: 05-3474 2.4.4.1.5
@given(endpoint=endpoints())
def test_the_descriptor_of_any_endpoint_is_given_or_refused(benches, verify, endpoint):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "inspect")
    bench.ask(Actor.ESI, "endpoint", endpoint=endpoint)
    bench.ask(Actor.HAN_DEVICE, "endpoint", endpoint=endpoint)
    verify(bench.trace)


@clause("UC2.7-07-MATCH-DESC")
def test_the_key_establishment_server_of_either_side_is_found(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "match", clusters=(key_establishment.CLUSTER.identifier,))
    bench.ask(Actor.HAN_DEVICE, "match", clusters=(key_establishment.CLUSTER.identifier,))
    verify(bench.trace)


@clause("UC2.7-07-MATCH-DESC")  # derived: 05-3474 2.4.4.1.7.1
def test_nothing_is_found_in_another_profile(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "match", clusters=(drlc.CLUSTER.identifier,), profile=HOME_AUTOMATION)
    bench.ask(Actor.HAN_DEVICE, "match", clusters=(key_establishment.CLUSTER.identifier,), profile=HOME_AUTOMATION)
    verify(bench.trace)


@clause("UC2.7-07-MATCH-DESC")  # derived: 05-3474 2.4.4.1.7.1
@given(cluster=unknown_clusters())
def test_one_cluster_in_common_is_enough(benches, verify, cluster):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "inspect")
    bench.ask(Actor.ESI, "match", clusters=(cluster,), out_clusters=(key_establishment.CLUSTER.identifier,))
    bench.ask(Actor.HAN_DEVICE, "match", clusters=(cluster,), out_clusters=(key_establishment.CLUSTER.identifier,))
    verify(bench.trace)


@clause("UC2.7-07-MATCH-DESC")  # derived: 05-3474 2.4.4.1.7.1
@given(cluster=unknown_clusters())
def test_nothing_is_found_of_a_cluster_that_nobody_has(benches, verify, cluster):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "inspect")
    bench.ask(Actor.ESI, "match", clusters=(cluster,), broadcast=True)
    bench.ask(Actor.ESI, "match", clusters=(cluster,))
    bench.ask(Actor.HAN_DEVICE, "match", clusters=(cluster,))
    verify(bench.trace)


@clause("UC2.7-07-SUITE", "UC2.7-07-BIND")
def test_either_side_names_its_suite_and_answers_a_binding(bench, verify):
    bench.play()
    for actor in (Actor.ESI, Actor.HAN_DEVICE):
        bench.ask(actor, "suite")
        bench.ask(actor, "bind")
    verify(bench.trace)


@clause("UC2.7-07-SUITE@HAN Device")  # derived: Smart Energy 1.0 C.3.1.2, which old stacks break
def test_a_trust_centre_that_names_no_suite_is_met(benches, verify):
    bench = benches(provocation="07-suite-of-nobody")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-07-BIND@HAN Device")  # derived: 05-3474 2.4.4.2.2, where a refusal is an answer
def test_a_device_whose_binding_is_refused_goes_on(benches, verify):
    bench = benches(provocation="07-bindings-refused")
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "bind")
    verify(bench.trace)


@clause("UC2.7-07-TIME@ESI", "UC2.7-07-TIME-STATUS@ESI")
def test_the_time_runs(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "time")
    verify(bench.trace)


@clause("UC2.7-07-TIME-STATUS@HAN Device")  # derived: ZCL 3.12.2.2.2
@given(time=untrusted_times())
def test_a_time_that_nobody_vouches_for_is_not_used(benches, verify, time):
    bench = benches(provocation="07-time-of-nobody", provoked_with=time)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-07-TIME-STATUS@HAN Device")  # derived: ZCL 2.5.2
def test_an_invalid_time_is_not_used(benches, verify):
    bench = benches(provocation="07-time-invalid")
    bench.play()
    bench.publish("event")
    bench.publish("event")
    verify(bench.trace)


@clause("UC2.7-07-TIME@HAN Device")
def test_the_time_is_not_read_again_while_events_come_and_go(bench, verify):
    bench.play()
    bench.publish("event")
    bench.publish("event")
    verify(bench.trace)


@clause("UC2.7-07-POLL-RATE")
def test_a_sleepy_device_polls_as_seldom_as_is_recommended(bench, verify):
    bench.play()
    bench.publish("event")
    verify(bench.trace)


@clause("UC2.7-07-FRAGMENTS", "UC2.7-07-TRANSFER-SIZE")
@given(count=fragmented_requests())
def test_a_long_request_and_its_answer_go_in_blocks(benches, verify, count):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "many-attributes", count=count)
    bench.ask(Actor.HAN_DEVICE, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-FRAGMENTS")  # derived: 05-3474 2.2.8.4.4
@given(lost=any_block(), count=fragmented_requests())
def test_a_lost_block_is_sent_again(benches, verify, lost, count):
    bench = benches()
    bench.play()
    for actor in (Actor.ESI, Actor.HAN_DEVICE):
        with bench.air.suffering(drop(a_block, sender=Actor.ESI, skip=lost), drop(a_block, sender=Actor.HAN_DEVICE, skip=lost)):
            bench.ask(actor, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-FRAGMENTS")  # derived: 05-3474 2.2.8.4.2
@given(doubled=any_block(), count=fragmented_requests())
def test_a_block_that_comes_twice_does_no_harm(benches, verify, doubled, count):
    bench = benches()
    bench.play()
    for actor in (Actor.ESI, Actor.HAN_DEVICE):
        with bench.air.suffering(unacknowledged_block(skip=doubled)):
            bench.ask(actor, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-FRAGMENTS@ESI")  # derived: 05-3474 2.2.8.4.5
@given(spoilt=spoilt_blocks(), count=fragmented_requests())
def test_the_esi_takes_no_message_whose_blocks_are_spoilt(benches, verify, spoilt, count):
    bench = benches(provocation=f"07-device-{spoilt}")
    bench.play()
    bench.ask(Actor.ESI, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-FRAGMENTS@HAN Device")  # derived: 05-3474 2.2.8.4.5
@given(spoilt=spoilt_blocks(), count=fragmented_requests())
def test_the_device_takes_no_message_whose_blocks_are_spoilt(benches, verify, spoilt, count):
    bench = benches(provocation=f"07-esi-{spoilt}")
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-TRANSFER-SIZE@HAN Device")  # derived: 05-3474 2.3.2.3.9
@given(fitting=answers_of_less(), count=fragmented_requests())
def test_the_device_respects_a_smaller_transfer_size(benches, verify, fitting, count):
    bench = benches(provocation="07-esi-takes-less")
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "many-attributes", count=fitting)
    bench.ask(Actor.HAN_DEVICE, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-TRANSFER-SIZE@ESI")  # derived: 05-3474 2.3.2.3.9
@given(fitting=answers_of_less(), count=fragmented_requests())
def test_the_esi_respects_a_smaller_transfer_size(benches, verify, fitting, count):
    bench = benches(provocation="07-device-takes-less")
    bench.play()
    bench.ask(Actor.ESI, "many-attributes", count=fitting)
    bench.ask(Actor.ESI, "many-attributes", count=count)
    verify(bench.trace)


@clause("UC2.7-07-TRANSFER-SIZE")  # derived: Smart Energy 1.0 table 5-8
@given(count=overlong_answers())
def test_nobody_sends_more_than_its_partner_takes(benches, verify, count):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "many-attributes", count=count)
    bench.ask(Actor.HAN_DEVICE, "many-attributes", count=count)
    verify(bench.trace)
