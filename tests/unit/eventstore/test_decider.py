from eventstore.decider import Decider, Rejected


def test_a_state_is_the_fold_of_its_events() -> None:
    decider = Decider[tuple[str, ...], str]((), lambda state, event: (*state, event))

    assert decider.fold(decider.initial, ["a", "b"]) == ("a", "b")
    assert decider.fold(("a",), []) == ("a",)


def test_a_refusal_has_a_reason_and_public_details() -> None:
    refusal = Rejected("CONVERSATION_STATE", state="closed")

    assert (refusal.reason, refusal.metadata) == ("CONVERSATION_STATE", {"state": "closed"})
    assert str(refusal) == "CONVERSATION_STATE"
