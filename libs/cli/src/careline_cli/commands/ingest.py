"""`careline ingest`: takes in FHIR R4 files."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from careline.patient_context.v1.ingest_service_pb2 import IngestResourcesRequest
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from careline_cli import console
from careline_cli.commands.options import Json, data_of
from careline_cli.contact.caller import Caller, new_trace
from careline_cli.contact.stubs import connected
from careline_cli.ingest import Document, Total, send
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.tenant import DEMO_TENANT

FORMATS = {
    ".json": IngestResourcesRequest.FORMAT_BUNDLE,
    ".ndjson": IngestResourcesRequest.FORMAT_NDJSON,
}
CHUNK_BYTES = 1 << 20
SHOWN_REFUSALS = 20


def ingest(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.", exists=True)],
    *,
    as_json: Json = False,
) -> None:
    """Take in FHIR R4: bundles (.json) and bulk exports (.ndjson)."""
    total = asyncio.run(_ingest(data_of(context), _documents(paths)))
    if as_json:
        console.OUT.print_json(json.dumps(total.as_json()))
        return
    console.OUT.print(
        f"{total.files} files, {total.patients} patients ({total.changed} changed), "
        f"{total.resources.total()} resources, {len(total.refused)} refused",
        highlight=False,
    )
    for one in total.refused[:SHOWN_REFUSALS]:
        place = f"{one['file']}:{one['line']}" if one["line"] else one["file"]
        console.OUT.print(
            f"  {place} {one['path']}: {one['reason']}", highlight=False, markup=False
        )


async def _ingest(data: DataDirectory, documents: list[Document]) -> Total:
    addresses = data.addresses()
    operator = Caller(OperatorToken(data, addresses).token, new_trace(), tenant=DEMO_TENANT)
    total = Total()
    columns = (TextColumn("taking in"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console.ERR, transient=True) as progress:
        bar = progress.add_task("", total=len(documents))
        async with connected(addresses.services) as stubs:
            async for document, answer in send(stubs.ingest, operator, documents):
                total.add(document, answer)
                progress.advance(bar)
    return total


def _documents(paths: list[Path]) -> list[Document]:
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise DataDirectoryError("no .json or .ndjson file there")
    return [Document(FORMATS[file.suffix], partial(_chunks, file), str(file)) for file in files]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix not in FORMATS:
            raise DataDirectoryError(f"{path} is neither .json nor .ndjson")
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in FORMATS)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
