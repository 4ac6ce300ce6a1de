"""Key establishment against the worked example of annex C, and what known mistakes make of it."""

from __future__ import annotations

from random import Random

import pytest

from dissectors.tests.vectors import read, rows
from harness.crypto.cbke import (
    EphemeralKey,
    Parties,
    agree,
    check_ephemeral,
    conclude,
    derive,
    ephemeral_key,
    known_mistakes,
    mac_u,
    mac_v,
    name_mistake,
)
from harness.crypto.ecmqv import shared_secret
from harness.crypto.ecqv import TEST_CA, Credentials
from harness.crypto.sect163k1 import ORDER, Point
from harness.values import Eui64

H = bytes.fromhex
ANNEX_C = read("cbke", "zse_annex_c")


def _side(name: str) -> tuple[Credentials, EphemeralKey]:
    fields = ANNEX_C[name] | {"ca_public_key": ANNEX_C["ca_public_key"]}
    return Credentials.read(fields), ephemeral_key(int(fields["ephemeral_private_key"], 16))


U, U_EPHEMERAL = _side("initiator")
V, V_EPHEMERAL = _side("responder")
PARTIES = Parties(U.subject, V.subject, U_EPHEMERAL.public, V_EPHEMERAL.public)
Z = H(ANNEX_C["z"])
Z_WITHOUT_COFACTOR = agree(U, U_EPHEMERAL, V.certificate, V_EPHEMERAL.public, cofactor=1)
MISTAKES = known_mistakes(Z, PARTIES, Z_WITHOUT_COFACTOR)


def test_ephemeral_public_keys_of_the_example() -> None:
    assert U_EPHEMERAL.public == H(ANNEX_C["initiator"]["ephemeral_public_key"])
    assert V_EPHEMERAL.public == H(ANNEX_C["responder"]["ephemeral_public_key"])


def test_both_parties_reach_the_secret_of_the_example() -> None:
    assert agree(U, U_EPHEMERAL, V.certificate, V_EPHEMERAL.public) == Z
    assert agree(V, V_EPHEMERAL, U.certificate, U_EPHEMERAL.public, V.ca_public_key) == Z


def test_keys_and_confirmations_of_the_example() -> None:
    mac_key, key_data = derive(Z)
    assert (mac_key.hex(), key_data.hex()) == (ANNEX_C["mac_key"], ANNEX_C["key_data"])
    assert mac_u(mac_key, PARTIES).hex() == ANNEX_C["mac_u"]
    assert mac_v(mac_key, PARTIES).hex() == ANNEX_C["mac_v"]
    outcome = conclude(Z, PARTIES)
    assert (outcome.mac_key, outcome.key_data) == (mac_key, key_data)
    assert (outcome.mac_u, outcome.mac_v) == (mac_u(mac_key, PARTIES), mac_v(mac_key, PARTIES))
    assert mac_key.hex() not in repr(outcome)
    assert str(mac_key) not in repr(outcome)


@pytest.mark.parametrize("vector", rows("cbke", "mistakes"))
def test_known_mistakes(vector: dict[str, str]) -> None:
    outcome = MISTAKES[vector["mistake"]]
    made = {name: getattr(outcome, name).hex() for name in vector if name not in ("mistake", "z")}
    expected = {name: value for name, value in vector.items() if name not in ("mistake", "z")}
    assert made == expected
    if "z" in vector:
        assert H(vector["z"]) == Z_WITHOUT_COFACTOR


def test_every_mistake_has_its_own_values_and_is_named_by_them() -> None:
    right = conclude(Z, PARTIES)
    assert len(MISTAKES) == 9
    for name, outcome in MISTAKES.items():
        assert outcome.mac_u != right.mac_u
        assert outcome.mac_v != right.mac_v
        assert name_mistake(outcome.mac_u, True, MISTAKES) == name
        assert name_mistake(outcome.mac_v, False, MISTAKES) == name
    assert name_mistake(right.mac_u, True, MISTAKES) is None
    assert name_mistake(bytes(16), False, MISTAKES) is None


def test_the_cofactor_mistake_needs_its_own_secret() -> None:
    assert MISTAKES.keys() - known_mistakes(Z, PARTIES).keys() == {"cofactor-left-out"}


def test_devices_of_our_own_authority_agree() -> None:
    chance = Random(27)
    ours, theirs = (TEST_CA.issue(Eui64(subject), chance) for subject in (1, 2))
    our_ephemeral, their_ephemeral = ephemeral_key(chance), ephemeral_key(chance)
    z = agree(ours, our_ephemeral, theirs.certificate, their_ephemeral.public)
    assert agree(theirs, their_ephemeral, ours.certificate, our_ephemeral.public) == z
    assert agree(ours, our_ephemeral, theirs.certificate, their_ephemeral.public, U.ca_public_key) != z


def test_a_private_key_of_another_certificate_gives_another_secret() -> None:
    (vector,) = (row.values[0] for row in rows("certificates", "mismatched"))
    stranger = Credentials.read(vector)
    here = agree(V, V_EPHEMERAL, stranger.certificate, U_EPHEMERAL.public)
    assert agree(stranger, U_EPHEMERAL, V.certificate, V_EPHEMERAL.public) != here


@pytest.mark.parametrize(("octets", "reason"), [
    (U_EPHEMERAL.public[:-1], "22 octets, not 21"),
    (U_EPHEMERAL.public[::-1], "02 or 03, not 88"),
    (bytes([2]) + bytes(20) + bytes([2]), "no point"),
])
def test_an_ephemeral_key_that_is_none(octets: bytes, reason: str) -> None:
    for use in (check_ephemeral, lambda key: agree(V, V_EPHEMERAL, U.certificate, key)):
        with pytest.raises(ValueError, match=f"ephemeral public key is none: .*{reason}"):
            use(octets)


def test_a_secret_at_infinity_is_refused() -> None:
    with pytest.raises(ValueError, match="at infinity"):  # the point of order 2 falls to the cofactor
        shared_secret(1, 1, Point(0, 1), Point(0, 1), Point(0, 1))


def test_ephemeral_keys_come_by_chance_and_do_not_show() -> None:
    first, second = ephemeral_key(Random(1)), ephemeral_key(Random(2))
    assert first != second
    assert ephemeral_key(Random(1)) == first
    assert 0 < first.private < ORDER
    assert str(first.private) not in repr(first)
