"""Whether a PostgreSQL server takes connections, asked as every client asks (protocol 3.0)."""

import asyncio
import struct
from pathlib import Path

PROTOCOL_3_0 = 196608
ANSWER_SECONDS = 5.0
CANNOT_CONNECT_NOW = b"C57P03\0"  # SQLSTATE field of an error: starting up or shutting down


async def accepts_connections(socket: Path, user: str) -> bool:
    """Tell: it asks for authentication, or refuses for another reason than that it is starting."""
    fields = f"user\0{user}\0database\0{user}\0\0".encode()
    startup = struct.pack("!II", 8 + len(fields), PROTOCOL_3_0) + fields
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(startup)
                answer = await reader.read(1024)
            finally:
                writer.close()
    except OSError:
        return False
    return answer != b"" and CANNOT_CONNECT_NOW not in answer
