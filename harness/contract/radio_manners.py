"""What a radio promises of itself: what it says it is and can, how it ends, and that nothing of one case reaches the next.

Knows the Radio protocol alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from harness.contract.laboratory import (
    AT_OWN,
    FENCE,
    FEW,
    NOBODY,
    OWN,
    PEER,
    End,
    Laboratory,
    frame,
)
from harness.contract.promise import Asked, NotApplicable, Promise
from harness.errors import BenchError, Unsupported

FEATURES = frozenset({"raw", "promiscuous", "source-match", "timestamps", "lqi", "rssi", "ack-pending"})  # tried by promises of their own
OPERATIONS = ("energy_scan",)  # that are known by name, whether a radio offers them or not
NO_SUCH_OPERATION = "hanproof_no_such_operation"
FIRMWARE, EXERCISED = "firmware", "exercised on hardware"


def opens(lab: Laboratory) -> Iterator[str]:
    """It is there, with what it offers and tells of itself."""
    radio = lab.opened().radio
    if not isinstance(radio.offers, (frozenset, set)) or not all(isinstance(each, str) for each in radio.offers):
        yield "`offers` is no set of words"
    if not isinstance(radio.about, Mapping) or not all(isinstance(each, str) for each in (*radio.about, *radio.about.values())):
        yield "`about` does not map words to words"


def names_itself(lab: Laboratory) -> Asked:
    """Firmware, and whether anybody has tried it on hardware; returns both, for the report."""
    about = lab.opened().radio.about
    for word in (FIRMWARE, EXERCISED):
        if not about.get(word):
            yield f"`about` has no {word!r}"
    return f"{about[FIRMWARE]}; {EXERCISED}: {about[EXERCISED]}"


def refuses_the_unknown(lab: Laboratory) -> Iterator[str]:
    """The honesty probe."""
    end = lab.opened()
    try:
        answer = end.perform(NO_SUCH_OPERATION)
    except Unsupported as fault:
        if NO_SUCH_OPERATION not in str(fault):
            yield f"Unsupported does not name {NO_SUCH_OPERATION}"
        return
    yield f"asked for {NO_SUCH_OPERATION}, which nobody can, it answered with a {type(answer).__name__}"


def performs_what_it_offers(lab: Laboratory) -> Iterator[str]:
    """What is offered is done or fails by name, and what is not offered is refused by name."""
    end = lab.opened()
    end.set(AT_OWN)
    offers = {offer.replace("-", "_") for offer in end.radio.offers - FEATURES}  # an operation is offered by its name, or with dashes
    for operation in sorted(offers | {*OPERATIONS}):
        try:
            if end.perform(operation) is None:
                yield f"{operation} answers nothing"
        except Unsupported as fault:
            if operation in offers:
                yield f"offers {operation}, and says that it is unsupported"
            elif operation not in str(fault):
                yield f"Unsupported does not name {operation}"
        except BenchError as fault:
            if operation not in str(fault):
                yield f"the error does not name {operation}"
        else:
            if operation not in offers:
                yield f"performs {operation}, and does not offer it"


def names_the_port(lab: Laboratory) -> Iterator[str]:
    """A port that is not there."""
    port = str(lab.subject.options.get("port", ""))
    if not port:
        raise NotApplicable("has no option `port`")
    nowhere = f"{port.partition('://')[0]}://127.0.0.1:1" if "://" in port else "/dev/hanproof-no-such-port"
    try:
        lab.opened(port=nowhere)
    except BenchError as fault:
        if nowhere not in str(fault):
            yield f"the error does not name the port {nowhere}"
        return
    yield f"opened {nowhere}, where nothing is"


def closes_twice(lab: Laboratory) -> Iterator[str]:
    """Closing ends, and may be repeated."""
    end = lab.opened()
    end.set(AT_OWN)
    end.close()
    end.close()
    yield from ()


def says_nothing_after_close(lab: Laboratory) -> Iterator[str]:
    """Frames for who is gone."""
    own, peer = lab.both()
    own.close()
    before, interrupts = len(own.log), own.interrupts
    peer.send(frame(1, PEER, OWN))
    lab.until(lambda: len(peer.answers) > 0)
    with suppress(BenchError):
        own.listen()
    if len(own.log) > before:
        yield "told something after it was closed"
    if own.interrupts > interrupts:
        yield "interrupted after it was closed"


def _speaks(lab: Laboratory, own: End) -> bool:
    """Whether it says what became of a frame; one that only listens has nothing to say, and is asked nothing."""
    if own.listens_only:
        return True
    own.send(frame(1, OWN, NOBODY))
    return lab.until(lambda: bool(own.answers))


def opens_again(lab: Laboratory) -> Iterator[str]:
    """Three times after one another, with a frame each."""
    for _ in range(3):
        own = lab.opened()
        own.set(AT_OWN)
        if not _speaks(lab, own):
            yield "a radio that was opened again did not say what became of a frame"
        own.close()


def leaves_nothing_running(lab: Laboratory) -> Iterator[str]:
    """Threads."""
    before = set(threading.enumerate())
    own = lab.opened()
    own.set(AT_OWN)
    _speaks(lab, own)
    own.close()
    left = set(threading.enumerate()) - before
    if lab.until(lambda: not any(thread.is_alive() for thread in left)):
        return
    yield f"after it was closed {len(left)} thread(s) of it went on"


def starts_clean(lab: Laboratory) -> Iterator[str]:
    """Nothing of an earlier case is known to the next: not what was asked, heard, or set."""
    own, peer = lab.both()
    if not own.listens_only:
        own.send(*(frame(number, OWN, NOBODY, ack=True) for number in range(FEW)))
    heard_before, for_before, fence = frame(1, PEER, OWN), frame(2, PEER, OWN), frame(FENCE, PEER, NOBODY)
    peer.send(heard_before)
    lab.until(lambda: len(peer.answers) == 1, peer)  # the earlier one is not asked for what it has to tell
    own.close()
    again = lab.opened()
    peer.send(for_before)
    lab.until(lambda: len(peer.answers) > 1)
    lab.settle(again, replace(AT_OWN, short_address=NOBODY))
    if not lab.through(peer, again, fence):
        yield "the next one hears nothing"
    if again.answers:
        yield "the next one tells what became of frames that an earlier one was given"
    if for_before in again.psdus:
        yield "the next one hears frames for the address of an earlier one"
    if heard_before in again.psdus:
        yield "the next one tells what an earlier one heard"


PROMISES = (
    Promise("RADIO-OPENS", "opens, and then says what it offers and what it is", "that it is there at all", opens),
    Promise("RADIO-ABOUT", "names its firmware, and whether it was exercised on hardware",
            "that a report can say what was tested with what", names_itself),
    Promise("RADIO-UNSUPPORTED", "says by name that it cannot do what nobody can",
            "that it is honest: no clause rests on what was silently not done", refuses_the_unknown),
    Promise("RADIO-OFFERS", "does what it offers, or fails by name; and refuses by name what it does not offer",
            "that its offers may be believed", performs_what_it_offers),
    Promise("RADIO-NO-PORT", "raises a BenchError that names the port where there is nothing at it",
            "that the laboratory's fault is told as that, in words that help", names_the_port),
    Promise("RADIO-CLOSES", "closes within the limit, and again", "that a campaign comes to its end", closes_twice),
    Promise("RADIO-SILENT", "says nothing and interrupts nobody once it is closed",
            "that an ended case cannot disturb the next", says_nothing_after_close, peer=True),
    Promise("RADIO-OPENS-AGAIN", "can be opened again when it was closed", "that it leaves its port", opens_again),
    Promise("RADIO-ENDS-THREADS", "leaves no thread running once it is closed",
            "that a long campaign does not fill with what earlier cases left", leaves_nothing_running),
    Promise("RADIO-STARTS-CLEAN", "knows nothing of an earlier instance: no settings, no frames, no answers",
            "that the verdict of a case does not depend on the case before", starts_clean, peer=True),
)
