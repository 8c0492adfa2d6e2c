from __future__ import annotations

import hypothesis_profiles

hypothesis_profiles.register()


def pytest_sessionstart() -> None:
    hypothesis_profiles.draw_the_same_everywhere()
