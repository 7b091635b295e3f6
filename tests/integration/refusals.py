"""How a call is refused, and the request ids that calls are known by."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from runtime.errors import reason_from, status_from
from runtime.new_id import new_id


def request_id() -> str:
    return str(new_id())


async def refusal(call: Awaitable[Any]) -> str:
    """Give the reason that a call is refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return reason_from(raised.value)


async def violation(call: Awaitable[Any]) -> str:
    """Give the one field that a call is refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    assert reason_from(raised.value) == "FIELD_INVALID"
    status = status_from(raised.value)
    assert status is not None
    found = BadRequest()
    for detail in status.details:
        if detail.Unpack(found):
            (one,) = found.field_violations
            return str(one.field)
    raise AssertionError("a malformed field is named")
