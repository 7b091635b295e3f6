"""What must not be installed beside us."""

from importlib.metadata import distributions


def test_nothing_that_overwrites_opentelemetrys_protos_is_installed() -> None:
    """xds-protos (by way of grpcio-admin and grpcio-csds) breaks the OTLP exporter.

    https://github.com/open-telemetry/opentelemetry-python/issues/4843
    """
    installed = {distribution.metadata["Name"].lower() for distribution in distributions()}

    assert not installed & {"xds-protos", "grpcio-csds", "grpcio-admin"}
