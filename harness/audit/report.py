"""An audit in words: a block a join, what can be said of the capture, and what is missing where something could not be decided.

Knows judged joins and prints nothing; shows no key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from harness.audit.intake import Intake
from harness.audit.known import NOTHING, Known
from harness.audit.verdicts import Audited, overall, without_join
from harness.trace import Unknown
from harness.verdict import Verdict

SHOWN = 5  # causes of gaps in the report
NOT_KNOWN, UNSET, GAPS = "not known here: ", "PICS item ", "frames are missing"  # what inconclusive findings say
REMEDIES = {  # what the user can give
    Unknown.CLAIMS.value: "--device-file", Unknown.KIND.value: "--device-file",
    Unknown.HELD.value: "--device-file or --install-code",
    Unknown.AUTHORITY.value: "--authority, or --device-file with a certificate",
}


def report(intake: Intake, joins: Sequence[Audited], known: Known = NOTHING) -> Iterator[str]:
    """The lines of the whole report; the last one says what the exit code says."""
    for join in joins:
        yield from block(join)
        yield ""
    counts = ", ".join(f"{count} {name}" for name, count in intake.counts.items() if count)
    yield f"capture: {counts or 'no packets'}; {intake.duration:.1f} s from {intake.epoch}"
    for medium, (first, last) in intake.media().items():
        yield f"  {medium} heard from {first:.3f} s to {last:.3f} s"
    yield from (f"  {flaw.cause}" for flaw in list(intake.missing())[-SHOWN:])
    if intake.useless:
        some = any(intake.opened[key.octets] for key in intake.keys)
        useless = "some of the keys given open nothing" if some else "the keys given open nothing"
        yield f"{useless} in this capture: {', '.join(_counted(Counter(key.kind for key in intake.useless)))}"
    yield from (f"{known.claimants[device].name} ({device}) joins nowhere in this capture" for device in without_join(known, joins))
    if joins and overall(joins) is Verdict.INCONC:
        yield "undecided, for want of"
        yield from (f"  {cause}: {count} clause(s){_remedy(cause)}" for cause, count in wants(joins).most_common())
    yield f"{len(joins)} join(s): {overall(joins)}: {_said(joins)}" if joins else "no join was found"


def wants(joins: Iterable[Audited]) -> Counter[str]:
    """What is missing where something could not be decided, with the number of clauses."""
    found: Counter[str] = Counter()
    for join in joins:
        for judgement in join.judgements:
            if judgement.verdict is Verdict.INCONC:
                found.update({_cause(each.message) for each in judgement.findings if each.verdict is Verdict.INCONC and not each.note})
    return found


def _cause(message: str) -> str:
    if message.startswith(UNSET):
        return Unknown.CLAIMS.value
    return "frames that are missing" if GAPS in message else message.removeprefix(NOT_KNOWN)


def _remedy(cause: str) -> str:
    return f"; {REMEDIES[cause]} says it" if cause in REMEDIES else ""


def _said(joins: Sequence[Audited]) -> str:
    """What the verdict of all means to who asked."""
    counts = Counter(judgement.verdict for join in joins for judgement in join.judgements)
    said = {
        Verdict.NONE: "nothing was asked", Verdict.PASS: "all that was asked is right",
        Verdict.INCONC: f"nothing wrong was found, and {counts[Verdict.INCONC]} clause(s) could not be decided (exit code 6)",
        Verdict.FAIL: f"{counts[Verdict.FAIL]} clause(s) failed", Verdict.ERROR: "HANproof itself is at fault",
    }
    return said[overall(joins)]


def _counted(counts: Counter[str]) -> Iterator[str]:
    return (f"{count} {name}" for name, count in counts.items())


def block(join: Audited) -> Iterator[str]:
    """One join: a line for each step, and below it what is no pass, with packets as Wireshark counts them."""
    network = join.network
    named = f", extended {network['extended_pan']}" if network["extended_pan"] else ""
    joins = "joins" if join.begins else "is in"
    claimed = f" ({join.claimant})" if join.claimant else ""
    packets = f"packets {join.packets[0]} to {join.packets[1]}"
    yield f"{join.device}{claimed} {joins} PAN {network['pan']}{named} on {network['medium']} ({packets})"
    causes = list(dict.fromkeys(gap.cause for gap in join.missing))
    yield from (f"  missing: {cause}" for cause in causes[:SHOWN])
    if len(causes) > SHOWN:
        yield f"  missing: and {len(causes) - SHOWN} more such gaps; --json has them all"
    for step, judgements in join.steps.items():
        counts = Counter("not applicable" if each.not_applicable else str(each.verdict or "not asked") for each in judgements)
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        yield f"  step {step}: {join.verdict(step)} ({told})"
        reasons: dict[str, list[str]] = {}
        for judgement in sorted(judgements, key=lambda each: -each.verdict):
            for finding in judgement.findings:
                if finding.note or finding.verdict <= Verdict.PASS:
                    continue
                packets = "".join(f" #{join.packet(number)}" for number in finding.evidence)
                detail = f"; expected {finding.expected}, observed {finding.observed}" if finding.verdict >= Verdict.FAIL else ""
                reasons.setdefault(f"{finding.verdict}: {finding.message}{detail}{packets}", []).append(judgement.id)
        for reason, clauses in reasons.items():
            yield f"    {reason}"
            yield f"      {', '.join(dict.fromkeys(clauses))}"
