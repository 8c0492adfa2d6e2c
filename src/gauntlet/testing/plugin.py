"""pytest plugin: the assertions as fixtures. pytest loads it automatically where Gauntlet is installed.

``gauntlet``
    the assertions with the project's policy, on files beside the test:
    ``gauntlet.assert_features(build, "loans.parquet", time="applied_at")``.
``feature_property``
    one test for each property:
    ``def test_features(feature_property): feature_property(build, "loans.parquet")``.
``feature_policy``
    policy of both fixtures; override it in ``conftest.py``: ``return {"relative_tolerance": 1e-4}``.

Only pytest and the standard library are imported here: a test run without these fixtures is not slowed down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gauntlet.testing import assert_features, assert_matches_stored

if TYPE_CHECKING:
    from gauntlet.testing.subjects import Code, Rows

PROPERTIES = ("determinism", "one_row", "order", "point_in_time", "unseen", "nulls", "extremes", "parquet")
"""Values of ``Property``, which is not imported here: that would import pydantic into every test run."""


class Assertions:
    """Assertions of a test file.

    Args:
        folder: base of relative paths: the folder of the test file.
        policy: fields of ``PropertiesPolicy`` for every assertion about properties.
    """

    def __init__(self, folder: Path, policy: Mapping[str, Any]) -> None:
        self._folder = folder
        self._policy = dict(policy)

    def assert_features(self, code: Code, rows: Rows, **keywords: Any) -> None:
        """``gauntlet.testing.assert_features`` with the project's policy."""
        __tracebackhide__ = True
        assert_features(code, self._resolve(rows), **{**self._policy, **keywords})

    def assert_matches_stored(self, code: Code, raw: Rows, stored: Rows, **keywords: Any) -> None:
        """``gauntlet.testing.assert_matches_stored`` with files beside the test."""
        __tracebackhide__ = True
        assert_matches_stored(code, self._resolve(raw), self._resolve(stored), **keywords)

    def _resolve(self, rows: Rows) -> Rows:
        return self._folder / rows if isinstance(rows, str | Path) else rows


@pytest.fixture(scope="session")
def feature_policy() -> dict[str, Any]:
    """Fields of ``PropertiesPolicy`` for this project; override it in ``conftest.py``."""
    return {}


@pytest.fixture
def gauntlet(request: pytest.FixtureRequest, feature_policy: Mapping[str, Any]) -> Assertions:
    """The assertions of ``gauntlet.testing`` with the project's policy; files are found beside the test."""
    return Assertions(request.path.parent, feature_policy)


@pytest.fixture(params=PROPERTIES)
def feature_property(request: pytest.FixtureRequest, gauntlet: Assertions) -> Callable[..., None]:
    """Check of one property of feature code: call it with code, rows and the keywords of ``assert_features``."""

    def check(code: Code, rows: Rows, **keywords: Any) -> None:
        __tracebackhide__ = True
        if request.param == "point_in_time" and not keywords.get("time"):
            pytest.skip("no column of event times: pass time=…")
        gauntlet.assert_features(code, rows, only=[request.param], **keywords)

    return check
