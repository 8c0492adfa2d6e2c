"""What each answer of an API server means to whoever asked, and which are asked for again."""

import json

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ProtocolError

from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.targets.kserve.api import Api, Refused, connect
from gauntlet.delivery.targets.kserve.resources import INFERENCE_SERVICES
from gauntlet.errors import ConfigurationError, DependencyError, InternalError

OBJECT_ABSENT = {"reason": "NotFound", "message": "not found", "details": {"name": "loans"}}


class Client:
    """A client whose server has its answers ready: a status, or an exception, each."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def call_api(self, path, method, **options):
        self.asked.append((method, path, options))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer, 200, {}


def refusal(status, body="", headers=None):
    error = ApiException(status=status, reason="said no")
    error.body = json.dumps(body) if isinstance(body, dict) else body
    error.headers = headers or {}
    return error


def api(*answers, slept=None):
    client = Client(*answers)
    return Api(client, sleep=(slept if slept is not None else []).append, draw=lambda: 0.0), client


def patch(one):
    return one.patch(INFERENCE_SERVICES, "ml", "loans", "7", {"spec": {"a": None}})


def test_a_patch_carries_the_version_it_was_made_for_and_nulls():
    one, client = api({"metadata": {}})
    patch(one)
    method, path, options = client.asked[0]
    assert (method, path) == ("PATCH", "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices/loans")
    assert options["body"] == {"spec": {"a": None}, "metadata": {"resourceVersion": "7"}}
    assert options["header_params"]["Content-Type"] == "application/merge-patch+json"
    assert len(options["_request_timeout"]) == 2, "a single number that is no int would be no timeout at all"


def test_a_patch_of_no_version_is_never_sent():
    one, client = api()
    with pytest.raises(InternalError, match="overwrite"):
        one.patch(INFERENCE_SERVICES, "ml", "loans", "", {})
    assert not client.asked


@pytest.mark.parametrize(
    "trouble", [refusal(500), refusal(503), refusal(0), ProtocolError("cut"), OSError("unreachable")]
)
def test_reads_are_repeated_whatever_went_wrong(trouble):
    slept = []
    one, client = api(trouble, trouble, {"metadata": {}}, slept=slept)
    assert one.get(INFERENCE_SERVICES, "ml", "loans") == {"metadata": {}}
    assert len(client.asked) == 3
    assert slept == sorted(slept)
    assert all(seconds > 0 for seconds in slept)


def test_reads_are_repeated_so_often_and_no_more():
    one, client = api(*[refusal(500)] * 10)
    with pytest.raises(DependencyError) as caught:
        one.get(INFERENCE_SERVICES, "ml", "loans")
    assert caught.value.retryable
    assert len(client.asked) == 4


@pytest.mark.parametrize("trouble", [refusal(500), refusal(503), ProtocolError("cut")])
def test_a_change_that_may_have_happened_is_not_repeated(trouble):
    one, client = api(trouble, {"metadata": {}})
    with pytest.raises(DependencyError) as caught:
        patch(one)
    assert caught.value.retryable
    assert len(client.asked) == 1


def test_a_throttled_change_is_repeated_when_the_server_said():
    slept = []
    one, client = api(refusal(429, headers={"Retry-After": "3"}), {"metadata": {}}, slept=slept)
    patch(one)
    assert len(client.asked) == 2
    assert slept == [3.0]


def test_nobody_waits_for_an_hour():
    slept = []
    one, _ = api(refusal(429, headers={"Retry-After": "3600"}), {"metadata": {}}, slept=slept)
    patch(one)
    assert slept == [10.0]


def test_an_object_that_is_not_there_is_none_and_a_kind_that_is_not_an_error():
    one, _ = api(refusal(404, OBJECT_ABSENT))
    assert one.get(INFERENCE_SERVICES, "ml", "loans") is None
    one, _ = api(refusal(404, "404 page not found"))
    with pytest.raises(ConfigurationError, match=r"no such kind.*Install KServe"):
        one.get(INFERENCE_SERVICES, "ml", "loans")


@pytest.mark.parametrize("answer", [refusal(409, {"message": "modified"}), refusal(404, OBJECT_ABSENT)])
def test_what_is_not_what_was_read_is_a_conflict(answer):
    one, _ = api(answer)
    with pytest.raises(Conflict):
        patch(one)


def test_a_lack_of_permission_names_the_verb_and_what_grants_it():
    one, _ = api(refusal(403, {"message": "User cannot patch"}))
    with pytest.raises(ConfigurationError, match="verb 'patch' on 'inferenceservices.serving.kserve.io'") as caught:  # noqa: RUF043
        patch(one)
    assert caught.value.field == "patch inferenceservices.serving.kserve.io ml/loans"


@pytest.mark.parametrize(
    "answer",
    [refusal(422, {"message": "bad"}), refusal(403, {"message": 'admission webhook "x" denied the request: bad'})],
)
def test_an_object_that_is_not_accepted_is_no_matter_of_time(answer):
    one, client = api(answer)
    with pytest.raises(Refused) as caught:
        patch(one)
    assert not caught.value.retryable
    assert len(client.asked) == 1


def test_without_a_cluster_it_says_what_would_name_one(monkeypatch, tmp_path):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="KUBECONFIG"):
        connect()
