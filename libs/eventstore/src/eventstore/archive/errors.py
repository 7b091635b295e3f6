"""What goes wrong with an archive; the texts hold names of objects and positions, never values."""

from enum import StrEnum

from eventstore.errors import EventLogError


class ArchiveError(EventLogError):
    """Any refusal of an archive."""


class ArchiveUnavailable(ArchiveError):
    """Object storage could not be reached or refused: try again later."""


class ArchiveForeign(ArchiveError):
    """The archive is not of this log as it is now: it holds what the log does not."""


class ArchiveEmpty(ArchiveError):
    """There is no archive of this log at this place."""


class ArchiveRivalled(ArchiveError):
    """Another archiver closed the same segment first: go on from what it left."""


class Fault(StrEnum):
    """What is wrong with an archive that was read."""

    SEGMENT_MISSING = "a segment that its manifest names is not there"
    SEGMENT_ALTERED = "a segment's bytes are not those that its manifest was signed over"
    SEGMENT_UNREADABLE = "a segment's bytes are as signed, but no records can be read from them"
    MANIFEST_ALTERED = "a manifest is not as it was signed"
    MANIFEST_MALFORMED = "a manifest can not be read"
    CHAIN_BROKEN = "a manifest does not follow the one before it: one was removed or replaced"
    COUNT_WRONG = "a segment has another number of events than its manifest says"
    POSITION_WRONG = "an event does not follow the one before it"
    TAIL_TRUNCATED = "the tail is shorter than it says"
    TAIL_ALTERED = "the tail's bytes are not those that its header was written with"
    KEY_WRONG = "a manifest was signed by another key than the one to verify with"
    LINEAGE_BROKEN = "the archive of the epoch that this one was restored from has changed"


class ArchiveDamaged(ArchiveError):
    """An archive does not hold what it must; nothing of it may be trusted beyond this object."""

    def __init__(self, fault: Fault, name: str, detail: str = "") -> None:
        super().__init__(
            f"{fault.name}: {name}: {fault.value}" + (f" ({detail})" if detail else "")
        )
        self.fault = fault
        self.name = name
