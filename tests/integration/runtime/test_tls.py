"""TLS between callers and servers, both with certificates that are exchanged while they serve."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from embedded import write_private
from grpc_health.v1 import health_pb2
from integration.runtime.rig import ANYWHERE
from integration.runtime.test_health import SERVING, HealthStub
from runtime.health import Health
from runtime.secret_reference import SecretFile
from runtime.server import GrpcServer
from runtime.tls_files import TlsFiles

PRIVATE = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of a test."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("careline test authority")
        certificate = _builder(name, name, key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        return cls(key, certificate.sign(key, hashes.SHA256()))

    def issue(self, name: str, folder: Path) -> TlsFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_name(name), self.certificate.subject, key)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        files = TlsFiles(
            folder / f"{name}.crt", SecretFile(folder / f"{name}.key"), folder / "ca.crt"
        )
        write_private(files.private_key_file.path, key.private_bytes(*PRIVATE).decode())
        files.certificate_file.write_bytes(_pem(certificate))
        files.ca_file.write_bytes(_pem(self.certificate))
        return files


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Tls:
    authority: Authority
    folder: Path
    server: GrpcServer
    files: TlsFiles

    async def check(self, credentials: grpc.ChannelCredentials) -> int:
        target = f"127.0.0.1:{self.server.port}"
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.secure_channel(target, credentials, options) as channel:
            return await check(channel)


async def check(channel: grpc.aio.Channel) -> int:
    answer = await HealthStub(channel).check(health_pb2.HealthCheckRequest(), timeout=5)
    return int(answer.status)


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[Tls]:
    authority = Authority.make()
    files = authority.issue("server", tmp_path)
    async with GrpcServer(
        [], (), Health([]), listen=ANYWHERE, health_listen=ANYWHERE, tls=files
    ) as server:
        yield Tls(authority, tmp_path, server, files)


async def test_a_caller_with_a_certificate_of_the_authority_gets_through(tls: Tls) -> None:
    client = tls.authority.issue("client", tls.folder)

    assert await tls.check(client.channel_credentials()) == SERVING


async def test_a_caller_without_certificate_or_of_another_authority_does_not(
    tls: Tls, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    foreign = Authority.make().issue("client", stranger)
    foreign.ca_file.write_bytes(tls.files.ca_file.read_bytes())

    for credentials in (
        grpc.ssl_channel_credentials(tls.files.ca_file.read_bytes()),
        foreign.channel_credentials(),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await tls.check(credentials)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_renewed_certificate_is_served_without_restart_and_a_broken_one_never(
    tls: Tls, caplog: pytest.LogCaptureFixture
) -> None:
    client = tls.authority.issue("client", tls.folder)
    target = f"127.0.0.1:{tls.server.port}"
    async with grpc.aio.secure_channel(target, client.channel_credentials()) as old:
        assert await check(old) == SERVING

        renewed = Authority.make()
        new_folder = tls.folder / "new"
        new_folder.mkdir()
        fresh = renewed.issue("server", new_folder)
        for old_file, new_file in (
            (tls.files.certificate_file, fresh.certificate_file),
            (tls.files.ca_file, fresh.ca_file),
        ):
            old_file.write_bytes(new_file.read_bytes())
        write_private(tls.files.private_key_file.path, fresh.private_key_file.path.read_text())

        new_client = renewed.issue("client", new_folder)
        assert await tls.check(new_client.channel_credentials()) == SERVING
        assert await check(old) == SERVING

        tls.files.certificate_file.unlink()
        assert await tls.check(new_client.channel_credentials()) == SERVING
    assert "certificate files are unusable" in caplog.text
