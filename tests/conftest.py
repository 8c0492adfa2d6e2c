from __future__ import annotations

import pytest

import hypothesis_profiles
import tiers

hypothesis_profiles.register()


def pytest_sessionstart() -> None:
    hypothesis_profiles.draw_the_same_everywhere()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tiers.leave_out(config, items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if sentence := tiers.say_what_was_left_out(config):
        terminalreporter.write_line(sentence)
