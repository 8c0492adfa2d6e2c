import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.repository
def test_the_settings_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("settings_page", ROOT / "docs" / "settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert (ROOT / "docs" / "settings.md").read_text() == module.page(), "run make docs"


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/security.md", "containers/README.md"]
)
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())

    for link in links:
        assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.repository
def test_the_tests_that_the_security_page_names_exist():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text()))
    found = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 15
    assert named - found == set()


def test_the_architecture_page_lists_every_component():
    page = (ROOT / "docs" / "architecture.md").read_text()
    components = [path.stem for path in (ROOT / "components").glob("*/*.py")]

    assert components
    for name in components:
        assert f"`{name}`" in page, name
