from hypothesis import given
from hypothesis import strategies as st
from messaging.outgoing import RunLimits, outgoing, runs
from unit.messaging.test_headers import EVENT


@given(
    sizes=st.lists(st.integers(0, 3000), max_size=60),
    most=st.integers(1, 20),
    least=st.integers(1, 8),
    size=st.integers(500, 6000),
)
def test_runs_keep_the_order_and_their_bounds(
    sizes: list[int], most: int, least: int, size: int
) -> None:
    limits = RunLimits(messages=most, size=size, least=least)
    messages = [
        outgoing(
            "conversations",
            1,
            EVENT._replace(position=at + 1, data=bytes(length)),
            max_bytes=1 << 20,
        )
        for at, length in enumerate(sizes)
    ]
    cut = list(runs(messages, limits))
    assert [message for run in cut for message in run.messages] == messages
    for run in cut:
        assert 1 <= len(run.messages) <= most
        assert len(run.messages) == 1 or len(run.messages) >= least
        assert len(run.messages) == 1 or run.size <= size
        assert run.size == sum(message.size for message in run.messages)
        assert run.position == run.messages[-1].event.position


@given(length=st.integers(0, 5000), metadata=st.integers(0, 5000))
def test_no_message_is_larger_than_the_server_takes(length: int, metadata: int) -> None:
    event = EVENT._replace(data=bytes(length), metadata=bytes(metadata))
    message = outgoing("conversations", 1, event, max_bytes=3000)
    wire = sum(len(name) + len(value) + 4 for name, value in message.headers.items())
    assert wire + 14 + len(message.data) < 3000
    assert message.data in (event.data, b"")
    omitted = message.headers.get("careline-omitted")
    assert omitted == (None if message.data == event.data and omitted is None else str(length))
