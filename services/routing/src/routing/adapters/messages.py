"""Routing's states as callers see them."""

from typing import Final

from careline.routing.v1 import agent_desk_service_pb2 as desk_pb2
from careline.routing.v1 import routing_service_pb2 as pb2

from routing.application.contacts import Reached
from routing.domain.agent import Availability
from routing.domain.board import Board, OpenOffer
from routing.domain.contact import ContactState

_STATES: Final = {
    ContactState.NEW: pb2.Contact.STATE_UNSPECIFIED,
    ContactState.QUEUED: pb2.Contact.STATE_QUEUED,
    ContactState.OFFERED: pb2.Contact.STATE_OFFERED,
    ContactState.ASSIGNED: pb2.Contact.STATE_ASSIGNED,
    ContactState.COMPLETED: pb2.Contact.STATE_COMPLETED,
    ContactState.LEFT: pb2.Contact.STATE_LEFT,
}
_AVAILABILITIES: Final = {
    Availability.AVAILABLE: desk_pb2.AVAILABILITY_AVAILABLE,
    Availability.AWAY: desk_pb2.AVAILABILITY_AWAY,
    Availability.OFFLINE: desk_pb2.AVAILABILITY_OFFLINE,
}


def contact_message(reached: Reached) -> pb2.Contact:
    state = reached.contact
    message = pb2.Contact(
        name=reached.name,
        conversation=state.conversation,
        queue=state.queue,
        state=_STATES[state.state],
        priority=state.priority,
        agent=state.agent,
        explanation=state.explanation,
        etag=str(reached.revision),
    )
    if state.since is not None:
        message.enqueue_time.FromDatetime(state.since)
    return message


def offer_message(board: Board, offer: OpenOffer, *, withdrawn: bool = False) -> desk_pb2.Offer:
    waiting = board.details(offer.contact)
    state = ContactState.OFFERED
    if withdrawn:
        state = ContactState.QUEUED if waiting else ContactState.LEFT
    message = desk_pb2.Offer(
        name=offer.offer,
        contact=pb2.Contact(
            name=offer.contact,
            conversation=offer.conversation,
            queue=waiting.queue if waiting else "",
            priority=waiting.priority if waiting else 0,
            agent=offer.agent,
            state=_STATES[state],
        ),
        withdrawn=withdrawn,
    )
    message.expire_time.FromDatetime(offer.until)
    return message


def availability_message(
    availability: Availability,
) -> "desk_pb2.Availability.ValueType":
    return _AVAILABILITIES[availability]
