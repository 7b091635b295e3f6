from uuid import RFC_4122, UUID

import pytest
from eventstore.stream_id import StreamId
from hypothesis import given
from hypothesis import strategies as st

V7 = "019f3c5e-7a10-7abc-8def-0123456789ab"


def test_a_name_has_a_category_and_an_id() -> None:
    stream = StreamId("demo", f"conversations/{V7}")

    assert (stream.category, stream.id) == ("conversations", V7)


@pytest.mark.parametrize("tenant", ["", "a", "Demo", "1demo", "*", "de mo", "a" * 33, "de\0mo"])
def test_a_tenant_is_a_slug(tenant: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        StreamId(tenant, "patients/1")


@pytest.mark.parametrize(
    "name",
    ["", "patients", "patients/", "/1", "patients/a/b", "patients/a.b", "patients/*", "Patients/1"],
)
def test_a_name_is_a_collection_and_one_token(name: str) -> None:
    with pytest.raises(ValueError, match="collection"):
        StreamId("demo", name)


def test_what_is_refused_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="stream") as refused:
        StreamId("demo", "patients/Jane Doe")

    assert "Jane" not in str(refused.value)


def test_a_key_begins_with_the_time_of_the_id() -> None:
    key = StreamId("demo", f"conversations/{V7}").key

    assert key.hex[:12] == UUID(V7).hex[:12]
    assert (key.version, key.variant) == (8, RFC_4122)


def test_a_key_without_a_time_is_all_hash() -> None:
    keys = {StreamId("demo", f"queues/{name}").key.hex[:12] for name in ("billing", "nurses")}

    assert len(keys) == 2


@given(
    st.sampled_from(["ours", "theirs"]), st.from_regex(r"[a-z]{1,8}/[a-z0-9]{1,8}", fullmatch=True)
)
def test_a_key_stands_for_tenant_and_name(tenant: str, name: str) -> None:
    stream = StreamId(tenant, name)

    assert stream.key == StreamId(tenant, name).key
    assert stream.key != StreamId("third", name).key
    assert stream.key != StreamId(tenant, f"{name}x").key
