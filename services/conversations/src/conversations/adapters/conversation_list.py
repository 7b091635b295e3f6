"""ListConversations: the caller's conversations, newest first, page by page."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from careline.conversations.v1.conversation_pb2 import Conversation
from careline.conversations.v1.conversation_service_pb2 import (
    ListConversationsRequest,
    ListConversationsResponse,
)
from runtime.access import Access, Resource
from runtime.database.tenant_session import tenant_session
from runtime.paging import page_size, page_token, place_of
from runtime.refusal import Refused
from runtime.request_context import calling_principal, current_request
from runtime.resource_names import uuid_resource_name
from sqlalchemy import Row, Select, and_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from conversations.adapters import api_words
from conversations.adapters.conversation_message import conversation_message
from conversations.adapters.tables import conversation, conversation_party
from conversations.domain.conversation import Channel, Control, HolderKind, JoinedChannel, Status
from conversations.domain.conversation import Conversation as State

USUAL_PAGE: Final = 50
LARGEST_PAGE: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ConversationList:
    """Shows each caller what is his; all of the tenant to whom policies say so."""

    def __init__(self, engine: AsyncEngine, access: Access) -> None:
        self._engine = engine
        self._access = access

    async def page(self, request: ListConversationsRequest) -> ListConversationsResponse:
        size = page_size(request.page_size, usual=USUAL_PAGE, largest=LARGEST_PAGE)
        query = _after(request, self._wanted(request)).limit(size + 1)
        async with tenant_session(self._engine, current_request().tenant) as connection:
            rows = (await connection.execute(query)).all()
        return ListConversationsResponse(
            conversations=map(_shown, rows[:size]), next_page_token=_next(request, rows, size)
        )

    def _wanted(self, request: ListConversationsRequest) -> "Select[Any]":
        context = current_request()
        query = select(conversation).where(conversation.c.tenant == context.tenant)
        if request.patient:
            patient = uuid_resource_name(request.patient, "patients", "patient")
            query = query.where(conversation.c.patient == patient)
        state = api_words.state_if_set(request.state)
        if state is not None:
            query = query.where(conversation.c.state == state)
        everything = Resource("AllConversations", context.tenant)
        if self._access.decide(context.action, everything).allowed:
            return query.order_by(
                conversation.c.create_time.desc(), conversation.c.conversation.desc()
            )
        mine = and_(
            conversation_party.c.tenant == conversation.c.tenant,
            conversation_party.c.conversation == conversation.c.conversation,
        )
        return (
            query.join(conversation_party, mine)
            .where(conversation_party.c.principal == calling_principal().name)
            .order_by(
                conversation_party.c.create_time.desc(), conversation_party.c.conversation.desc()
            )
        )


def _after(request: ListConversationsRequest, query: "Select[Any]") -> "Select[Any]":
    """Begin where the page before ended."""
    place = place_of(request, request.page_token, 2)
    if place is None:
        return query
    try:
        created = _EPOCH + int(place[0]) * _MICROSECOND
        name = f"conversations/{UUID(place[1])}"
    except (ValueError, OverflowError):
        raise Refused("PAGE_TOKEN_INVALID") from None
    here = tuple_(conversation.c.create_time, conversation.c.conversation)
    return query.where(here < tuple_(created, name))


def _next(request: ListConversationsRequest, rows: Sequence[Row[Any]], size: int) -> str:
    if len(rows) <= size:
        return ""
    last = rows[size - 1]
    created = (last.create_time - _EPOCH) // _MICROSECOND
    return page_token(request, (str(created), last.conversation.partition("/")[2]))


def _shown(row: Row[Any]) -> Conversation:
    state = State(
        status=Status(row.state),
        channels=tuple(JoinedChannel(Channel(one), "") for one in row.channels),
        control=Control(HolderKind(row.holder_kind), row.holder, row.epoch),
        patient=row.patient,
        caller_level=row.caller_level,
        disposition=row.disposition,
        create_time=row.create_time,
        close_time=row.close_time,
    )
    return conversation_message(row.conversation, state, row.revision)
