"""What an archive says of a segment: a signed object beside a closed one, the tail's first line.

Canonical bytes are JSON in UTF-8 with keys sorted, no spaces, nothing escaped that need not be, and
whole numbers, texts, null and objects alone: the same manifest gives the same bytes everywhere.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from eventstore.archive.signing import Signature

_CLOSED = "careline.archive.segment/1"
_TAIL = "careline.archive.tail/1"


class ManifestMalformed(ValueError):
    """The bytes are no manifest of a version that is known here."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Where an epoch of a log left an earlier one: at a position, that archive ending like this."""

    epoch: int
    position: int
    manifest_sha256: str | None
    tail_sha256: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One segment: events with `previous_position` < position <= `last_position` of a log's epoch.

    `last_event_id`, empty before the first event, tells the log from another one that has come as
    far. `sha256` and `size` are of the segment's bytes as stored, `previous_sha256` of the whole
    object of the manifest before, None for the first of an epoch. `forked` stands in every manifest
    of an epoch that a restore began. Times are RFC 3339.
    """

    log: str
    epoch: int
    first_position: int
    last_position: int
    last_event_id: str
    previous_position: int
    count: int
    size: int
    sha256: str
    previous_sha256: str | None
    forked: Fork | None
    opened_at: str
    written_at: str


def canonical(value: Mapping[str, object]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def signed_part(manifest: Manifest) -> bytes:
    """Give the bytes that a signature is over; they name their format, so mean nothing else."""
    return canonical({"format": _CLOSED, **asdict(manifest)})


def write_manifest(manifest: Manifest, signature: Signature) -> bytes:
    return canonical(
        {
            "manifest": {"format": _CLOSED, **asdict(manifest)},
            "signature": base64.b64encode(signature.signature).decode(),
            "key_version": signature.key_version,
            "key_sha256": signature.fingerprint,
        }
    )


def read_manifest(data: bytes) -> tuple[Manifest, Signature]:
    """Read a closed segment's manifest, unverified; raises ManifestMalformed."""
    try:
        whole = json.loads(data)
        signature = Signature(
            int(whole["key_version"]),
            str(whole["key_sha256"]),
            base64.b64decode(whole["signature"], validate=True),
        )
        manifest = _manifest(whole["manifest"], _CLOSED)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestMalformed("no manifest") from error
    if write_manifest(manifest, signature) != data:
        raise ManifestMalformed("not in canonical form")
    return manifest, signature


def write_tail(manifest: Manifest, segment: bytes) -> bytes:
    return canonical({"format": _TAIL, **asdict(manifest)}) + b"\n" + segment


def read_tail(data: bytes) -> tuple[Manifest, bytes]:
    """Read a tail's header and the bytes behind it, unchecked; raises ManifestMalformed."""
    header, _, segment = data.partition(b"\n")
    try:
        return _manifest(json.loads(header), _TAIL), segment
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestMalformed("no header of a tail") from error


def _manifest(body: dict[str, Any], expected_format: str) -> Manifest:
    fields = dict(body)
    if fields.pop("format") != expected_format:
        raise ValueError("another format")
    forked = fields.pop("forked")
    manifest = Manifest(**fields, forked=None if forked is None else Fork(**forked))
    for name in ("epoch", "first_position", "last_position", "previous_position", "count", "size"):
        if not isinstance(fields[name], int):
            raise TypeError(f"{name} is no whole number")
    return manifest
