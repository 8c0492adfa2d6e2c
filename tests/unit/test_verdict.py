import itertools
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import DataError
from gauntlet.verdict import Check, Status, Verdict, decide, read_verdicts, worst, write_verdicts

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def check(status: Status, name: str = "auc", gate: str = "gate") -> Check:
    numbers = {"measured": 0.8, "interval": (0.7, 0.9), "bound": 0.75, "sample_size": 100}
    return Check(name, status, "A sentence.", **numbers, code=f"{gate}.kind", subject=name)


@pytest.mark.parametrize(
    ("interval", "direction", "status"),
    [
        ((0.81, 0.90), "min", Status.PASS),
        ((0.80, 0.90), "min", Status.PASS),
        ((0.70, 0.79), "min", Status.FAIL),
        ((0.70, 0.90), "min", Status.INCONCLUSIVE),
        ((0.70, 0.79), "max", Status.PASS),
        ((0.70, 0.80), "max", Status.PASS),
        ((0.81, 0.90), "max", Status.FAIL),
        ((0.70, 0.90), "max", Status.INCONCLUSIVE),
        ((math.nan, 0.90), "min", Status.ERROR),
        ((0.70, math.nan), "max", Status.ERROR),
        ((-math.inf, math.inf), "min", Status.INCONCLUSIVE),
    ],
)
def test_an_interval_decides_only_when_it_lies_on_one_side(interval, direction, status):
    assert decide(interval, bound=0.8, direction=direction) is status


@given(finite, finite, finite)
def test_max_is_min_mirrored(one, other, bound):
    low, high = sorted((one, other))

    assert decide((low, high), bound=bound, direction="max") is decide((-high, -low), bound=-bound, direction="min")


def test_a_direction_must_be_named():
    with pytest.raises(ValueError, match="direction"):
        decide((0, 1), bound=0.5, direction="up")


@pytest.mark.parametrize(
    ("interval", "status"),
    [
        ((0.0, 0.1), Status.INCONCLUSIVE),
        ((0.0, 0.0), Status.FAIL),
        ((0.01, 0.1), Status.PASS),
        ((-1.0, 0.0), Status.FAIL),
    ],
)
def test_a_strict_bound_has_to_be_beaten(interval, status):
    assert decide(interval, bound=0.0, direction="min", strict=True) is status


def test_the_worst_status_wins_and_nothing_checked_is_an_error():
    order = [Status.PASS, Status.INCONCLUSIVE, Status.FAIL, Status.ERROR]
    for mild, severe in itertools.combinations(order, 2):
        assert worst([mild, severe, mild]) is severe
    assert worst([]) is Status.ERROR
    assert Verdict("gate", (), "Nothing was checked.").status is Status.ERROR


def test_a_verdict_survives_the_disk(tmp_path):
    verdict = Verdict("gate", (check(Status.PASS), check(Status.FAIL, "brier")), "One of two failed.", {"rows": 10})

    verdict.write(tmp_path / "verdict")

    assert Verdict.read(tmp_path / "verdict") == verdict
    assert json.loads((tmp_path / "verdict").read_text())["status"] == "fail"


def test_endless_intervals_survive_the_disk(tmp_path):
    nowhere = {"measured": math.nan, "interval": (-math.inf, math.inf)}
    endless = Check("x", Status.INCONCLUSIVE, "Too few rows.", **nowhere, code="gate.kind")

    Verdict("gate", (endless,), "s").write(tmp_path / "verdict")
    back = Verdict.read(tmp_path / "verdict").checks[0]

    assert back.interval == (-math.inf, math.inf)
    assert back.measured is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"status": "fail"', '"status": "pass"', 1),
        lambda text: text.replace("gauntlet.verdict/1", "gauntlet.verdict/9"),
        lambda text: "[]",
    ],
    ids=["truncated", "contradicting", "other format", "not a verdict"],
)
def test_a_damaged_verdict_is_refused(tmp_path, damage):
    Verdict("gate", (check(Status.FAIL),), "s").write(tmp_path / "verdict")
    (tmp_path / "verdict").write_text(damage((tmp_path / "verdict").read_text()))

    with pytest.raises(DataError, match="is not a verdict"):
        Verdict.read(tmp_path / "verdict")


def test_several_verdicts_survive_the_disk_and_one_is_read_alike(tmp_path):
    several = [
        Verdict(gate, (check(status, gate=gate),), "A sentence.")
        for gate, status in (("a", Status.PASS), ("b", Status.FAIL))
    ]
    write_verdicts(tmp_path / "several", several)
    assert read_verdicts(tmp_path / "several") == tuple(several)
    several[1].write(tmp_path / "one")
    assert read_verdicts(tmp_path / "one") == (several[1],)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "gauntlet.verdicts/1", "verdicts": [{"status": "pass"}]}'])
def test_what_holds_no_verdicts_is_refused(text, tmp_path):
    (tmp_path / "broken").write_text(text)
    with pytest.raises(DataError, match="broken: is not a verdict"):
        read_verdicts(tmp_path / "broken")


def test_a_collected_verdict_that_contradicts_its_checks_is_refused(tmp_path):
    write_verdicts(tmp_path / "forged", [Verdict("gate", (check(Status.FAIL),), "A sentence.")])
    text = (tmp_path / "forged").read_text()
    (tmp_path / "forged").write_text(text.replace('"fail"', '"pass"', 1))
    with pytest.raises(DataError):
        read_verdicts(tmp_path / "forged")


def test_severity_orders_checks_and_decides_the_worst():
    checks = [check(status, status.value) for status in (Status.PASS, Status.FAIL, Status.ERROR, Status.INCONCLUSIVE)]
    ordered = Verdict("gate", (*checks, check(Status.FAIL, "another")), "A sentence.").worst_first
    assert [one.name for one in ordered] == ["error", "fail", "another", "inconclusive", "pass"]
    assert worst(one.status for one in checks) is Status.ERROR
    assert worst([Status.PASS, Status.NOT_ASKED]) is Status.PASS
    assert worst([Status.NOT_ASKED]) is Status.NOT_ASKED


def test_what_is_enforced_is_what_was_asked_for(tmp_path):
    asked, unasked = check(Status.INCONCLUSIVE), replace(check(Status.FAIL, "another"), advisory=True)
    both = Verdict("gate", (asked, unasked), "A sentence.")
    assert both.status is Status.FAIL
    assert both.enforceable is Status.INCONCLUSIVE
    both.write(tmp_path / "verdict")
    assert Verdict.read(tmp_path / "verdict") == both
    assert Verdict("gate", (unasked,), "A sentence.").enforceable is Status.NOT_ASKED
    assert Verdict("gate", (), "Nothing was checked.").enforceable is Status.ERROR


@pytest.mark.parametrize(
    "code", ["", "gate", "Gate.kind", "gate.Kind", "gate.kind.", ".kind", "gate.sex=female", "g.k 1"]
)
def test_a_check_says_in_code_what_kind_of_finding_it_is(code):
    with pytest.raises(ValueError, match="the code of a check is"):
        Check("auc", Status.PASS, "A sentence.", code=code)
    with pytest.raises(TypeError, match="code"):
        Check("auc", Status.PASS, "A sentence.")


def test_a_gate_gives_no_check_with_another_gates_code():
    with pytest.raises(ValueError, match=r"gate gives no check with the code 'gate_two\.kind'"):
        Verdict("gate", (check(Status.PASS), check(Status.PASS, gate="gate_two")), "A sentence.")


def test_the_code_and_the_subject_are_in_the_file(tmp_path):
    Verdict("gate", (check(Status.FAIL),), "s").write(tmp_path / "verdict")
    (found,) = json.loads((tmp_path / "verdict").read_text())["checks"]
    assert (found["code"], found["subject"]) == ("gate.kind", "auc")


@pytest.mark.parametrize("code", [{"code": ""}, {}], ids=["empty", "absent"])
def test_verdicts_from_before_every_check_had_a_code_are_still_read(tmp_path, code):
    Verdict("gate", (check(Status.FAIL),), "s").write(tmp_path / "verdict")
    document = json.loads((tmp_path / "verdict").read_text())
    document["checks"] = [
        {key: value for key, value in one.items() if key != "code"} | code for one in document["checks"]
    ]
    (tmp_path / "verdict").write_text(json.dumps(document))
    (found,) = Verdict.read(tmp_path / "verdict").checks
    assert (found.code, found.status, found.name) == ("gate.unknown", Status.FAIL, "auc")


def test_a_code_that_is_none_is_a_damaged_verdict(tmp_path):
    Verdict("gate", (check(Status.FAIL),), "s").write(tmp_path / "verdict")
    for damage in ("other.kind", "gate"):
        (tmp_path / "damaged").write_text((tmp_path / "verdict").read_text().replace("gate.kind", damage))
        with pytest.raises(DataError, match="is not a verdict"):
            Verdict.read(tmp_path / "damaged")
