"""Has a durable consumer deliver again what was delivered to somebody who is gone."""

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerInfo
from nats.js.errors import NotFoundError

from messaging.names import Consumption
from messaging.stuck import Reason, Stuck


async def rewind(js: JetStreamContext, consumption: Consumption) -> None:
    """Let delivery go on after the last acknowledged message, at once and in order.

    Without it, what a killed process had in hand would come only after `ack_wait`, behind newer
    messages. Raises Stuck when stream or consumer is missing, or of another kind than provisioned.
    """
    config = (await _info(js, consumption)).config
    if config.ack_policy != AckPolicy.ALL or config.filter_subject or config.filter_subjects:
        raise Stuck(Reason.NOT_PROVISIONED, f"{consumption.durable} is of another kind")
    await js.reset_consumer(consumption.stream, consumption.durable)


async def is_stalled(js: JetStreamContext, consumption: Consumption) -> bool:
    """Return whether nothing is delivered although there seems to be something to deliver."""
    info = await _info(js, consumption)
    return bool(info.num_pending or info.num_ack_pending)


async def _info(js: JetStreamContext, consumption: Consumption) -> ConsumerInfo:
    stream, durable = consumption.stream, consumption.durable
    try:
        info: ConsumerInfo = await js.consumer_info(stream, durable)
    except NotFoundError as error:
        raise Stuck(Reason.NOT_PROVISIONED, f"{stream}.{durable}") from error
    return info
