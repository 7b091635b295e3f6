"""Compiles protos at run time, into a pool of their own."""

import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parents[3] / "protos"
HEAD = """
syntax = "proto3";
package careline.made.events.v1;
import "careline/options/v1/options.proto";
import "careline/sealing/v1/sealed_fields.proto";
import "google/protobuf/any.proto";
import "google/protobuf/struct.proto";
"""


def compiled(source: str) -> DescriptorPool:
    """Give the pool that holds a proto file and all that it imports."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "made.proto").write_text(source, encoding="utf-8")
        target = Path(scratch, "made.bin")
        status = protoc.main(
            [
                "protoc",
                f"-I{scratch}",
                f"-I{PROTOS}",
                f"-I{files('grpc_tools') / '_proto'}",
                "--include_imports",
                f"--descriptor_set_out={target}",
                "made.proto",
            ]
        )
        assert status == 0
        parsed = FileDescriptorSet.FromString(target.read_bytes())
    pool = DescriptorPool()
    for file in parsed.file:
        pool.Add(file)
    return pool


def message_named(name: str, body: str) -> Descriptor:
    """Compile messages and enums of `body`; give the descriptor of the message `name`."""
    pool = compiled(HEAD + body)
    found: Descriptor = pool.FindMessageTypeByName(f"careline.made.events.v1.{name}")
    return found


@cache
def example(name: str) -> Any:  # noqa: ANN401 - a class made at run time has no static type
    """Give the class of a message of visit.proto."""
    kind = visits().FindMessageTypeByName(f"careline.example.events.v1.{name}")
    return GetMessageClass(kind)


@cache
def aged(name: str) -> Any:  # noqa: ANN401 - as above
    """Give the class of a message of old_visit.proto."""
    return GetMessageClass(ages().FindMessageTypeByName(f"careline.old.events.v1.{name}"))


@cache
def ages() -> DescriptorPool:
    return compiled((Path(__file__).parent / "old_visit.proto").read_text(encoding="utf-8"))


@cache
def visits() -> DescriptorPool:
    return compiled((Path(__file__).parent / "visit.proto").read_text(encoding="utf-8"))
