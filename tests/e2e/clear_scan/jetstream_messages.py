"""Every message that JetStream keeps, as the server gives it out: decoded and decompressed."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from e2e.clear_scan.piece import Piece
from messaging.accounts import NatsOperator
from messaging.permissions import Permissions
from nats.aio.client import Client, RawCredentials

EVERYTHING = Permissions(publish=(">",), subscribe=(">",))
SECONDS = 10.0
NO_MESSAGE = 404


async def jetstream_messages(
    url: str, operator: NatsOperator, folder: Path
) -> AsyncIterator[Piece]:
    """Give the messages of all streams of the PLATFORM account; the store is `messages/STREAM`.

    Fails when `folder`, the server's store, holds a stream that was not read.
    """
    async with everything(url, operator) as client:
        streams = await client.jetstream().streams_info()
        assert {stream.config.name for stream in streams} == kept_streams(folder)
        for stream in streams:
            for sequence in range(stream.state.first_seq, stream.state.last_seq + 1):
                content = await _message(client, str(stream.config.name), sequence)
                store = f"messages/{stream_label(str(stream.config.name))}"
                yield Piece(store, str(sequence), content)


def kept_streams(folder: Path) -> set[str]:
    """Name the streams that lie in a server's store, whichever account's they are."""
    return {path.name for path in folder.glob("jetstream/*/streams/*")}


@asynccontextmanager
async def everything(url: str, operator: NatsOperator) -> AsyncIterator[Client]:
    """Connect as somebody who may do everything in the PLATFORM account."""
    client = Client()
    credentials = operator.platform.credentials("scanner", EVERYTHING)
    await client.connect(url, user_credentials=RawCredentials(credentials.text))
    try:
        yield client
    finally:
        await client.close()


def stream_label(stream: str) -> str:
    """Name a stream; a partner's without the partner's key, which each platform makes anew."""
    return "FED" if stream.startswith("FED_") else stream


async def _message(client: Client, stream: str, sequence: int) -> bytes:
    """Give subject, headers and data of a message; nothing of one that was let go."""
    asked = json.dumps({"seq": sequence}).encode()
    got = await client.request(f"$JS.API.STREAM.MSG.GET.{stream}", asked, timeout=SECONDS)
    answer = json.loads(got.data)
    if "error" in answer:
        assert answer["error"]["code"] == NO_MESSAGE, answer
        return b""
    message = answer["message"]
    parts = [base64.b64decode(message.get(part, "")) for part in ("hdrs", "data")]
    return b"\n".join([message["subject"].encode(), *parts])
