"""The context that servicers see: all of gRPC's, but for texts of their own in a status."""

from typing import Any, Final

import grpc

_OWN_STATUS: Final = frozenset({"abort", "abort_with_status", "set_code", "set_details"})


class ServicerContext:
    """Passes everything on but a status: a servicer raises Rejected or Refused."""

    __slots__ = ("_context",)

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the context has
        if name in _OWN_STATUS:
            raise AttributeError(f"a servicer must not call {name}; raise Refused with a reason")
        return getattr(self._context, name)
