"""Install codes against published codes, labels seen in the wild, and the keys that wrong derivations make."""

from __future__ import annotations

import pytest

from dissectors.security import key_load_key, key_transport_key
from dissectors.tests.vectors import rows
from harness.crypto.install_code import CODE_LENGTHS, Flaw, InstallCode, InstallCodeError, crc, known_mistakes

H = bytes.fromhex
PRINTED = "83FE D340 7A93 2B70"


def test_crc_check_value() -> None:
    assert crc(b"123456789") == 0x906E  # CRC-16/X-25


@pytest.mark.parametrize("vector", rows("install_code", "codes"))
def test_published_codes(vector: dict[str, str]) -> None:
    code = InstallCode.of(H(vector["code"]))
    assert code.octets == H(vector["octets"]) == H(vector["code"] + vector["crc"])
    assert code.link_key == H(vector["link_key"])
    assert crc(H(vector["code"])) == int.from_bytes(H(vector["crc"]), "little")
    assert InstallCode.parse(vector["octets"]) == InstallCode.parse(code.octets) == InstallCode.parse(code.printed) == code


def test_published_codes_have_all_legal_lengths() -> None:
    assert {len(H(row.values[0]["code"])) for row in rows("install_code", "codes")} == set(CODE_LENGTHS)


@pytest.mark.parametrize("vector", rows("install_code", "derived"))
def test_keys_derived_from_an_install_code(vector: dict[str, str]) -> None:
    link_key = InstallCode.of(H(vector["code"])).link_key
    assert key_transport_key(link_key) == H(vector["key_transport_key"])
    assert key_load_key(link_key) == H(vector["key_load_key"])


@pytest.mark.parametrize("vector", rows("install_code", "mistakes"))
def test_known_mistakes(vector: dict[str, str]) -> None:
    code = InstallCode.of(H(vector["code"]))
    mistakes = known_mistakes(code)
    assert {name: mistakes[name].hex() for name in vector if name != "code"} | {"code": vector["code"]} == vector
    assert code.link_key not in mistakes.values()
    assert len(set(mistakes.values())) == len(mistakes) == 5


def test_a_mistake_that_changes_nothing_is_not_listed() -> None:
    assert "code-reversed" not in known_mistakes(InstallCode.of(b"abccba"))


@pytest.mark.parametrize("vector", rows("install_code", "refused"))
def test_printed_codes_that_are_refused(vector: dict[str, str]) -> None:
    with pytest.raises(InstallCodeError) as refusal:
        InstallCode.parse(vector["printed"])
    assert (refusal.value.flaw, str(refusal.value)) == (Flaw(vector["flaw"]), vector["message"])


@pytest.mark.parametrize(
    "printed", [PRINTED, "83fed3407a932b70", "83-FE-D3-40-7A-93-2B-70", "83:fe:d3:40:7a:93:2b:70", f" {PRINTED}\n"]
)
def test_separators_and_case_do_not_matter(printed: str) -> None:
    assert InstallCode.parse(printed).printed == PRINTED


@pytest.mark.parametrize(("printed", "flaw", "message"), [
    ("0x83FED3407A932B70", Flaw.CHARACTERS, "character 2 is 'x'"),
    ("83FED3407A932B7O", Flaw.CHARACTERS, "character 16 is 'O'"),
    ("83FE\u2013D3407A932B70", Flaw.CHARACTERS, "character 5 is '\\u2013'"),
    ("\uff18\uff13FED3407A932B70", Flaw.CHARACTERS, "character 1 is '\\uff18'"),
    ("83FED3407A932B7", Flaw.ODD_DIGITS, "15 digits are an odd number"),
    ("", Flaw.LENGTH, "has 8, 10, 14 or 18 octets with its CRC, this one has 0 (0 hex digits)"),
    ("70", Flaw.LENGTH, "this one has 1 "),
    ("83FED3407A93", Flaw.LENGTH, "this one has 6 (12 hex digits); is its CRC missing"),
    ("66b6900981e1ee3ca4206b6b861c02bb", Flaw.LENGTH, "or is it a link key?"),
    ("83FED3407A932B71", Flaw.CRC, "it ends with 2B71, right is 2B70"),
    ("83FED3407A93702B", Flaw.CRC_ORDER, "an install code ends with 2B70"),
])
def test_what_is_wrong_is_said_in_one_line(printed: str, flaw: Flaw, message: str) -> None:
    with pytest.raises(InstallCodeError) as refusal:
        InstallCode.parse(printed)
    assert refusal.value.flaw is flaw
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_crc_of_two_equal_octets_has_no_wrong_order() -> None:
    codes = (InstallCode.of(number.to_bytes(6, "big")) for number in range(1 << 12))
    code = next(code for code in codes if code.octets[-1] == code.octets[-2])
    assert InstallCode.parse(code.octets) == code


def test_neither_repr_nor_refusal_shows_the_code() -> None:
    assert "83" not in repr(InstallCode.parse(PRINTED))
    with pytest.raises(InstallCodeError) as refusal:
        InstallCode.parse("83FED3407A932B71")
    assert "83" not in str(refusal.value)
    assert "7A93" not in str(refusal.value)


@pytest.mark.parametrize("length", set(range(20)) - set(CODE_LENGTHS))
def test_a_code_of_another_length_is_not_made(length: int) -> None:
    with pytest.raises(InstallCodeError) as refusal:
        InstallCode.of(bytes(length))
    assert refusal.value.flaw is Flaw.LENGTH
