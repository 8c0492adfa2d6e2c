"""A real Kubernetes API server for tests: etcd and kube-apiserver on loopback, with RBAC and the CRDs of KServe.

Nothing schedules, nothing collects garbage: what a controller would do, a test does (see ``kserve_controller``). All
else is the real thing: schemas, the status subresource, resource versions and their conflicts, watches, tokens, RBAC.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import urllib3

from builders.certificates import Authority, Signed
from builders.children import Children
from builders.mlflow_server import free_port
from builders.refusal import Refused

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

TOOLS = Path(__file__).parents[2] / ".tools/cluster"
ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
CRDS = TOOLS / "crds"

_ISSUER = "https://kubernetes.default.svc"
_START_SECONDS = 180
_ESTABLISHED_SECONDS = 180
_CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def binaries() -> Path:
    """Where etcd and kube-apiserver lie: ``KUBEBUILDER_ASSETS``, or what ``make cluster-tools`` left."""
    return Path(os.environ.get(ASSETS_VARIABLE) or TOOLS / "bin")


def missing_tools() -> str | None:
    """Why no API server can be started here, or ``None`` when one can."""
    wanted = [binaries() / "etcd", binaries() / "kube-apiserver", *(CRDS / name for name in ("kserve", "gateway-api"))]
    absent = [path for path in wanted if not path.exists()]
    if not absent:
        return None
    return f"no {absent[0]}: run `make cluster-tools` (binaries of your own: set {ASSETS_VARIABLE})"


class ApiServer:
    """An API server that lives as long as the ``with`` block, and never longer than this process.

    Attributes:
        url: ``https://127.0.0.1:PORT``.
        authority: the certificate (PEM) that signed the server's.
        children: etcd and kube-apiserver.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gauntlet-cluster-")
        self.folder = Path(self._folder.name)
        self._certificates = Authority(self.folder / "certificates")
        self.authority = self._certificates.certificate
        self._serving = self._certificates.serving("apiserver")
        self._admin = self._certificates.client("admin", "system:masters")
        self._token_key = self._certificates.signing_key("tokens")
        self.url = f"https://127.0.0.1:{free_port()}"
        self.children = Children(self.folder)
        self._names = itertools.count(1)
        self._pool = urllib3.PoolManager(
            ca_certs=str(self.authority), cert_file=str(self._admin.certificate), key_file=str(self._admin.key)
        )

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    # -- talking to it -----------------------------------------------------------------------------------------------
    def client(self, token: str | None = None, url: str | None = None) -> ApiClient:
        """A client: the administrator's, or that of a service account's token.

        Args:
            token: what ``service_account`` returned.
            url: another way to the server, such as a proxy that loses answers.
        """
        from kubernetes.client import ApiClient, Configuration

        configuration = Configuration()
        configuration.host = url or self.url
        configuration.ssl_ca_cert = str(self.authority)
        if token is None:
            configuration.cert_file, configuration.key_file = str(self._admin.certificate), str(self._admin.key)
        else:
            configuration.api_key = {"authorization": f"Bearer {token}"}
        return ApiClient(configuration)

    def certificate(self, name: str) -> Signed:
        """Of another server on loopback, such as a proxy or a webhook, signed by the same authority."""
        return self._certificates.serving(name)

    def kubeconfig(self, path: Path, token: str | None = None, url: str | None = None) -> Path:
        """Write a kubeconfig for a process of its own; arguments as ``client``'s."""
        user = (
            {"token": token}
            if token
            else {"client-certificate": str(self._admin.certificate), "client-key": str(self._admin.key)}
        )
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "test", "cluster": {"server": url or self.url, "certificate-authority": str(self.authority)}}
            ],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path.write_text(json.dumps(document))
        return path

    def request(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """One raw request as the administrator; a body that is not bytes goes as JSON.

        Raises:
            Refused: any answer of 400 and above.
        """
        answer = self._pool.request(
            method,
            self.url + path,
            body=body if isinstance(body, bytes) or body is None else json.dumps(body).encode(),
            headers={"Content-Type": content_type, "Accept": "application/json"},
            retries=False,
            timeout=60,
        )
        if answer.status >= 400:
            raise Refused(answer.status, f"{method} {path}: {answer.status} {answer.data.decode()[:2000]}")
        return json.loads(answer.data) if answer.data.startswith(b"{") else {"text": answer.data.decode()}

    def create(self, manifest: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Create an object of any kind the server knows, as the administrator."""
        from kubernetes.dynamic import DynamicClient

        with self.client() as client:
            resource = DynamicClient(client).resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
            created = resource.create(body=dict(manifest), namespace=namespace)
            return dict(created.to_dict())

    # -- what tests need in it ---------------------------------------------------------------------------------------
    def install(self, folder: Path = CRDS) -> None:
        """Create every CRD in a folder (``*.yaml``, one document a file, any depth) and wait until all are served."""
        created = {}
        for path in sorted(folder.rglob("*.yaml")):
            made = self.request("POST", _CRD_PATH, path.read_bytes(), "application/yaml")
            created[made["metadata"]["name"]] = path
        self._wait_established(set(created))

    def namespace(self, prefix: str = "test") -> str:
        """Create a namespace of a new name: this server has nothing that would empty an old one."""
        name = f"{prefix}-{next(self._names)}"
        self.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def service_account(
        self,
        namespace: str,
        name: str,
        rules: Sequence[Mapping[str, Any]] = (),
        cluster_rules: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Create a service account that may do what the rules say and nothing else.

        Args:
            namespace: where it lives, and where ``rules`` hold.
            name: of the account, its roles and its bindings.
            rules: of a Role (``apiGroups``, ``resources``, ``verbs``, …).
            cluster_rules: of a ClusterRole.

        Returns:
            A token, valid for an hour.
        """
        self.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        for kind, path, scope, given in (
            ("Role", f"{rbac}/namespaces/{namespace}", name, rules),
            ("ClusterRole", rbac, f"{namespace}-{name}", cluster_rules),
        ):
            if not given:
                continue
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": scope}
            subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
            metadata = {"name": scope}
            self.request("POST", f"{path}/{kind.lower()}s", {"metadata": metadata, "rules": list(given)})
            binding = {"metadata": metadata, "roleRef": reference, "subjects": [subject]}
            self.request("POST", f"{path}/{kind.lower()}bindings", binding)
        return self.token(namespace, name)

    def token(self, namespace: str, name: str, seconds: int = 3600) -> str:
        """A token of an existing service account, through the TokenRequest API (600 seconds or more)."""
        made = self.request(
            "POST",
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
            {"spec": {"audiences": [_ISSUER], "expirationSeconds": seconds}},
        )
        return str(made["status"]["token"])

    # -- its processes -----------------------------------------------------------------------------------------------
    def _start(self) -> None:
        etcd = f"http://127.0.0.1:{free_port()}"
        self.children.start(
            binaries() / "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            "--listen-peer-urls=http://127.0.0.1:0",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        self.children.start(
            binaries() / "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.url.rpartition(':')[2]}",
            f"--tls-cert-file={self._serving.certificate}",
            f"--tls-private-key-file={self._serving.key}",
            f"--client-ca-file={self.authority}",
            f"--service-account-issuer={_ISSUER}",
            f"--service-account-key-file={self._token_key}",
            f"--service-account-signing-key-file={self._token_key}",
            "--authorization-mode=RBAC",
            "--anonymous-auth=false",
            "--service-cluster-ip-range=10.0.0.0/24",
            # Refuses loopback as an endpoint, and waits at the end for a controller that is not there.
            "--endpoint-reconciler-type=none",
            # Pods without the account's controller would all be refused.
            "--disable-admission-plugins=ServiceAccount",
        )
        self._wait_ready()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        said = ""
        while time.monotonic() < deadline and self.children.are_well:
            try:
                self.request("GET", "/readyz")
                return
            except (urllib3.exceptions.HTTPError, Refused) as error:
                said = str(error)
            time.sleep(0.1)
        raise RuntimeError(f"the API server did not start ({said}):\n{self.children.logs()}")

    def _wait_established(self, names: set[str]) -> None:
        deadline = time.monotonic() + _ESTABLISHED_SECONDS
        while names:
            for name in sorted(names):
                conditions = self.request("GET", f"{_CRD_PATH}/{name}")["status"].get("conditions") or []
                if any(item["type"] == "Established" and item["status"] == "True" for item in conditions):
                    names.discard(name)
            if time.monotonic() > deadline:
                raise RuntimeError(f"not served after {_ESTABLISHED_SECONDS} s: {', '.join(sorted(names))}")
            time.sleep(0.1)

    def _stop(self) -> None:
        self.children.stop()
        self._folder.cleanup()
