"""Reads events of old messages as today's: after they are opened, so that their seals still fit."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from google.protobuf.message import Message

from sealing.lifting import lift
from sealing.sealer import Opened
from sealing.sensitivity import SEALED_FIELD, paths_of


class UpcastStep(Protocol):
    """One old message and what became of it: eventstore's Upcaster."""

    @property
    def old(self) -> type[Any]: ...

    @property
    def new(self) -> type[Any]: ...

    @property
    def upcast(self) -> Callable[[Any], Any]: ...

    @property
    def sealed_paths(self) -> Mapping[str, str]: ...


class UpcasterInvalid(Exception):
    """A step could lose or show what is sealed, or leads nowhere; the text says which."""


class UpcastShowsSealed(Exception):
    """A step put what is sealed where it would be in clear."""

    def __init__(self, type_name: str) -> None:
        super().__init__(
            f"the upcaster of {type_name} makes clear fields of sealed ones: it may move these to "
            "sealed fields only"
        )


class Upcasting:
    """Steps by the old message's type name, followed until there is none. Raises UpcasterInvalid.

    Two steps from one type, and steps in a circle, are refused.
    """

    def __init__(self, steps: Iterable[UpcastStep]) -> None:
        self._steps: dict[str, UpcastStep] = {}
        for step in steps:
            _check_paths(step)
            name = _name(step.old)
            if name in self._steps:
                raise UpcasterInvalid(f"two upcasters of {name}")
            self._steps[name] = step
        for name in self._steps:
            self._final(name)

    def __contains__(self, type_name: str) -> bool:
        return type_name in self._steps

    def older_than(self, type_name: str) -> frozenset[str]:
        """Name the types whose events are read as this one."""
        return frozenset(name for name in self._steps if self._final(name) == type_name)

    def upcast(self, message: Message) -> Message:
        """Give today's message of a closed one, without a field `sealed`; as it is if today's."""
        while step := self._steps.get(message.DESCRIPTOR.full_name):
            message = _closed(step, message)
        return message

    def upcast_opened(self, opened: Opened[Message]) -> Opened[Message]:
        """Give today's message of an opened one, what was erased by today's paths.

        Raises UpcastShowsSealed.
        """
        while step := self._steps.get(opened.message.DESCRIPTOR.full_name):
            opened = _opened(step, opened)
        return opened

    def _final(self, type_name: str) -> str:
        seen = {type_name}
        while step := self._steps.get(type_name):
            type_name = _name(step.new)
            if type_name in seen:
                raise UpcasterInvalid(f"the upcasters of {type_name} go in a circle")
            seen.add(type_name)
        return type_name


def _closed(step: UpcastStep, message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    if SEALED_FIELD in copy.DESCRIPTOR.fields_by_name:
        copy.ClearField(SEALED_FIELD)
    return _made(step, copy)


def _opened(step: UpcastStep, opened: Opened[Message]) -> Opened[Message]:
    made = _made(step, opened.message)
    if lift(made).public != _made(step, lift(opened.message).public):
        raise UpcastShowsSealed(_name(step.old))
    moved = (step.sealed_paths.get(path, path) for path in opened.erased)
    return Opened(made, tuple(path for path in moved if path))


def _made(step: UpcastStep, message: Message) -> Message:
    made: Message = step.upcast(message)
    if made.DESCRIPTOR.full_name != _name(step.new):
        raise UpcasterInvalid(f"the upcaster of {_name(step.old)} gives no {_name(step.new)}")
    return made


def _check_paths(step: UpcastStep) -> None:
    old, new = paths_of(step.old.DESCRIPTOR), paths_of(step.new.DESCRIPTOR)
    if unknown := sorted(set(step.sealed_paths) - set(old)):
        raise UpcasterInvalid(f"{_name(step.old)} has no sealed {unknown}")
    lost = [path for path in old if step.sealed_paths.get(path, path) not in {*new, ""}]
    if lost:
        raise UpcasterInvalid(
            f"{_name(step.new)} has no sealed field for {lost} of {_name(step.old)}: name it in "
            'sealed_paths, or "" where it is let go'
        )


def _name(kind: type[Any]) -> str:
    name: str = kind.DESCRIPTOR.full_name
    return name
