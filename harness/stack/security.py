"""Sealing and opening with a node's own keys and counters: NWK frames with network keys, APS frames with link keys.

A stack trusts its own key state: a frame opens or it does not, nothing is tried. Knows no frame's content. Clauses: 05-3474,
4.3.1 for NWK, 4.4.1 for APS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dissectors.layer import Record, encode, parse
from dissectors.nwk import AuxiliaryHeader, KeyIdentifier
from dissectors.sealing import seal, unseal
from dissectors.security import MIC_LENGTH, WELL_KNOWN_LINK_KEY, key_load_key, key_transport_key
from harness.stack.counters import Counters, LinkKey, LinkKeys, NetworkKey, NetworkKeys
from harness.stack.neighbours import Neighbours
from harness.stack.policy import Policy
from harness.stack.primitives import LinkKeyKind
from harness.values import Eui64

NWK_OVERHEAD = len(encode(AuxiliaryHeader.of(source_ieee=0))) + MIC_LENGTH  # octets, with extended nonce
APS_OVERHEAD = len(encode(AuxiliaryHeader.of(extended_nonce=0, key_identifier=KeyIdentifier.DATA))) + MIC_LENGTH
DERIVED: dict[int, Callable[[bytes], bytes]] = {  # 4.5.3
    KeyIdentifier.DATA: lambda key: key,
    KeyIdentifier.KEY_TRANSPORT: key_transport_key,
    KeyIdentifier.KEY_LOAD: key_load_key,
}


class NwkSecurity:
    """Network keys, and the counters of neighbours: of nobody else is one kept (4.3.3)."""

    def __init__(self, ieee: Eui64, keys: NetworkKeys, neighbours: Neighbours, policy: Policy) -> None:
        self._ieee, self._keys, self._neighbours, self._policy = ieee, keys, neighbours, policy

    def seal(self, header: bytes, payload: bytes, key: NetworkKey) -> bytes | None:
        """The secured frame under this key (4.3.1.1); None when the policy suppresses it."""
        auxiliary = self._policy.rewritten(AuxiliaryHeader.of(
            frame_counter=key.counters.take(), source_ieee=self._ieee, key_sequence=key.sequence
        ))
        return None if auxiliary is None else seal(header, auxiliary, payload, key.key, self._ieee)

    def open(self, header: bytes, rest: bytes, previous_hop: int, neighbours: frozenset[int]) -> bytes | None:
        """The payload (4.3.1.2), or None when it must not be taken; `neighbours` are the EUI-64s whose counters are kept.

        The sender's address is learnt, and a newer key that is held comes into use. Raises Malformed.
        """
        auxiliary, sealed = parse(AuxiliaryHeader, rest)
        key = self._keys.held.get(auxiliary.key_sequence)
        sender = auxiliary.source_ieee if auxiliary.extended_nonce else self._neighbours.ieee_of(previous_hop)
        if key is None or sender is None or auxiliary.key_identifier != KeyIdentifier.NETWORK:
            return None
        policy = self._policy
        if sender in neighbours and not _is_fresh(
            key.counters, sender, auxiliary.frame_counter, policy.checks_nwk_counter, policy.largest_nwk_jump
        ):
            return None
        payload = _unsealed(header, auxiliary, sealed, key.key, sender, policy.checks_nwk_mic)
        if payload is None:
            return None
        if sender in neighbours:
            key.counters.accept(sender, auxiliary.frame_counter)
        if self._keys.is_newer(key.sequence) and policy.follows_newer_key:
            self._keys.switch(key.sequence)
        self._neighbours.remember(previous_hop, Eui64(sender))
        return payload


@dataclass(frozen=True)
class Opened:
    """What a frame's APS security gave: its payload, who sent it, and under which link key (None: without APS security)."""

    payload: bytes
    sender: Eui64 | None
    key: LinkKey | None = None
    key_identifier: int | None = None


class ApsSecurity:
    """Link keys; the keys derived from one share its counters."""

    def __init__(self, ieee: Eui64, keys: LinkKeys, neighbours: Neighbours, policy: Policy) -> None:
        self._ieee, self._keys, self._neighbours, self._policy = ieee, keys, neighbours, policy

    def seal(self, header: bytes, payload: bytes, key: LinkKey, key_identifier: int) -> bytes | None:
        """The secured frame (4.4.1.1); None when the policy suppresses it. A key-transport or key-load key names its sender."""
        named = key_identifier != KeyIdentifier.DATA
        auxiliary = self._policy.rewritten(AuxiliaryHeader.of(
            extended_nonce=int(named), key_identifier=key_identifier, frame_counter=key.counters.take(),
            source_ieee=self._ieee if named else None,
        ))
        if auxiliary is None:
            return None
        return seal(header, auxiliary, payload, DERIVED[key_identifier](key.key), self._ieee)

    def open(self, header: bytes, rest: bytes, source: int) -> Opened | None:
        """4.4.1.2; None when the frame must not be taken. The network key secures no APS frame (08006r03, ASLS7).

        Raises Malformed.
        """
        auxiliary, sealed = parse(AuxiliaryHeader, rest)
        named = auxiliary.source_ieee if auxiliary.extended_nonce else self._neighbours.ieee_of(source)
        derive = DERIVED.get(auxiliary.key_identifier)
        if named is None or derive is None:
            return None
        sender = Eui64(named)
        for key in self._held_with(sender):
            if not _is_fresh(
                key.counters, sender, auxiliary.frame_counter, self._policy.checks_aps_counter, self._policy.largest_aps_jump
            ):
                continue
            payload = _unsealed(header, auxiliary, sealed, derive(key.key), sender, self._policy.checks_aps_mic)
            if payload is not None:
                key.counters.accept(sender, auxiliary.frame_counter)
                return Opened(payload, sender, key, auxiliary.key_identifier)
        return None

    def _held_with(self, sender: Eui64) -> Iterator[LinkKey]:
        """The key shared with a sender; whoever still takes the pre-configured one has that beside it."""
        shared = self._keys.shared_with(sender)
        preconfigured = self._keys.held.get(None) or self._keys.replaced.get(sender)
        if shared is not None:
            yield shared
        if self._policy.accepts_preconfigured_key and preconfigured is not None and preconfigured is not shared:
            yield preconfigured
        if self._policy.takes_well_known_key:
            yield LinkKey(WELL_KNOWN_LINK_KEY, LinkKeyKind.PRECONFIGURED)


def _is_fresh(counters: Counters, sender: int, counter: int, checked: bool, largest_jump: int | None) -> bool:
    if checked and not counters.is_fresh(sender, counter):
        return False
    return largest_jump is None or counters.jump(sender, counter) <= largest_jump


def _unsealed(header: bytes, auxiliary: Record, sealed: bytes, key: bytes, sender: int, checked: bool) -> bytes | None:
    """The payload, or None where the MIC is wrong; a node that does not check it takes what counter mode gives."""
    payload = unseal(header, auxiliary, sealed, key, sender)
    if payload is not None or checked or len(sealed) < MIC_LENGTH:
        return payload
    overhead = len(header) + len(encode(auxiliary))
    return seal(header, auxiliary, sealed[:-MIC_LENGTH], key, sender)[overhead:-MIC_LENGTH]
