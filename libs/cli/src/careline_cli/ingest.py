"""Sends FHIR files to the IngestService, part by part, and adds up what came of them."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from careline.patient_context.v1 import ingest_service_pb2 as pb2
from careline.patient_context.v1.ingest_service_pb2_grpc import IngestServiceStub

from careline_cli.contact.caller import Caller

PART_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Document:
    """One file to send: its format, and its bytes in chunks, read when they are needed."""

    format: "pb2.IngestResourcesRequest.Format.ValueType"
    chunks: Callable[[], Iterator[bytes]]
    name: str = ""


@dataclass(slots=True)
class Total:
    """What came of all files."""

    files: int = 0
    patients: int = 0
    changed: int = 0
    resources: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, object]] = field(default_factory=list)

    def add(self, document: Document, answer: pb2.IngestResourcesResponse) -> None:
        self.files += 1
        self.patients += answer.patients
        self.changed += answer.changed
        self.resources.update(answer.resources)
        self.refused += [
            {"file": document.name, "line": one.line, "path": one.path, "reason": one.reason}
            for one in answer.refused
        ]

    def as_json(self) -> dict[str, object]:
        return {
            "files": self.files,
            "patients": self.patients,
            "resources": dict(sorted(self.resources.items())),
            "refused": self.refused,
        }


async def send(
    stub: IngestServiceStub, caller: Caller, documents: Iterable[Document]
) -> AsyncIterator[tuple[Document, pb2.IngestResourcesResponse]]:
    """Send files in their order; gives what came of each as the service tells it."""
    sent = list(documents)
    async for answer in caller.exchange(stub.IngestResources, _parts(sent)):
        yield sent[answer.file], answer


async def _parts(documents: list[Document]) -> AsyncIterator[pb2.IngestResourcesRequest]:
    for number, document in enumerate(documents):
        for position, (part, last) in enumerate(_cut(document.chunks())):
            request = pb2.IngestResourcesRequest(file=number, part=part, last=last)
            if position == 0:
                request.format = document.format
            yield request


def _cut(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut into parts of bounded size and say which is the last."""
    held = b""
    for chunk in chunks:
        for start in range(0, len(chunk), PART_BYTES):
            if held:
                yield held, False
            held = chunk[start : start + PART_BYTES]
    yield held, True
