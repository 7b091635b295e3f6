"""TokenService over gRPC."""

from typing import Any, Final

import grpc
from careline.identity.v1 import token_service_pb2 as pb2
from careline.identity.v1.token_service_pb2_grpc import TokenServiceServicer
from runtime.field_checks import word_of
from runtime.idempotency import Requests
from runtime.new_id import new_id
from runtime.resource_names import uuid_resource_name

from identity.adapters.acting import acting_for
from identity.adapters.fields import bounded, require_no_longer, tenant_name, words_of
from identity.adapters.signing_keys import SigningKeys
from identity.application.service_accounts import ServiceAccounts
from identity.domain.service_account import CHANNELS, DISABLING_REASONS

Context = grpc.aio.ServicerContext[Any, Any]
_LONGEST_NAME: Final = 100
_LONGEST_SECRET: Final = 128


class GrpcTokens(TokenServiceServicer):
    """Service accounts and signing keys."""

    def __init__(
        self, accounts: ServiceAccounts, signing_keys: SigningKeys, requests: Requests
    ) -> None:
        self._accounts = accounts
        self._signing_keys = signing_keys
        self._requests = requests

    async def CreateServiceAccount(  # noqa: N802  gRPC's name
        self, request: pb2.CreateServiceAccountRequest, _: Context
    ) -> pb2.CreateServiceAccountResponse:
        wanted = request.service_account
        display_name = bounded(wanted.display_name, "service_account.display_name", _LONGEST_NAME)
        channels = words_of(wanted.channels, CHANNELS, "service_account.channels")
        created = await self._accounts.create(
            display_name, channels, await self._requests.request_of(request)
        )
        return pb2.CreateServiceAccountResponse(
            service_account=pb2.ServiceAccount(
                name=created.name, display_name=display_name, channels=sorted(channels)
            ),
            secret=created.secret,
            position=created.position,
        )

    async def DisableServiceAccount(  # noqa: N802  gRPC's name
        self, request: pb2.DisableServiceAccountRequest, _: Context
    ) -> pb2.DisableServiceAccountResponse:
        position = await self._accounts.disable(
            uuid_resource_name(request.service_account, "serviceAccounts", "service_account"),
            word_of(request.reason, DISABLING_REASONS, "reason"),
            await self._requests.request_of(request),
        )
        return pb2.DisableServiceAccountResponse(position=position)

    async def IssueServiceToken(  # noqa: N802  gRPC's name
        self, request: pb2.IssueServiceTokenRequest, _: Context
    ) -> pb2.IssueServiceTokenResponse:
        tenant = tenant_name(request.tenant)
        name = uuid_resource_name(request.service_account, "serviceAccounts", "service_account")
        require_no_longer({"secret": request.secret}, _LONGEST_SECRET)
        with acting_for(tenant):
            token = await self._accounts.issue_token(
                name, request.secret, lambda: self._requests.own_decision(new_id())
            )
        response = pb2.IssueServiceTokenResponse(access_token=token.text)
        response.expire_time.FromDatetime(token.expires)
        return response

    async def GetSigningKeys(  # noqa: N802  gRPC's name
        self, _request: pb2.GetSigningKeysRequest, _: Context
    ) -> pb2.GetSigningKeysResponse:
        return pb2.GetSigningKeysResponse(jwks=await self._signing_keys.jwks())
