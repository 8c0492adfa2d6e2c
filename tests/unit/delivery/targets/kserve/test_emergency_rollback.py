"""The rollback without a journal that can be written, read or found, in both modes on the API server in memory."""

import pytest

from builders.kserve_emergencies import emergencies
from builders.memory_cluster import MemoryServer


@pytest.mark.parametrize(("emergency", "mode"), emergencies(), ids=lambda one: getattr(one, "__name__", one))
def test_all_requests_go_to_stable_again(emergency, mode):
    emergency(MemoryServer(), mode)
