"""AgentService over gRPC."""

from typing import Any, Final

import grpc
from careline.identity.v1 import agent_service_pb2 as pb2
from careline.identity.v1.agent_service_pb2_grpc import AgentServiceServicer
from eventstore.execute import Request
from runtime.access import Access, Resource
from runtime.field_checks import etag_of, word_of
from runtime.idempotency import Requests
from runtime.paging import page_size, page_token, place_of
from runtime.refusal import Refused
from runtime.request_context import calling_principal, current_request
from runtime.resource_names import uuid_resource_name

from identity.adapters.acting import acting_for
from identity.adapters.agent_list import AgentList
from identity.adapters.agent_messages import (
    agent_message,
    otpauth_uri,
    position_in,
    presented_token,
    tokens_message,
    without_password,
)
from identity.adapters.fields import (
    bounded,
    require_no_longer,
    require_request_id,
    tenant_name,
    words_of,
)
from identity.application.agent_account import AgentDraft
from identity.application.agents import Agents
from identity.application.first_factor import FirstFactor
from identity.application.second_factor import SecondFactor
from identity.application.session_tokens import TokenKind
from identity.application.sessions import Sessions
from identity.domain.agent import ROLES, SUSPENSION_REASONS
from identity.domain.password_rules import LONGEST as LONGEST_PASSWORD
from identity.domain.session import End
from identity.domain.totp import DIGITS

Context = grpc.aio.ServicerContext[Any, Any]
_USUAL_PAGE: Final = 50
_LARGEST_PAGE: Final = 200
_LONGEST_NAME: Final = 100


class GrpcAgents(AgentServiceServicer):
    """Agents: made by operators and supervisors, signing in by themselves."""

    def __init__(
        self,
        agents: Agents,
        first_factor: FirstFactor,
        second_factor: SecondFactor,
        sessions: Sessions,
        agent_list: AgentList,
        requests: Requests,
        access: Access,
    ) -> None:
        self._agents = agents
        self._first_factor = first_factor
        self._second_factor = second_factor
        self._sessions = sessions
        self._list = agent_list
        self._requests = requests
        self._access = access

    async def CreateAgent(  # noqa: N802  gRPC's name
        self, request: pb2.CreateAgentRequest, _: Context
    ) -> pb2.CreateAgentResponse:
        require_no_longer({"password": request.password}, 4 * LONGEST_PASSWORD)
        draft = AgentDraft(
            current_request().tenant,
            bounded(request.agent.user_name, "agent.user_name", _LONGEST_NAME),
            bounded(request.agent.display_name, "agent.display_name", _LONGEST_NAME),
            words_of(request.agent.roles, ROLES, "agent.roles"),
            request.password,
        )

        async def known_by(tag: bytes) -> Request:
            return await self._requests.request_of(without_password(request, tag))

        view = await self._agents.create(draft, known_by)
        return pb2.CreateAgentResponse(agent=agent_message(view), position=view.position)

    async def EnrollTotp(  # noqa: N802  gRPC's name
        self, request: pb2.EnrollTotpRequest, _: Context
    ) -> pb2.EnrollTotpResponse:
        name = self._other_agent(request.agent, "identity.enrollTotp")
        enrolment = await self._agents.enroll_totp(name, await self._requests.request_of(request))
        return pb2.EnrollTotpResponse(
            otpauth_uri=otpauth_uri(enrolment), position=enrolment.position
        )

    async def SignIn(  # noqa: N802  gRPC's name
        self, request: pb2.SignInRequest, _: Context
    ) -> pb2.SignInResponse:
        require_request_id(request.request_id)
        tenant = tenant_name(request.tenant)
        bounded(request.user_name, "user_name", _LONGEST_NAME)
        require_no_longer({"password": request.password}, 4 * LONGEST_PASSWORD)

        async def known_by(agent: str, tag: bytes) -> Request:
            return await self._requests.request_of(without_password(request, tag), part=agent)

        with acting_for(tenant):
            begun = await self._first_factor.sign_in(
                tenant, request.user_name, request.password, known_by
            )
        response = pb2.SignInResponse(session_token=begun.token)
        response.expire_time.FromDatetime(begun.expires)
        return response

    async def VerifyFactor(  # noqa: N802  gRPC's name
        self, request: pb2.VerifyFactorRequest, _: Context
    ) -> pb2.VerifyFactorResponse:
        require_request_id(request.request_id)
        require_no_longer({"totp_code": request.totp_code}, DIGITS)
        token = presented_token(request.session_token, TokenKind.FACTOR, "SIGN_IN_REFUSED")
        with acting_for(token.tenant):
            tokens = await self._second_factor.verify(
                token,
                request.totp_code,
                lambda: self._requests.request_of(request, part=token.session),
            )
        return pb2.VerifyFactorResponse(tokens=tokens_message(tokens), agent=tokens.agent)

    async def RefreshToken(  # noqa: N802  gRPC's name
        self, request: pb2.RefreshTokenRequest, _: Context
    ) -> pb2.RefreshTokenResponse:
        require_request_id(request.request_id)
        token = presented_token(request.refresh_token, TokenKind.REFRESH, "SESSION_ENDED")
        with acting_for(token.tenant):
            tokens = await self._sessions.refresh(
                token, lambda: self._requests.request_of(request, part=token.session)
            )
        return pb2.RefreshTokenResponse(tokens=tokens_message(tokens))

    async def SignOut(  # noqa: N802  gRPC's name
        self, request: pb2.SignOutRequest, _: Context
    ) -> pb2.SignOutResponse:
        principal = calling_principal()
        if not principal.session:
            raise Refused("DENIED_OR_ABSENT")
        position = await self._sessions.end(
            f"sessions/{principal.session}",
            End.SIGNED_OUT,
            await self._requests.request_of(request),
        )
        return pb2.SignOutResponse(position=position)

    async def AssignRoles(  # noqa: N802  gRPC's name
        self, request: pb2.AssignRolesRequest, _: Context
    ) -> pb2.AssignRolesResponse:
        view = await self._agents.assign_roles(
            self._other_agent(request.agent, "identity.assignRoles"),
            words_of(request.roles, ROLES, "roles"),
            etag_of(request.etag),
            await self._requests.request_of(request),
        )
        return pb2.AssignRolesResponse(agent=agent_message(view), position=view.position)

    async def SuspendAgent(  # noqa: N802  gRPC's name
        self, request: pb2.SuspendAgentRequest, _: Context
    ) -> pb2.SuspendAgentResponse:
        async def ending(session: str) -> Request:
            return await self._requests.request_of(request, part=session)

        view = await self._agents.suspend(
            self._other_agent(request.agent, "identity.suspendAgent"),
            word_of(request.reason, SUSPENSION_REASONS, "reason"),
            await self._requests.request_of(request),
            sessions=self._sessions,
            ending=ending,
        )
        return pb2.SuspendAgentResponse(agent=agent_message(view), position=view.position)

    async def ListAgents(  # noqa: N802  gRPC's name
        self, request: pb2.ListAgentsRequest, _: Context
    ) -> pb2.ListAgentsResponse:
        size = page_size(request.page_size, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        place = place_of(request, request.page_token, 1)
        page = await self._list.page(current_request().tenant, after=position_in(place), size=size)
        return pb2.ListAgentsResponse(
            agents=[agent_message(view) for view in page.agents],
            next_page_token=page_token(request, [str(page.next_after)]) if page.next_after else "",
        )

    def _other_agent(self, text: str, action: str) -> str:
        """Read the agent that is to change, and ask whether the caller may change that one."""
        name = uuid_resource_name(text, "agents", "agent")
        principal = current_request().principal
        is_self = principal is not None and principal.name == name
        self._access.require(action, Resource("Agent", name), is_self=is_self)
        return name
