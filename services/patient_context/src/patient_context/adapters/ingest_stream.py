"""One stream of files on its way in: read in slices, taken in patient by patient."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Final

from careline.patient_context.v1.ingest_service_pb2 import IngestResourcesRequest
from eventstore.decider import Rejected
from runtime.refusal import Refused, field_invalid
from sealing.framing import framed
from sealing.keyring import SubjectErased

from patient_context.adapters.fhir.bundle_file import BundleFile
from patient_context.adapters.fhir.export import Export
from patient_context.adapters.fhir.file_outcome import FileOutcome
from patient_context.adapters.fhir.patients import Joined
from patient_context.adapters.fhir.spill import PARTITIONS, Spill, SpillFull
from patient_context.application.source_patient import SourceId
from patient_context.application.taking_in import TakingIn

LARGEST_PART: Final = 512 * 1024
MOST_FILES: Final = 100_000
MOST_PATIENTS: Final = 500_000
_SLICE_SECONDS: Final = 0.01


class IngestStream:
    """`take` each part; gives a file's outcome once it is known. Then `end`, which gives the rest.

    A bundle is in when its last part was taken. What stands in ndjson files is joined across all of
    them, so that their outcomes are known at the end of the stream. `position` is that of the
    log that holds all that was appended so far.
    """

    def __init__(self, taking_in: TakingIn, spill: Spill, now: datetime) -> None:
        self.position = 0
        self._taking_in = taking_in
        self._now = now
        self._export = Export(spill, now)
        self._exported: set[bytes] = set()
        self._bundle: BundleFile | None = None
        self._file = -1
        self._is_open = False
        self._slice_began = 0.0

    async def take(self, request: IngestResourcesRequest) -> FileOutcome | None:
        """Take a part in; raises Refused when it is none of the open file, or too large."""
        if len(request.part) > LARGEST_PART:
            raise field_invalid("part", f"at most {LARGEST_PART} bytes")
        self._enter(request)
        self._is_open = not request.last
        self._slice_began = time.monotonic()
        if self._bundle is not None:
            await self._in_slices(self._bundle.feed(request.part, last=request.last))
            return await self._finish(self._bundle) if request.last else None
        try:
            await self._in_slices(self._export.feed(self._file, request.part, last=request.last))
            if self._export.spill_is_due:
                await asyncio.to_thread(self._export.spill_now)
        except SpillFull:
            raise Refused("MESSAGE_TOO_LARGE") from None
        return None

    async def end(self) -> AsyncIterator[FileOutcome]:
        """Take the patients of ndjson files in, and give what came of those files."""
        if self._is_open:
            raise field_invalid("last", "true on the last part of every file")
        if self._export.outcomes:
            for partition in range(PARTITIONS):
                joined = await asyncio.to_thread(list, self._export.join(partition))
                for one in joined:
                    await self._take_exported(one)
        for outcome in self._export.outcomes.values():
            yield outcome

    def _enter(self, request: IngestResourcesRequest) -> None:
        """Open the next file, or see that the part is of the open one."""
        if self._is_open:
            if request.file != self._file:
                raise field_invalid("file", "the open file, until its last part")
            if request.format:
                raise field_invalid("format", "set on the first part of a file only")
            return
        if request.file != self._file + 1 or request.file >= MOST_FILES:
            raise field_invalid("file", f"0, 1, 2 and so on, at most {MOST_FILES} files")
        self._file = request.file
        if request.format == IngestResourcesRequest.FORMAT_BUNDLE:
            self._bundle = BundleFile(self._file, self._now)
        elif request.format == IngestResourcesRequest.FORMAT_NDJSON:
            self._bundle = None
            self._export.open(self._file)
        else:
            raise field_invalid("format", "BUNDLE or NDJSON on the first part of a file")

    async def _in_slices(self, steps: Iterable[None]) -> None:
        """Let others run every few milliseconds: reading is all computing."""
        for _ in steps:
            if time.monotonic() - self._slice_began > _SLICE_SECONDS:
                await asyncio.sleep(0)
                self._slice_began = time.monotonic()

    async def _finish(self, bundle: BundleFile) -> FileOutcome:
        for joined in await asyncio.to_thread(list, bundle.join()):
            await self._take_in(joined, bundle.outcome)
        return bundle.outcome

    async def _take_exported(self, joined: Joined) -> None:
        """Take a patient of an export in, unless the same came under another id of the resource."""
        outcome = self._export.outcomes[joined.where.file]
        known = _fingerprint(joined.patient.source)
        if known in self._exported:
            outcome.refuse(joined.where, "the same patient again, under another id")
        elif len(self._exported) == MOST_PATIENTS:
            outcome.refuse(joined.where, f"more than {MOST_PATIENTS} patients in one stream")
        else:
            self._exported.add(known)
            await self._take_in(joined, outcome)

    async def _take_in(self, joined: Joined, outcome: FileOutcome) -> None:
        try:
            taken = await self._taking_in.take_in(joined.patient)
        except SubjectErased:
            outcome.refuse(joined.where, "the patient was erased")
        except Rejected as refusal:
            if refusal.reason != "PATIENT_ERASED":
                raise
            outcome.refuse(joined.where, "the patient was erased")
        else:
            outcome.changed += taken.changed
            self.position = max(self.position, taken.position)


def _fingerprint(source: SourceId) -> bytes:
    return blake2b(framed(source.system, source.value), digest_size=16).digest()
