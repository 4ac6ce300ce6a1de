"""Step 7: what HAN Device and ESI do with questions that they cannot answer, and with messages that they cannot read."""

from __future__ import annotations

from hypothesis import example, given

from cases.table import clause, step
from harness.application_strategies import (
    CUT_LIST,
    malformations,
    unknown_attributes,
    unknown_clusters,
    unknown_commands,
    unknown_zdp_requests,
)
from harness.usecase import Actor

pytestmark = step(7)  # HAN Device <-> ESI: attributes and clusters of each interface


@clause("UC2.7-07-DEFAULT-RESPONSE")
def test_no_needless_default_response_is_sent(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-07-UNSUPPORTED", "UC2.7-07-DEFAULT-RESPONSE")  # derived: ZCL 2.4.1.3
@given(attribute=unknown_attributes())
def test_an_unknown_attribute_is_said_to_be_unknown(benches, verify, attribute):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "attribute", attribute=attribute)
    bench.ask(Actor.HAN_DEVICE, "attribute", attribute=attribute)
    verify(bench.trace)


@clause("UC2.7-07-UNSUPPORTED", "UC2.7-07-DEFAULT-RESPONSE")  # derived: ZCL 2.5.3, 2.4.12.2
@given(unknown=unknown_commands())
def test_an_unknown_command_is_said_to_be_unknown(benches, verify, unknown):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "unknown-command", **vars(unknown))
    bench.ask(Actor.HAN_DEVICE, "unknown-command", **vars(unknown))
    verify(bench.trace)


@clause("UC2.7-07-UNSUPPORTED")  # derived: ZCL 2.5.3
@given(cluster=unknown_clusters())
def test_an_unknown_cluster_is_refused_or_passed_over(benches, verify, cluster):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "unknown-cluster", cluster=cluster)
    bench.ask(Actor.HAN_DEVICE, "unknown-cluster", cluster=cluster)
    verify(bench.trace)


@clause("UC2.7-07-UNSUPPORTED")  # derived: 05-3474 2.4.4
@given(cluster=unknown_zdp_requests())
def test_an_unknown_zdp_request_is_said_to_be_unknown(benches, verify, cluster):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "unknown-zdp", cluster=cluster)
    bench.ask(Actor.HAN_DEVICE, "unknown-zdp", cluster=cluster)
    verify(bench.trace)


@clause("UC2.7-07-DEFAULT-RESPONSE")  # derived: ZCL 2.4.12.2
def test_a_default_response_draws_none(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "unasked-default-response")
    bench.ask(Actor.HAN_DEVICE, "unasked-default-response")
    verify(bench.trace)


@clause("UC2.7-07-DEFAULT-RESPONSE")  # derived: ZCL 2.4.12.2
@given(unknown=unknown_commands())
def test_a_broadcast_draws_no_default_response(benches, verify, unknown):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "unknown-command", broadcast=True, **vars(unknown))
    bench.ask(Actor.HAN_DEVICE, "unknown-command", broadcast=True, **vars(unknown))
    verify(bench.trace)


@clause("UC2.7-07-MALFORMED")  # derived: ZCL 2.5.3
@given(spoilt=malformations())
@example(spoilt=CUT_LIST)
def test_a_malformed_message_is_refused_and_survived(benches, verify, spoilt):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, "malformed", **vars(spoilt))
    bench.ask(Actor.HAN_DEVICE, "malformed", **vars(spoilt))
    verify(bench.trace)
