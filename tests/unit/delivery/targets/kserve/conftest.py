"""Assertions in shared scenarios explain themselves as those in tests do."""

import pytest

pytest.register_assert_rewrite("builders.kserve_scenarios", "builders.kserve_rollouts")
