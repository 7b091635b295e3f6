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
    high, low = (int(part, 16) for part in lsn.split("/"))
    return f"{high:08X}{low // SEGMENT_BYTES:08X}"


def recovered_to(server: PostgresServer) -> str:
    """Give the position that a recovery ended at: the last in its new timeline's history."""
    history = max((server.cluster / "pg_wal").glob("*.history"))
    last = history.read_text(encoding="utf-8").strip().splitlines()[-1]
    return last.split("\t")[1]


def goes_on(backups: BackupFolder, server: PostgresServer) -> bool:
    """Tell whether the log of a lost keyring has records behind where a recovery to its end ended.

    Looks in the segment that it ended in, at the pages behind: what is altered may be the first
    one's header. A log that still grows has such records, too.
    """
    lsn = recovered_to(server)
    high, low = (int(part, 16) for part in lsn.split("/"))
    for segment in backups.segments():
        if ordinal(segment) == ordinal_at(lsn):
            behind = [low - low % PAGE_BYTES + PAGE_BYTES * number for number in (1, 2)]
            return any(
                _begins_a_record(backups, segment, f"{high:X}/{page:X}")
                for page in behind
                if page // SEGMENT_BYTES == low // SEGMENT_BYTES
            )
    return False


def _begins_a_record(backups: BackupFolder, segment: str, start: str | None = None) -> bool:
    """Ask pg_waldump, which reads a segment only by its whole name; from its begin unless said."""
    full = backups.wal / segment
    account = account_for(NAME, backups.wal, postgres_tool("pg_waldump"))
    since = () if start is None else ("--start", start)
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
