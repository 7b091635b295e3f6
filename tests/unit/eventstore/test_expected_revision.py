import pytest
from eventstore.expected_revision import ExpectedRevision


@pytest.mark.parametrize(
    ("expected", "admitted"),
    [
        (ExpectedRevision.NO_STREAM, [None]),
        (ExpectedRevision.STREAM_EXISTS, [0, 1, 2]),
        (ExpectedRevision.ANY, [None, 0, 1, 2]),
        (ExpectedRevision.exact(1), [1]),
    ],
    ids=str,
)
def test_what_each_expectation_admits(
    expected: ExpectedRevision, admitted: list[int | None]
) -> None:
    assert [head for head in (None, 0, 1, 2) if expected.admits(head)] == admitted


@pytest.mark.parametrize("revision", [-1, -4, 1 << 63])
def test_an_exact_revision_is_one_that_can_be(revision: int) -> None:
    with pytest.raises(ValueError, match="revision"):
        ExpectedRevision.exact(revision)


def test_expectations_are_values() -> None:
    assert ExpectedRevision.exact(3) == ExpectedRevision.exact(3)
    assert len({ExpectedRevision.ANY, ExpectedRevision.NO_STREAM, ExpectedRevision.ANY}) == 2
    assert [str(ExpectedRevision.NO_STREAM), str(ExpectedRevision.exact(3))] == [
        "no stream",
        "revision 3",
    ]
