"""What is locked is held against known advisories, and an audit that sees nothing is not taken for a clean one."""

import importlib.util
import stat
import sys
from datetime import date
from pathlib import Path

import pytest

PATH = Path(__file__).parents[3] / "containers" / "advisories.py"
spec = importlib.util.spec_from_file_location("advisories", PATH)
advisories = importlib.util.module_from_spec(spec)
sys.modules["advisories"] = advisories
spec.loader.exec_module(advisories)

TODAY = date(2026, 12, 1)
ENTRY = """
[[advisory]]
package = "PyArrow"
affected = ">=0.14,<14.0.1"
ids = ["CVE-2023-47248"]
summary = "Reading a file runs code."
checked = 2026-12-01
"""
ACCEPTED = ENTRY + 'accepted = {reason = "The hotfix is imported.", until = 2027-03-01}\n'


def listed(tmp_path, text):
    path = tmp_path / "advisories.toml"
    path.write_text(text)
    return advisories.read_list(path)


def test_every_lock_is_free_of_what_is_listed_or_it_is_accepted():
    held = {str(path): advisories.pins(path) for path in advisories.locks()}
    assert len(held) >= 9
    assert all(held.values())
    # The day of the newest entry: an acceptance that ends must stop `make lint`, not the tests of a commit of long ago.
    assert advisories.findings(advisories.read_list(), held, TODAY)[0] == []


@pytest.mark.parametrize(
    ("text", "version", "today", "fails"),
    [
        pytest.param(ENTRY, "10.0.1", TODAY, "Lift it, or accept it", id="not accepted"),
        pytest.param(ACCEPTED, "10.0.1", TODAY, None, id="accepted"),
        pytest.param(ACCEPTED, "10.0.1", date(2027, 3, 1), None, id="its last day"),
        pytest.param(ACCEPTED, "10.0.1", date(2027, 3, 2), "Accepted only until 2027-03-01", id="run out"),
        pytest.param(ENTRY, "14.0.0rc1", TODAY, "Lift it", id="a pre-release"),
    ],
)
def test_what_is_affected_fails_unless_it_is_accepted_today(tmp_path, text, version, today, fails):
    failing, accepted = advisories.findings(listed(tmp_path, text), {"a.lock": {"pyarrow": version}}, today)
    assert (len(failing), len(accepted)) == ((1, 0) if fails else (0, 1))
    assert (fails or "The hotfix is imported.") in (failing + accepted)[0]


def test_an_entry_that_affects_nothing_any_more_is_taken_out(tmp_path):
    with pytest.raises(advisories.ListError, match="CVE-2023-47248 affects nothing that is locked"):
        advisories.findings(listed(tmp_path, ENTRY), {"a.lock": {"pyarrow": "14.0.1"}}, TODAY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY.replace("ids", "id"), "advisory 1 has no ids"),
        (ENTRY.replace("2026-12-01", '"lately"'), "advisory 1 has no checked"),
        (ENTRY.replace(">=0.14,", "before "), "affected is 'before <14.0.1'"),
        (ENTRY + 'accepted = {reason = "We like it."}', "without a reason or a last day"),
        (ENTRY + "accepted = {until = 2027-01-01}", "without a reason or a last day"),
        (ENTRY + "accepted = true", "without a reason or a last day"),
        (ENTRY + 'severity = "low"', "unknown key severity"),
        ("[[advisory", "is not TOML"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, text, said):
    with pytest.raises(advisories.ListError, match=said):
        listed(tmp_path, text)


def test_pins_are_read_with_extras_markers_and_any_spelling(tmp_path):
    lock = tmp_path / "a.lock"
    lock.write_text('Py_Arrow==1.0 \\\n    --hash=sha256:00\nuvicorn[standard]==2.0 ; python_version > "3"\n# a==3\n')
    assert advisories.pins(lock) == {"py-arrow": "1.0", "uvicorn": "2.0"}


def answering(known):
    return lambda held: {name: frozenset(known.get(name, ())) for name in held}


SEEING = {name: ["CVE-0"] for name in advisories.CANARIES}


@pytest.mark.parametrize(
    ("ask", "found", "unchecked"),
    [
        pytest.param(answering(SEEING), [], [], id="none"),
        pytest.param(answering(SEEING | {"h11": ["CVE-1"]}), ["a.lock: h11 0.1: CVE-1."], [], id="found"),
        pytest.param(answering({}), [], ["finds nothing in jinja2 2.4.1"], id="an index without advisories"),
        pytest.param(answering(SEEING | {"pyyaml": []}), [], ["finds nothing in pyyaml 5.3"], id="one canary lives"),
        pytest.param(lambda held: None, [], ["finds nothing in jinja2"], id="no answer"),
        pytest.param(lambda held: {}, [], ["finds nothing in jinja2"], id="everything skipped"),
        pytest.param(
            lambda held: answering(SEEING)(held) if "pyyaml" in held else {}, [], ["not looked up: h11"], id="skipped"
        ),
        pytest.param(
            lambda held: answering(SEEING)(held) if "pyyaml" in held else None, [], ["gave no answer"], id="broken off"
        ),
    ],
)
def test_an_audit_is_believed_only_where_it_sees_what_is_known(ask, found, unchecked):
    said = advisories.audited({"a.lock": {"h11": "0.1"}}, [], TODAY, ask)
    assert said[0] == found
    assert len(said[1]) == len(unchecked)
    assert all(part in line for part, line in zip(unchecked, said[1], strict=True))


def test_what_is_accepted_is_not_found_again(tmp_path):
    held = {"a.lock": {"pyarrow": "10.0.1"}}
    ask = answering(SEEING | {"pyarrow": ["PYSEC-1", "CVE-2023-47248"]})
    assert advisories.audited(held, listed(tmp_path, ACCEPTED), TODAY, ask) == ([], [])
    assert len(advisories.audited(held, listed(tmp_path, ENTRY), TODAY, ask)[0]) == 1


SKIPPED = '{"dependencies": [{"name": "PyYAML", "skip_reason": "not found"}]}'
KNOWN = '{"dependencies": [{"name": "PyYAML", "version": "5.3", "vulns": [{"id": "P-1", "aliases": ["C-1"]}]}]}'


@pytest.mark.parametrize(
    ("printed", "read"),
    [(SKIPPED, {}), (KNOWN, {"pyyaml": {"P-1", "C-1"}}), ("Traceback", None), ("[]", None), ("{}", None)],
)
def test_pip_audits_answer_is_read_whatever_its_exit_status_is(tmp_path, printed, read):
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\necho 'No known vulnerabilities found' >&2\necho '{printed}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert advisories.pip_audit({"pyyaml": "5.3"}, [str(program)]) == read
    assert advisories.pip_audit({"pyyaml": "5.3"}, [str(tmp_path / "absent")]) is None
