"""Certificates in files, read anew when they change, so that rotation needs no restart."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from runtime.incident import type_name
from runtime.secret_reference import SecretFile, SecretUnreadable

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class TlsFiles:
    """A server's or client's certificate chain, its private key, and the CA of the other side."""

    certificate_file: Path
    private_key_file: SecretFile
    ca_file: Path
    _served: tuple[bytes, bytes, bytes] | None = field(default=None, init=False)

    def read(self) -> tuple[bytes, bytes, bytes]:
        """Give certificate chain, key and CA in PEM; raises OSError or SecretUnreadable."""
        return (
            self.certificate_file.read_bytes(),
            self.private_key_file.read().encode() + b"\n",
            self.ca_file.read_bytes(),
        )

    def server_credentials(self) -> grpc.ServerCredentials:
        """Make credentials that demand a client certificate and follow the files."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(),
            self._changed,  # type: ignore[arg-type]  # None is documented: no change
            require_client_authentication=True,
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Make credentials of the files as they are now; gRPC's channels can not follow them."""
        certificate, key, ca = self.read()
        return grpc.ssl_channel_credentials(ca, key, certificate)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        self._served = self.read()
        certificate, key, ca = self._served
        return grpc.ssl_server_certificate_configuration([(key, certificate)], ca)

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Give what to serve from now on, None to go on; gRPC asks at every handshake.

        Files that can not be read leave the last good certificate in service: raising here would
        end the connection.
        """
        try:
            return None if self.read() == self._served else self._configuration()
        except (OSError, SecretUnreadable, ValueError) as error:
            _log.error("certificate files are unusable", extra={"error": type_name(error)})
            return None
