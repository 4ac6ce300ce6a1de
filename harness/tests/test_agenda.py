"""A node's agenda: order, replacement, what an action sets while others run."""

from __future__ import annotations

from harness.stack.agenda import Agenda


def test_actions_run_in_the_order_of_their_instants_and_of_their_making() -> None:
    agenda, ran = Agenda(), []
    for name, instant in (("late", 3.0), ("early", 1.0), ("also early", 1.0), ("not yet", 9.0)):
        agenda.set(name, instant, lambda now, name=name: ran.append((name, now)))  # type: ignore[misc]
    assert agenda.deadline() == 1.0
    agenda.run(5.0)
    assert ran == [("early", 5.0), ("also early", 5.0), ("late", 5.0)]
    assert agenda.deadline() == 9.0


def test_setting_a_name_again_replaces_it_and_cancelling_forgets_it() -> None:
    agenda, ran = Agenda(), []
    agenda.set("one", 1.0, lambda now: ran.append("first"))
    agenda.set("one", 2.0, lambda now: ran.append("second"))
    agenda.set("two", 1.0, lambda now: ran.append("two"))
    agenda.cancel("two")
    agenda.cancel("three")
    agenda.run(5.0)
    assert ran == ["second"]
    assert agenda.deadline() is None


def test_an_action_may_set_another_that_is_due_at_once() -> None:
    agenda, ran = Agenda(), []
    agenda.set("first", 1.0, lambda now: agenda.set("second", now, lambda now: ran.append(now)))
    agenda.run(1.0)
    assert ran == [1.0]
    assert "second" not in agenda
