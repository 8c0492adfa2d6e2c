"""A model version in a predictor, and merge patches."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.kserve_rollouts import V1, V2
from builders.memory_cluster import merged
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import begin
from gauntlet.delivery.targets.kserve.predictors import (
    Identity,
    difference,
    identity_of,
    mark_of,
    marked,
    release_in,
    with_percent,
    with_release,
)
from gauntlet.errors import DependencyError

PREDICTOR = {
    "minReplicas": 2,
    "model": {"runtime": "gauntlet-serving", "env": [{"name": "LOG", "value": "debug"}], "resources": {"limits": {}}},
}
# RFC 7386 cannot say that a value is null, so documents here have none, as Kubernetes' have.
DOCUMENTS = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


def test_a_release_is_put_in_and_found_again():
    predictor = with_release(PREDICTOR, V2)
    assert release_in(predictor) == V2
    assert predictor["model"]["env"][0] == {"name": "LOG", "value": "debug"}
    assert predictor["minReplicas"] == 2
    assert with_release(with_release(PREDICTOR, V1), V2) == predictor
    assert "storageUri" not in PREDICTOR["model"], "the one given stays as it is"


def test_a_new_version_at_the_same_place_is_another_template():
    overwritten = Release("2", V2.digest, V1.uri)
    assert with_release(PREDICTOR, V1) != with_release(PREDICTOR, overwritten)


def test_the_runtime_is_always_pinned():
    bare = {"model": {"modelFormat": {"name": "mlflow"}}}
    assert with_release(bare, V1, "chosen-by-kserve")["model"]["runtime"] == "chosen-by-kserve"
    assert with_release(PREDICTOR, V1, "chosen-by-kserve")["model"]["runtime"] == "gauntlet-serving"
    with pytest.raises(DependencyError, match="names no runtime"):
        with_release(bare, V1)
    with pytest.raises(DependencyError, match="has no model"):
        with_release({"sklearn": {}}, V1)


def test_a_copy_is_another_template_with_the_same_model():
    plain = with_release(PREDICTOR, V1)
    rollout = begin("ml/loans", V2, V1, 1732371234.0, "mended")
    copied = marked(plain, mark_of("after", rollout))
    assert identity_of(copied) == Identity("1", V1.digest, "after version 2 (1732371234 mended)")
    assert identity_of(copied).runs(V1)
    assert identity_of(copied) != identity_of(plain)
    assert with_release(copied, V1) == plain, "the next release has no mark"


def test_what_does_not_say_which_version_it_is_has_no_identity():
    assert identity_of(PREDICTOR) is None
    assert identity_of({"sklearn": {}}) is None
    assert release_in({"model": {"env": with_release(PREDICTOR, V1)["model"]["env"]}}) is None


def test_a_share_is_set_and_removed():
    assert with_percent({"a": 1}, 0) == {"a": 1, "canaryTrafficPercent": 0}
    assert with_percent({"a": 1, "canaryTrafficPercent": 0}, None) == {"a": 1}


@given(st.dictionaries(st.sampled_from("abcd"), DOCUMENTS), st.dictionaries(st.sampled_from("abcd"), DOCUMENTS))
def test_a_difference_makes_one_document_the_other(before, after):
    patch = difference(before, after)
    assert merged(before, json.loads(json.dumps(patch))) == after
    assert difference(before, before) == {}
