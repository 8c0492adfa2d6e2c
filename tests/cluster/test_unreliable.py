"""Every fault that the proxy can make is seen by a client, and the server has done what the fault says it has."""

import itertools
import ssl
import threading
import time

import pytest
import urllib3
from kubernetes import client, watch
from kubernetes.client.rest import ApiException

from builders.unreliable import Fault, UnreliableProxy

pytestmark = pytest.mark.cluster

RULES = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]
BROKEN = (urllib3.exceptions.ProtocolError, urllib3.exceptions.MaxRetryError)
PATIENT, IMPATIENT = (30.0, 30.0), (30.0, 0.5)  # seconds to connect and to answer; a bare fraction is no limit at all


@pytest.fixture
def proxy(api):
    with UnreliableProxy(
        api.url, authority=api.authority, certificate=api.certificate("proxy"), silence=30, retry_after=7
    ) as proxy:
        yield proxy


@pytest.fixture
def maps(api, namespace, proxy):
    """ConfigMaps through the proxy, by a client that never tries again by itself."""
    token = api.service_account(namespace, "delivery", RULES)
    configuration = api.client(token, url=proxy.url).configuration
    configuration.retries = False
    return client.CoreV1Api(client.ApiClient(configuration))


@pytest.fixture
def write(maps, namespace):
    names = itertools.count()

    def write(timeout=PATIENT):
        body = {"metadata": {"name": f"state-{next(names)}"}}
        return maps.create_namespaced_config_map(namespace, body, _request_timeout=timeout)

    return write


@pytest.fixture
def written(api, namespace):
    def written():
        found = api.request("GET", f"/api/v1/namespaces/{namespace}/configmaps")["items"]
        return [item["metadata"]["name"] for item in found]

    return written


def wait_until(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert holds()


def test_without_a_fault_everything_passes(proxy, maps, write, written, namespace):
    write()
    assert written() == ["state-0"]
    assert [item.metadata.name for item in maps.list_namespaced_config_map(namespace).items] == ["state-0"]
    with pytest.raises(ApiException, match="not found"):
        maps.read_namespaced_config_map("other", namespace)
    assert [(item.method, item.fault) for item in proxy.passed] == [("POST", None), ("GET", None), ("GET", None)]


@pytest.mark.parametrize(("fault", "status"), [(Fault.CONFLICT, 409), (Fault.THROTTLED, 429), (Fault.ERROR, 500)])
def test_a_refusal_is_an_answer_and_nothing_is_done(proxy, write, written, fault, status):
    proxy.next(fault)
    with pytest.raises(ApiException) as refused:
        write()
    assert refused.value.status == status
    assert refused.value.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert written() == []
    write()
    assert written() == ["state-1"]


@pytest.mark.parametrize(("fault", "done"), [(Fault.LOST_REQUEST, []), (Fault.LOST_ANSWER, ["state-0"])])
def test_a_broken_connection_does_not_say_whether_it_was_done(proxy, write, written, fault, done):
    proxy.next(fault)
    with pytest.raises(BROKEN):
        write()
    assert written() == done


@pytest.mark.parametrize(("fault", "done"), [(Fault.SILENT_REQUEST, []), (Fault.SILENT_ANSWER, ["state-0"])])
def test_silence_does_not_say_whether_it_was_done(proxy, write, written, fault, done):
    proxy.next(fault)
    with pytest.raises((urllib3.exceptions.ReadTimeoutError, urllib3.exceptions.MaxRetryError)):
        write(IMPATIENT)
    wait_until(lambda: written() == done)


def test_an_answer_can_break_off(proxy, maps, write, namespace):
    write()
    proxy.next(Fault.CUT, method="GET")
    with pytest.raises((urllib3.exceptions.ProtocolError, ValueError)):
        maps.list_namespaced_config_map(namespace)


def test_a_watch_can_break_off_after_its_first_event(proxy, maps, write, namespace):
    write()
    write()
    proxy.next(Fault.CUT, method="GET")
    seen = []
    with pytest.raises(urllib3.exceptions.ProtocolError):
        seen.extend(watch.Watch().stream(maps.list_namespaced_config_map, namespace, timeout_seconds=20))
    assert seen[0]["type"] == "ADDED"
    # The next one sees all, also what is made while it runs.
    names = set()
    later = threading.Timer(0.2, write)
    later.start()
    for event in watch.Watch().stream(maps.list_namespaced_config_map, namespace, timeout_seconds=20):
        names.add(event["object"].metadata.name)
        if len(names) == 3:
            break
    later.join()
    assert names == {"state-0", "state-1", "state-2"}


def test_an_outage_breaks_what_is_open_and_what_comes(proxy, maps, write, written, namespace):
    broken = threading.Event()

    def watch_on():
        try:
            for _ in watch.Watch().stream(maps.list_namespaced_config_map, namespace, timeout_seconds=30):
                pass
        except BROKEN:
            broken.set()

    watcher = threading.Thread(target=watch_on, daemon=True)
    watcher.start()
    wait_until(lambda: proxy.passed)
    with proxy.down():
        assert broken.wait(10)
        with pytest.raises(BROKEN):
            write()
    write()
    assert written() == ["state-1"]
    watcher.join(10)


def test_a_planned_fault_waits_for_the_request_it_fits(proxy, maps, write, namespace):
    proxy.next(Fault.ERROR, method="DELETE", part="/configmaps/state-0", times=2)
    write()
    for _ in range(2):
        with pytest.raises(ApiException, match="500"):
            maps.delete_namespaced_config_map("state-0", namespace)
    maps.delete_namespaced_config_map("state-0", namespace)
    faults = [item.fault for item in proxy.passed]
    assert faults == [None, Fault.ERROR, Fault.ERROR, None]


def faults_of(seed):
    proxy = UnreliableProxy("http://127.0.0.1:9", seed=seed)
    proxy.rates = {Fault.CONFLICT: 0.2, Fault.THROTTLED: 0.1, Fault.LOST_ANSWER: 0.1}
    drawn = [proxy.befalling(method, "/api") for method in ["GET", "PATCH"] * 200]
    proxy._server.server_close()
    return drawn


def test_a_seed_tells_the_faults_and_a_conflict_befalls_writes_only():
    drawn = faults_of(1)
    assert drawn == faults_of(1)
    assert drawn != faults_of(2)
    assert Fault.CONFLICT in drawn[1::2]
    assert Fault.CONFLICT not in drawn[::2]
    assert set(drawn) == {None, Fault.CONFLICT, Fault.THROTTLED, Fault.LOST_ANSWER}


def test_nobody_is_let_in_by_a_certificate_through_the_proxy(api, proxy, namespace):
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(api.client(url=proxy.url)).list_namespaced_config_map(namespace)
    assert refused.value.status == 401


def test_the_proxy_is_who_it_says(proxy):
    context = ssl.create_default_context()  # which doesn't know the authority
    with urllib3.PoolManager(ssl_context=context) as pool, pytest.raises(urllib3.exceptions.MaxRetryError, match="SSL"):
        pool.request("GET", proxy.url, retries=0)
