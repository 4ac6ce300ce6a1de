"""Device and bench files: what they say, and that everything wrong in them is one line that names the place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import yaml

from harness.cim_profile import CimProfile
from harness.crypto.ecqv import TEST_CA
from harness.declarations import Device, read_bench, read_device
from harness.errors import InputError
from harness.pics import PROFORMA
from harness.usecase import Actor
from harness.values import DeviceType, Eui64

ROOT = Path(__file__).resolve().parents[2]
CODE, LINK_KEY = "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5", "66b6900981e1ee3ca4206b6b861c02bb"  # AN708, clause 12
DEVICE = f"""name: pct
type: pct
pics:
  price: yes
  sleepy: unset
pixit:
  eui64: 00:12:4b:00:01:02:03:04
  install_code: {CODE}
"""
BENCH = """name: bench
devices: [pct.yaml]
dut: [NIC, ESI]
seed: 7
epoch: 2026-01-15T12:00:00Z
window: {start: 60, duration: 900}
latencies: {cim: 0.5, 3: 2}
adapters:
  ESI: a.b:C
  NIC: {adapter: "a.b:D", port: /dev/ttyUSB0}
"""


def device(folder: Path, text: str = DEVICE) -> Device:
    (folder / "pct.yaml").write_text(text)
    return read_device(folder / "pct.yaml")


def test_a_device_file_says_what_is_claimed_and_how_to_run_it(tmp_path: Path) -> None:
    read = device(tmp_path)
    assert (read.device_type, str(read.eui64), read.key_form) == (DeviceType.PCT, "00124b0001020304", "install_code")
    assert dict(read.pics) == {"price": True, "sleepy": None}
    assert read.link_key.hex() == LINK_KEY
    assert read.confidential == ()
    assert "83fe" not in repr(read).lower()


def test_key_material_from_file_or_environment_is_confidential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").write_text(CODE + "\n")
    monkeypatch.setenv("ITS_KEY", LINK_KEY)
    by_file = device(tmp_path, DEVICE.replace(f"install_code: {CODE}", "install_code: {file: code}"))
    by_name = device(tmp_path, DEVICE.replace(f"install_code: {CODE}", "link_key: {env: ITS_KEY}"))
    assert [len(secret) for secret in by_file.confidential] == [18, 16]
    assert by_name.confidential == (by_file.link_key,)


@pytest.mark.parametrize(("change", "to", "line", "said"), [
    ("type: pct", "type: fridge", 2, "type: 'fridge' is not known; right would be one of pct, load_control"),
    ("name: pct\n", "", 1, "name: is missing"),
    ("price: yes", "price: maybe", 4, "pics.price: 'maybe' is not known; right would be one of yes, no, unset"),
    ("price: yes", "prize: yes", 4, "pics.prize: there is no such PICS item; right would be one of joins_by_itself"),
    ("price: yes", "price: [yes]", 4, "pics.price: is not a single value"),
    ("sleepy: unset", "price: no", 5, "pics.price: is there twice"),
    ("00:12:4b", "00:12", 7, "pixit.eui64: an EUI-64 has 16 hex digits"),
    ("C3B5", "B5C3", 8, "pixit.install_code: the CRC of this install code is right but in the wrong order"),
    (f"install_code: {CODE}", "link_key: 1234", 8, "pixit.link_key: has 2 octets; right would be 16 octets in hex"),
    (f"install_code: {CODE}", "link_key: {env: NO_SUCH}", 8, "pixit.link_key.env: the environment has no 'NO_SUCH'"),
    (f"install_code: {CODE}", "link_key: {file: nix}", 8, "pixit.link_key.file: "),
    (f"install_code: {CODE}", "ca: 12", 7, "pixit: install_code and link_key: one of them"),
    ("pixit:", "certificate: 12\npixit:", 6, "certificate: there is no such field; right would be one of name, type"),
    ("  eui64", "  ca: 12\n  eui64", 7, "pixit: ca without certificate, private_key"),
    ("pics:\n  price: yes\n  sleepy: unset\n", "pics: 12\n", 3, "pics: has no fields"),
    ("name: pct", "name: {", 3, "not YAML"),
])
def test_what_is_wrong_in_a_device_file_is_named(tmp_path: Path, change: str, to: str, line: int, said: str) -> None:
    assert change in DEVICE
    with pytest.raises(InputError) as raised:
        device(tmp_path, DEVICE.replace(change, to))
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}/pct.yaml:{line}: ")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (b"\xff\xfe", "not a text file"), (None, "cannot be read")])
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "pct.yaml").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_device(tmp_path / "pct.yaml")


def test_a_bench_file_says_who_fills_which_role(tmp_path: Path) -> None:
    device(tmp_path)
    (tmp_path / "bench.yaml").write_text(BENCH)
    bench = read_bench(tmp_path / "bench.yaml")
    assert bench.dut == (Actor.NIC, Actor.ESI)
    assert bench.adapters[Actor.NIC].adapter == "a.b:D"
    assert bench.adapters[Actor.NIC].options == {"port": "/dev/ttyUSB0"}
    assert dict(bench.latencies) == {"cim": 0.5, "3": 2.0}
    order = bench.order(bench.devices[0])
    assert (order.start, order.end, order.key_form) == (60, 960, "install_code")
    claims = bench.claims(bench.devices[0])
    assert claims.keys() == PROFORMA.keys()
    assert (claims["price"], claims["router"]) == (True, None)


def test_a_bench_says_how_it_wants_its_cim_messages(tmp_path: Path) -> None:
    device(tmp_path)
    (tmp_path / "bench.yaml").write_text(BENCH)
    assert read_bench(tmp_path / "bench.yaml").cim == CimProfile()
    (tmp_path / "bench.yaml").write_text(BENCH + "cim: {envelope: 2008, form: generic, premise: Premise Number, joined: In}\n")
    profile = CimProfile("2008", "generic", premise="Premise Number", joined="In")
    assert read_bench(tmp_path / "bench.yaml").cim == profile
    assert CimProfile.of(profile.as_dict()) == profile


def test_a_bench_can_order_link_keys(tmp_path: Path) -> None:
    device(tmp_path)
    (tmp_path / "bench.yaml").write_text(BENCH + "key_form: link_key\n")
    bench = read_bench(tmp_path / "bench.yaml")
    order = bench.order(bench.devices[0])
    assert (order.key_form, order.key_material.hex()) == ("link_key", LINK_KEY)


@pytest.mark.parametrize(("change", "to", "line", "said"), [
    ("[NIC, ESI]", "[NIC, HAN Device]", 3, "dut: NIC, HAN Device are not adjacent"),
    ("[NIC, ESI]", "[ESI, ESI]", 3, "dut: "),
    ("[NIC, ESI]", "[Meter]", 3, "dut[0]: 'Meter' is not known; right would be one of DR Application"),
    ("seed: 7", "seed: -1", 4, "seed: -1 is negative"),
    ("12:00:00Z", "12:00:00", 5, "epoch: has no zone"),
    ("duration: 900", "duration: 0", 6, "window.duration: 0 is out of range; right would be a number from 1"),
    ("start: 60", "start: soon", 6, "window.start: 'soon' is no number"),
    ("start: 60", "start: nan", 6, "window.start: nan is out of range"),
    ("start: 60", "start: 1e30", 6, "window.start: 1e+30 is out of range; right would be a number from 0 to 31622400"),
    ("duration: 900", "duration: 1e30", 6, "window.duration: 1e+30 is out of range"),
    ("cim: 0.5", "cim: 1e30", 7, "latencies.cim: 1e+30 is out of range"),
    ("2026-01-15T", "1999-12-31T", 5, "epoch: 1999-12-31T12:00:00Z is out of range; right would be an instant from 2000"),
    ("2026-01-15T", "2100-01-01T", 5, "epoch: 2100-01-01T12:00:00Z is out of range"),
    ("seed: 7", "seed: 7\nmeter: ''", 5, "meter: '' is no line of text"),
    ("seed: 7", "seed: 7\npremise: \"a\\0b\"", 5, "premise: 'a\\x00b' is no line of text"),
    ("seed: 7", "cim: 2008", 4, "cim: has no fields"),
    ("seed: 7", "cim: {envelope: 2007}", 4, "cim.envelope: '2007' is not known; right would be one of 2008, 2011, 2018"),
    ("seed: 7", "cim: {form: types}", 4, "cim.form: 'types' is not known; right would be one of typed, generic"),
    ("seed: 7", "cim: {binding: soap}", 4, "cim.binding: 'soap' is not known; right would be one of xml, soap11, soap12"),
    ("seed: 7", "cim: {pattern: slow}", 4, "cim.pattern: 'slow' is not known; right would be one of synchronous, "),
    ("seed: 7", "cim: {device_code: 19}", 4, "cim.device_code: '19' is not known; right would be one of specific, generic"),
    ("seed: 7", "cim: {joined: ''}", 4, "cim.joined: '' is no line of text"),
    ("seed: 7", "cim:\n  form: typed\n  status: Joined", 6, "cim.status: there is no such field; right would be one of envelope"),
    ("seed: 7", "cim: {mac: Name, meter: Name}", 4, "cim: mac and meter are both 'Name'; right would be a name type of its own"),
    ("3: 2", "5: 2", 7, "latencies.5: there is no such field"),
    ("ESI: a.b:C", "ESA: a.b:C", 9, "adapters.ESA: there is no such actor"),
    ("ESI: a.b:C", "ESI: a.b", 9, "adapters.ESI: 'a.b' names no class"),
    ("[pct.yaml]", "[pct.yaml, pct.yaml]", 2, "devices: no device, or two of one name"),
    ("name: bench", "name: bench\nspeed: 1", 2, "speed: there is no such field"),
])
def test_what_is_wrong_in_a_bench_file_is_named(tmp_path: Path, change: str, to: str, line: int, said: str) -> None:
    device(tmp_path)
    assert change in BENCH
    (tmp_path / "bench.yaml").write_text(BENCH.replace(change, to))
    with pytest.raises(InputError) as raised:
        read_bench(tmp_path / "bench.yaml")
    assert str(raised.value).startswith(f"{tmp_path}/bench.yaml:{line}: ")
    assert said in str(raised.value)


def test_a_wrong_device_of_a_bench_is_named_by_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "bench.yaml").write_text(BENCH)
    with pytest.raises(InputError, match=r"bench\.yaml:2: devices\[0\]: 'pct\.yaml' is no file"):
        read_bench(tmp_path / "bench.yaml")
    (tmp_path / "pct.yaml").write_text("name: pct\n")
    with pytest.raises(InputError, match=r"pct\.yaml:1: type: is missing"):
        read_bench(tmp_path / "bench.yaml")


CREDENTIALS = TEST_CA.issue(Eui64(0x00124B0001020304), Random(5))
OTHERS = TEST_CA.issue(Eui64(0x00124B0001020304), Random(6))


@pytest.mark.parametrize(("certificate", "private_key", "said"), [
    (CREDENTIALS.certificate, CREDENTIALS.private_key, ""),
    (CREDENTIALS.certificate, OTHERS.private_key, "pixit.certificate: certificate, private_key and ca do not belong together"),
    (CREDENTIALS.certificate, 0, "pixit.certificate: "),
    (bytes(48), CREDENTIALS.private_key, "pixit.certificate: was issued to 0000000000000000"),
    (b"\x02" + b"\xff" * 21 + CREDENTIALS.certificate[22:], CREDENTIALS.private_key, "pixit.certificate: "),
])
def test_credentials_that_no_key_can_come_of_are_refused(
    tmp_path: Path, certificate: bytes, private_key: int, said: str,
) -> None:
    fields = f"certificate: {certificate.hex()}\n  private_key: {private_key:042x}\n  ca: {TEST_CA.public_key.hex()}"
    text = f"{DEVICE}  {fields}\n"
    if not said:
        assert device(tmp_path, text).certificate == certificate
        return
    with pytest.raises(InputError) as raised:
        device(tmp_path, text)
    assert said in str(raised.value)
    assert f"{private_key:x}" not in str(raised.value) or not private_key


WRONG = (
    "", "x y", "-1", "1e999", "[]", "{a: b}", '"\\0"', '"a\\nb"', "*nope", "&a [*a]", "@x", "\t", "x" * 5000, '"\\ud800"', "{file: .}",
    '{file: "\\0"}', '{env: "="}', "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B4", "83FED3407A939723A5C639B26916D505", "!!binary eA==",
)
LINES = ("? [a, b]\n: c\n", "? \n: c\n", "<<: {a: b}\n", "---\n", "\x07\n", "83FED3407A939723A5C639B26916D505: x\n", " x\n")


def mutations(text: str) -> Iterator[str]:
    """A file with each of its values replaced by each of the wrong ones, and each wrong line before each of its lines."""
    whole = yaml.compose(text, Loader=yaml.SafeLoader)
    nodes = [whole] if whole is not None else []
    while nodes:
        node = nodes.pop()
        start, end = node.start_mark.index, node.end_mark.index
        yield from (text[:start] + wrong + text[end:] for wrong in WRONG)
        if isinstance(node, yaml.MappingNode):
            nodes += [each for pair in node.value for each in pair]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
    rows = text.splitlines(keepends=True)
    for place in range(len(rows)):
        yield "".join(rows[:place] + rows[place + 1:])
        yield from ("".join([*rows[:place], line, *rows[place:]]) for line in LINES)


@pytest.mark.parametrize(("text", "read"), [(DEVICE, read_device), (BENCH, read_bench)])
def test_whatever_is_wrong_is_one_line_that_shows_no_key(
    tmp_path: Path, text: str, read: Callable[[Path], object],
) -> None:
    device(tmp_path)
    form = re.compile(r"/(changed|pct)\.yaml:\d+: [^\n]*; right would be [^\n]+")
    refused = 0
    for changed in mutations(text):
        (tmp_path / "changed.yaml").write_bytes(changed.encode("utf-8", "surrogatepass"))
        try:
            read(tmp_path / "changed.yaml")
        except InputError as fault:
            said = str(fault)
            refused += 1
            assert form.search(said), said
            assert len(said) < 600 + len(str(tmp_path))
            assert not re.search("D340|7A93", said), said
            said.encode()  # no half of a surrogate pair: it could not be shown
    assert refused > 300


@pytest.mark.parametrize(("text", "said"), [
    ("[" * 100_000, "nests too deep"), ("name: pct\n" * 40_000, "has more than 262144 octets"),
    ("a: &a [x, x]\n" + "".join(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghijkl")),
     "name: is missing"),  # each calls the one before nine times over; nobody expands them
])
def test_a_file_made_to_harm_its_reader_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        device(tmp_path, text)


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", ".hidden", "x" * 41, "", "two words", "caf\u00e9", '"a\\nb"'])
def test_a_device_is_named_as_a_folder_can_be(tmp_path: Path, name: str) -> None:
    """Its scenarios lie in folders of that name."""
    with pytest.raises(InputError, match=r"pct\.yaml:1: name: .* is no name; right would be one word"):
        device(tmp_path, DEVICE.replace("name: pct", f"name: {name}"))


def test_the_benches_that_come_with_the_harness_are_right() -> None:
    for path in sorted((ROOT / "fixtures" / "benches").glob("*.yaml")):
        bench = read_bench(path)
        assert bench.devices
    virtual = read_bench(ROOT / "fixtures" / "benches" / "virtual.yaml")
    assert {each.device_type for each in virtual.devices} == set(DeviceType)
    assert set(virtual.adapters) == set(Actor)
