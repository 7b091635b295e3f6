"""Tells who asked for it that the server denied a subject.

The server reports a denial apart from what was asked, and never answers the request; nats-py turns
the subject into lower case. Without this, a missing permission looks like a timeout.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

_DENIED = re.compile(
    r'permissions violation for (?:publish(?: with reply of| to)|subscription to) "([^"]+)"',
    re.IGNORECASE,
)


class PermissionDenied(Exception):
    """The server does not let this user publish to, or read, a subject."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"NATS denied {subject}: compare the permissions of this user's JWT")
        self.subject = subject


def denied_subject(report: str) -> str | None:
    """Return the subject, in lower case, when a server's report is a denial."""
    found = _DENIED.search(report)
    return found.group(1).lower() if found else None


class Denials:
    """Who waits for an answer on which subjects of one connection."""

    def __init__(self, inbox_prefix: str) -> None:
        self._inboxes = inbox_prefix.lower()
        self._watchers: dict[asyncio.Future[str], str] = {}

    @contextmanager
    def watch(self, prefix: str) -> Iterator[asyncio.Future[str]]:
        """Yield a future that becomes the denied subject when one that begins so is denied."""
        denied: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._watchers[denied] = prefix.lower()
        try:
            yield denied
        finally:
            del self._watchers[denied]
            denied.cancel()

    def report(self, subject: str) -> None:
        """Wake those whom a denial concerns: all of them when no answer can arrive any more."""
        everyone = subject.startswith(self._inboxes)
        for denied, prefix in self._watchers.items():
            if not denied.done() and (everyone or subject.startswith(prefix)):
                denied.set_result(subject)
