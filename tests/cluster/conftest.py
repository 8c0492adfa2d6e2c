"""One API server for all tests here; each gets a namespace of its own."""

import pytest

from builders.cluster import ApiServer, missing_tools


@pytest.fixture(scope="session")
def api():
    if reason := missing_tools():
        pytest.skip(reason)
    with ApiServer() as server:
        server.install()
        yield server


@pytest.fixture
def namespace(api):
    return api.namespace()
