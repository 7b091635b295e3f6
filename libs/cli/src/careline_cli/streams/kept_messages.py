"""Keeps in a file what a stream alone has, before that stream is made anew."""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from embedded.private_files import private_folder, writing_private
from messaging.stored_messages import StoredMessage


async def keep_messages(messages: AsyncGenerator[StoredMessage, None], file: Path) -> None:
    """Write them to a file that only its owner reads, a JSON object a line, on disk at return.

    Each has sequence, subject, headers and data (base64): the sealed bytes as published.
    """
    private_folder(file.parent)
    with writing_private(file) as lines:
        async with aclosing(messages):
            async for message in messages:
                lines.write(_line(message))


def _line(message: StoredMessage) -> bytes:
    content = {
        "sequence": message.sequence,
        "subject": message.subject,
        "headers": dict(message.headers),
        "data": base64.b64encode(message.data).decode(),
    }
    return (json.dumps(content) + "\n").encode()
