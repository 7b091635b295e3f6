"""HTTP to a server on this machine, past any proxy that the environment names."""

import asyncio
import http.client
import json
from dataclasses import dataclass

from embedded.local_ports import HOST

CALL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


async def get(port: int, path: str) -> Answer | None:
    """Return the answer; None when nobody answers."""
    return await asyncio.to_thread(call, port, "GET", path, None, CALL_SECONDS)


async def put(port: int, path: str, body: object, *, within: float) -> Answer | None:
    """Send a body as JSON and return the answer; None when nobody answers `within` seconds."""
    return await asyncio.to_thread(call, port, "PUT", path, json.dumps(body), within)


def call(port: int, method: str, path: str, body: str | None, within: float) -> Answer | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=within)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
