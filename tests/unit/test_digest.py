import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.digest import digest_bytes, digest_file, digest_json, digest_tree, short


def test_a_file_and_its_bytes_have_one_digest(tmp_path):
    content = b"gauntlet" * 300_000
    (tmp_path / "x").write_bytes(content)

    assert digest_file(tmp_path / "x") == digest_bytes(content) == "sha256:" + hashlib.sha256(content).hexdigest()


def test_a_tree_digest_depends_on_names_and_content_alone(tmp_path):
    for root in ("a", "elsewhere/b"):
        folder = tmp_path / root / "part"
        folder.mkdir(parents=True)
        (folder / "0").write_text("zero")
        (tmp_path / root / "top").write_text("top")
    first, second = tmp_path / "a", tmp_path / "elsewhere/b"
    assert digest_tree(first) == digest_tree(second)

    (second / "top").rename(second / "renamed")
    assert digest_tree(first) != digest_tree(second)


def test_a_tree_digest_can_leave_files_out(tmp_path):
    (tmp_path / "kept").write_text("kept")
    before = digest_tree(tmp_path)
    (tmp_path / "note").write_text("note")

    assert digest_tree(tmp_path) != before
    assert digest_tree(tmp_path, keep=lambda name: name != "note") == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, min_size=2))
def test_key_order_does_not_matter(value):
    assert digest_json(value) == digest_json(dict(reversed(value.items())))


def test_nan_has_no_digest():
    with pytest.raises(ValueError, match="Out of range float"):
        digest_json({"x": float("nan")})


def test_short_digests_are_for_people():
    assert short("sha256:0123456789abcdef") == "0123456789ab"
