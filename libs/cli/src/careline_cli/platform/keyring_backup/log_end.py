"""Whether a recovery went to the log's end: PostgreSQL takes any gap for it, and says nothing."""

import tempfile
from pathlib import Path

from embedded import PostgresServer
from embedded.account import account_for
from embedded.postgres_tools import postgres_tool, run_tool
from embedded.private_files import private_folder

from careline_cli.platform.keyring_backup.folder import PARTIAL, SEGMENT_BYTES, BackupFolder

NAME = "keyring recovery"
PAGE_BYTES = 8192
_TIMELINE_DIGITS = 8


def last_segment(backups: BackupFolder) -> str | None:
    """Name the newest segment that a record begins in; None when there is no log.

    The newest file may hold none: it is made before its first byte comes, which may be of a record
    that began before. To be asked before a recovery: a running keyring's log grows meanwhile.
    """
    names = list(backups.segments()) if backups.wal.exists() else []
    if len(names) > 1 and not _begins_a_record(backups, names[-1]):
        names.pop()
    return names[-1] if names else None


def ordinal(segment: str) -> str:
    """Give what two segments are compared by, whichever timeline they are of."""
    return segment[_TIMELINE_DIGITS:]


def ordinal_at(lsn: str) -> str:
    """Give the ordinal of the segment that a position such as `0/1A2B3C4` lies in."""
    high, low = divmod(_position(lsn), 1 << 32)
    return f"{high:08X}{low // SEGMENT_BYTES:08X}"


def recovered_to(server: PostgresServer) -> str:
    """Give the position that a recovery ended at: the last in its new timeline's history."""
    history = max((server.cluster / "pg_wal").glob("*.history"))
    last = history.read_text(encoding="utf-8").strip().splitlines()[-1]
    return last.split("\t")[1]


def goes_on(backups: BackupFolder, server: PostgresServer) -> bool:
    """Tell whether the log of a lost keyring has records behind where a recovery to its end ended.

    Looks in the segment that it ended in and in what follows, two pages behind: what is altered may
    be the first one's header. A log that still grows has such records, too.
    """
    ended = _position(recovered_to(server))
    for segment in backups.segments():
        begin = _position_of(segment)
        altered = max(ended, begin)
        page = altered - altered % PAGE_BYTES
        for behind in (page + PAGE_BYTES, page + 2 * PAGE_BYTES):
            within = begin <= behind < begin + SEGMENT_BYTES
            if within and _begins_a_record(backups, segment, behind):
                return True
    return False


def _position(lsn: str) -> int:
    high, low = (int(part, 16) for part in lsn.split("/"))
    return high << 32 | low


def _position_of(segment: str) -> int:
    return (int(segment[8:16], 16) << 32) + int(segment[16:], 16) * SEGMENT_BYTES


def _begins_a_record(backups: BackupFolder, segment: str, start: int | None = None) -> bool:
    """Ask pg_waldump, which reads a segment only by its whole name; from its begin unless said."""
    full = backups.wal / segment
    account = account_for(NAME, backups.wal, postgres_tool("pg_waldump"))
    since = () if start is None else ("--start", f"{start >> 32:X}/{start & 0xFFFFFFFF:X}")
    with tempfile.TemporaryDirectory(prefix="careline-") as made:
        folder = Path(made)
        (folder / segment).symlink_to(full if full.exists() else f"{full}{PARTIAL}")
        private_folder(folder, account)
        ended = run_tool(
            NAME,
            "pg_waldump",
            ("--quiet", "--limit", "1", *since, str(folder / segment)),
            log_file=backups.log_file,
            account=account,
        )
    return ended == 0
