from eventstore.decider import Decider
from eventstore.state_cache import Loaded, StateCache
from eventstore.testing.example_events import new_stream

COUNT = Decider[int, str](0, lambda state, _: state + 1)
OTHER = Decider[int, str](0, lambda state, _: state + 1)


def test_the_state_used_least_recently_makes_room() -> None:
    cache = StateCache(2)
    one, two, three = (new_stream() for _ in range(3))
    cache.put(one, COUNT, Loaded(1, 0, 1))
    cache.put(two, COUNT, Loaded(2, 0, 2))
    cache.get(one, COUNT)
    cache.put(three, COUNT, Loaded(3, 0, 3))

    assert cache.get(two, COUNT) is None
    assert cache.get(one, COUNT) == Loaded(1, 0, 1)
    assert cache.get(three, COUNT) == Loaded(3, 0, 3)


def test_a_state_is_only_for_the_decider_that_made_it() -> None:
    cache, stream = StateCache(2), new_stream()
    cache.put(stream, COUNT, Loaded(1, 0, 1))

    assert cache.get(stream, OTHER) is None
    assert cache.get(new_stream(), COUNT) is None
