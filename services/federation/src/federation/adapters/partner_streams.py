"""Makes a partner's stream and its one consumer."""

from collections.abc import Mapping
from typing import Final

from messaging.headers import MESSAGE_ID
from messaging.partner_account import DURABLE, PartnerStream
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError

from federation.adapters.nats_users import NatsUsers

_MAX_BYTES: Final = 256 << 20
_MAX_AGE_SECONDS: Final = 7 * 86_400.0
_DUPLICATE_SECONDS: Final = 120.0
_MAX_ACK_PENDING: Final = 256
_ACK_WAIT_SECONDS: Final = 30.0
_NAME_IN_USE: Final = 10058


async def ensure_stream(users: NatsUsers, partner: PartnerStream, first_sequence: int) -> None:
    """Make the stream and its durable unless they are there.

    A stream that was lost begins anew where the next message belongs. Raises what nats-py raises.
    """
    async with users.stream_maker(partner) as client:
        js = client.jetstream()
        try:
            await js.stream_info(partner.stream)
        except NotFoundError:
            try:
                await js.add_stream(_stream_config(partner, first_sequence))
            except BadRequestError as error:
                if error.err_code != _NAME_IN_USE:
                    raise
        try:
            await js.consumer_info(partner.stream, DURABLE)
        except NotFoundError:
            await js.add_consumer(partner.stream, _consumer_config())


async def message_id(users: NatsUsers, partner: PartnerStream, sequence: int) -> str | None:
    """Give the id of a message that the stream holds, None when it is gone by age."""
    async with users.stream_reader(partner) as client:
        try:
            message = await client.jetstream().get_msg(partner.stream, sequence)
        except NotFoundError:
            return None
    headers: Mapping[str, str] = message.headers or {}
    return headers.get(MESSAGE_ID, "")


def _stream_config(partner: PartnerStream, first_sequence: int) -> StreamConfig:
    return StreamConfig(
        name=partner.stream,
        subjects=[partner.subjects],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        # A partner who does not pull loses the oldest, sees it, and holds up nobody.
        discard=DiscardPolicy.OLD,
        max_bytes=_MAX_BYTES,
        max_age=_MAX_AGE_SECONDS,
        duplicate_window=_DUPLICATE_SECONDS,
        num_replicas=1,
        deny_delete=True,
        deny_purge=True,
        first_seq=first_sequence,
    )


def _consumer_config() -> ConsumerConfig:
    return ConsumerConfig(
        name=DURABLE,
        durable_name=DURABLE,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_WAIT_SECONDS,
        max_ack_pending=_MAX_ACK_PENDING,
        max_deliver=-1,
    )
