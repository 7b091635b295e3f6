"""Enters the tenant that an anonymous call names: it has no token that would say it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runtime.request_context import acting_in, current_request


@contextmanager
def acting_for(tenant: str) -> Iterator[None]:
    with acting_in(replace(current_request(), tenant=tenant)):
        yield
