"""Whatever is done to an archive, verifying it says so, and says what it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eventstore.archive.errors import ArchiveDamaged, ArchiveEmpty, Fault
from eventstore.archive.manifest import canonical, digest
from eventstore.archive.signing import signing_key
from unit.eventstore.archive_rig import CLOSE_AT_ONCE, LOG, ArchiveRig


@pytest.fixture
async def rig(tmp_path: Path) -> ArchiveRig:
    """Three closed segments and a tail."""
    rig = ArchiveRig(tmp_path)
    for count in (2, 3, 4):
        await rig.archive(count, CLOSE_AT_ONCE)
    await rig.archive(5)
    return rig


async def fault(rig: ArchiveRig) -> Fault:
    with pytest.raises(ArchiveDamaged) as raised:
        await rig.verify()
    assert raised.value.name in str(raised.value)
    return raised.value.fault


def flip(file: Path, at: int) -> None:
    """Change a bit of a file."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def change(file: Path, **values: object) -> None:
    """Change a manifest, and leave its signature."""
    whole: dict[str, Any] = json.loads(file.read_bytes())
    whole["manifest"].update(values)
    file.write_bytes(canonical(whole))


async def test_a_whole_archive_is_told_to_be_whole(rig: ArchiveRig) -> None:
    verified = await rig.verify()

    assert (verified.segments, verified.events) == (3, 14)
    assert (verified.signed_position, verified.position) == (9, 14)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("at", [0, 20, -1])
async def test_a_flipped_bit_of_a_segment_is_found(rig: ArchiveRig, number: int, at: int) -> None:
    flip(rig.files("*.segment.zst")[number], at)

    assert await fault(rig) is Fault.SEGMENT_ALTERED


@pytest.mark.parametrize("number", range(3))
async def test_a_missing_segment_is_found(rig: ArchiveRig, number: int) -> None:
    rig.files("*.segment.zst")[number].unlink()

    assert await fault(rig) is Fault.SEGMENT_MISSING


@pytest.mark.parametrize("number", range(3))
async def test_a_missing_manifest_is_found(rig: ArchiveRig, number: int) -> None:
    rig.files("*.manifest.json")[number].unlink()

    assert await fault(rig) is Fault.CHAIN_BROKEN


async def test_a_segment_that_is_missing_with_its_manifest_is_found(rig: ArchiveRig) -> None:
    rig.files("*.segment.zst")[1].unlink()
    rig.files("*.manifest.json")[1].unlink()

    assert await fault(rig) is Fault.CHAIN_BROKEN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last_position", 99),
        ("count", 1),
        ("sha256", "0" * 64),
        ("previous_sha256", None),
        ("written_at", "2020-01-01T00:00:00+00:00"),
    ],
)
async def test_a_changed_manifest_is_found(rig: ArchiveRig, name: str, value: object) -> None:
    change(rig.files("*.manifest.json")[1], **{name: value})

    assert await fault(rig) is Fault.MANIFEST_ALTERED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: b" " + text,
        lambda text: text.replace(b'"epoch":1', b'"epoch":1,"epoch":1'),
        lambda text: text.replace(b'"epoch":1', b'"epoch":"1"'),
        lambda _: b"",
        lambda _: b"[]",
    ],
)
async def test_a_manifest_that_is_none_is_found(
    rig: ArchiveRig, spoil: Callable[[bytes], bytes]
) -> None:
    file = rig.files("*.manifest.json")[1]
    file.write_bytes(spoil(file.read_bytes()))

    assert await fault(rig) is Fault.MANIFEST_MALFORMED


async def test_a_manifest_of_another_place_is_found(rig: ArchiveRig) -> None:
    first, second, _ = rig.files("*.manifest.json")
    second.write_bytes(first.read_bytes())

    assert await fault(rig) is Fault.CHAIN_BROKEN


async def test_a_truncated_tail_is_found(rig: ArchiveRig) -> None:
    [tail] = rig.files("tail.zst")
    tail.write_bytes(tail.read_bytes()[:-1])

    assert await fault(rig) is Fault.TAIL_TRUNCATED


async def test_a_tail_cut_in_its_header_is_found(rig: ArchiveRig) -> None:
    [tail] = rig.files("tail.zst")
    tail.write_bytes(tail.read_bytes()[:100])

    assert await fault(rig) is Fault.TAIL_TRUNCATED


async def test_a_flipped_bit_of_the_tail_is_found(rig: ArchiveRig) -> None:
    flip(rig.files("tail.zst")[0], -1)

    assert await fault(rig) is Fault.TAIL_ALTERED


async def test_another_key_is_told_from_a_changed_manifest(rig: ArchiveRig) -> None:
    rig.keys = type(rig.keys)()

    assert await fault(rig) is Fault.KEY_WRONG


async def test_segments_signed_before_and_after_a_rotation_verify(rig: ArchiveRig) -> None:
    rig.keys.rotate(signing_key(LOG))
    await rig.archive(1, CLOSE_AT_ONCE)

    assert (await rig.verify()).signed_position == 15


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"count": 3}, Fault.COUNT_WRONG),
        ({"last_position": 20}, Fault.POSITION_WRONG),
        ({"last_event_id": ""}, Fault.POSITION_WRONG),
    ],
)
async def test_a_header_that_lies_of_its_tail_is_found(
    rig: ArchiveRig, changes: dict[str, object], expected: Fault
) -> None:
    [tail] = rig.files("tail.zst")
    header, _, content = tail.read_bytes().partition(b"\n")
    tail.write_bytes(canonical({**json.loads(header), **changes}) + b"\n" + content)

    assert await fault(rig) is expected


async def test_records_that_are_none_are_found(rig: ArchiveRig) -> None:
    [tail] = rig.files("tail.zst")
    header, _, _ = tail.read_bytes().partition(b"\n")
    told = {**json.loads(header), "size": 4, "sha256": digest(b"none")}
    tail.write_bytes(canonical(told) + b"\nnone")

    assert await fault(rig) is Fault.SEGMENT_UNREADABLE


async def test_no_archive_is_no_whole_one(tmp_path: Path) -> None:
    with pytest.raises(ArchiveEmpty):
        await ArchiveRig(tmp_path / "nothing").verify()
