"""The Helm chart, rendered by real Helm and held against Kubernetes' schemas, without a cluster."""

import copy
import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from careline_cli.__main__ import app
from runtime.service import Service
from runtime.settings import StoreSettings, load_settings
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy" / "helm" / "careline"
LINT_INFO = 1
VERSIONS = ("1.28", "1.31", "1.34")
SERVICES = {"identity", "conversations", "routing", "patient_context", "audit", "federation"}
Manifest = dict[str, Any]


def default_values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return values


def render(changes: Mapping[str, Any] | None = None) -> list[Manifest]:
    with helm_python.Chart.load(str(CHART)) as chart:
        rendered = chart.render(dict(changes or {}), name="demo", namespace="careline")
    return [
        document
        for file, text in rendered.items()
        if file.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] == kind]


def pods(manifests: list[Manifest]) -> list[Manifest]:
    return [
        one["spec"]["template"]["spec"] for one in manifests if "template" in one.get("spec", {})
    ]


def test_helm_lints_it_without_a_complaint() -> None:
    report = helm_python.lint(str(CHART), strict=True)

    assert report["errors"] == []
    assert [one for one in report["messages"] if one["severity"] > LINT_INFO] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mesh", [False, True])
def test_kubernetes_accepts_every_manifest(version: str, mesh: bool) -> None:
    manifests = render({"tls": {"mesh": mesh}, "archive": ARCHIVE if mesh else {}})

    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)
    assert len(manifests) == 3 * len(SERVICES) + 2


def test_every_service_has_a_deployment_a_service_and_an_account() -> None:
    manifests = render()

    names = {f"demo-{service.replace('_', '-')}" for service in SERVICES}
    for kind in ("Deployment", "Service"):
        assert {one["metadata"]["name"] for one in of_kind(manifests, kind)} == names
    accounts = {one["metadata"]["name"] for one in of_kind(manifests, "ServiceAccount")}
    assert accounts == names | {"demo-migrations"}


def test_every_pod_keeps_the_restricted_pod_security_standard() -> None:
    for pod in pods(render()):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["cpu"]


ARCHIVE = {"url": "s3://bucket/careline", "region": "us-east-1", "credentialsSecret": "bucket"}


def test_every_service_archives_where_the_chart_says_by_a_secret_that_it_names() -> None:
    for deployment in of_kind(render({"archive": ARCHIVE}), "Deployment"):
        container = container_of(deployment)
        environment = environment_of(container)

        own: Service[Any] = getattr(
            import_module(f"{container['args'][1]}.compose"), container["args"][1].upper()
        )
        carelines = {name: value for name, value in environment.items() if "CARELINE" in name}
        assert load_settings(own.settings, carelines).archive_url == ARCHIVE["url"]
        assert environment["AWS_REGION"] == ARCHIVE["region"]
        assert container["envFrom"] == [{"secretRef": {"name": "bucket"}}]


def test_nothing_is_archived_unless_the_chart_says_where() -> None:
    for deployment in of_kind(render(), "Deployment"):
        container = container_of(deployment)
        assert "envFrom" not in container
        assert not {"CARELINE_ARCHIVE_URL", "AWS_REGION"} & environment_of(container).keys()


def test_every_service_is_probed_on_its_health_port() -> None:
    for deployment in of_kind(render(), "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["grpc"]["port"] == 7444


def container_of(workload: Manifest) -> Manifest:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found


def environment_of(container: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


@pytest.mark.parametrize("mesh", [False, True])
def test_every_service_takes_the_settings_that_the_chart_gives_it(mesh: bool) -> None:
    changes = {"tls": {"mesh": mesh}, "telemetry": {"otlpEndpoint": "https://collector:4317"}}
    for deployment in of_kind(render(changes), "Deployment"):
        container = container_of(deployment)
        python_option, package = container["args"]
        composed = import_module(f"{package}.compose")

        own: Service[Any] = getattr(composed, package.upper())
        settings = load_settings(own.settings, environment_of(container))

        assert python_option == "-m"
        assert find_spec(f"{package}.__main__")
        assert settings.service_name == package
        assert settings.grpc_listen.port == 7443
        assert settings.grpc_plaintext is mesh
        assert set(settings.peers.targets) == SERVICES
        assert settings.database.ca_file is not None


def test_the_migrations_job_runs_a_command_that_takes_its_arguments_and_settings() -> None:
    (job,) = of_kind(render(), "Job")
    container = container_of(job)
    python_option, package, *arguments = container["args"]

    # Help is shown only when what stands before it was understood.
    understood = CliRunner().invoke(app, [*arguments, "--help"])
    settings = load_settings(StoreSettings, environment_of(container))

    assert (python_option, package) == ("-m", "careline_cli")
    assert arguments == ["migrate"]
    assert understood.exit_code == 0, understood.output
    assert settings.keyring_database.ca_file is not None


def test_every_file_that_a_setting_names_is_mounted() -> None:
    for workload in (*of_kind(render(), "Deployment"), *of_kind(render(), "Job")):
        container = container_of(workload)
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        for value in environment_of(container).values():
            for path in re.findall(r"/etc/careline/[^\s&?]+", value):
                assert str(Path(path).parent) in mounted


def test_no_secret_stands_in_a_manifest() -> None:
    manifests = render()

    assert of_kind(manifests, "Secret") == []
    for pod in pods(manifests):
        for container in pod["containers"]:
            assert all("value" in one and "valueFrom" not in one for one in container["env"])


def test_one_service_can_be_given_more_than_the_others() -> None:
    manifests = render({"services": {"conversations": {"replicas": 7}}})

    replicas = {
        one["metadata"]["name"]: one["spec"]["replicas"] for one in of_kind(manifests, "Deployment")
    }
    assert replicas.pop("demo-conversations") == 7
    assert set(replicas.values()) == {default_values()["defaults"]["replicas"]}


def test_a_digest_wins_over_the_tag() -> None:
    digest = "sha256:" + "0" * 64

    images = {
        container["image"]
        for pod in pods(render({"image": {"digest": digest}}))
        for container in pod["containers"]
    }

    assert images == {f"careline/careline@{digest}"}


@pytest.mark.parametrize(
    "changes",
    [
        {"imagee": {}},
        {"image": {"tag": "latest"}},
        {"image": {"tag": 5}},
        {"postgresql": {"host": "db", "sslmode": "disable"}},
        {"nats": {"url": "nats://nats:4222"}},
        {"vault": {"address": "http://vault:8200"}},
        {"defaults": {"replicas": 0}},
        {"services": {"billing": {}}},
        {"services": {"audit": {"replicas": "2"}}},
        {"telemetry": {"logLevel": "loud"}},
        {"postgresql": {"password": "in the values"}},
        {"archive": {"url": "file:///var/lib/careline"}},
        {"archive": {"url": "s3://key:secret@bucket"}},
    ],
    ids=str,
)
def test_a_value_that_makes_no_sense_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        render(copy.deepcopy(dict(changes)))
