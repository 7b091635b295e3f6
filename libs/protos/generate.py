"""Regenerate the Python code of every proto; with --check, fail when what is committed differs."""

import argparse
import filecmp
import shutil
import sys
import sysconfig
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
PROTOS = HERE.parent.parent / "protos"
COMMITTED = HERE / "src" / "careline"


def generate(target: Path) -> None:
    """Write the generated package tree, whose root is the folder `careline`, below `target`."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    scripts = Path(sysconfig.get_path("scripts"))
    arguments = [
        "protoc",
        *(f"--plugin={scripts / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")),
        f"-I{PROTOS}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet,only_async:{target}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        sys.exit("the protos do not compile")
    root = target / "careline"
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text('"""Generated: see libs/protos/generate.py."""\n')
    (root / "py.typed").touch()


def differences(left: Path, right: Path) -> list[str]:
    """Name every file that is in one tree only or has other bytes in the other."""
    relative = {
        path.relative_to(tree)
        for tree in (left, right)
        for path in tree.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    return sorted(
        str(path)
        for path in relative
        if not (left / path).is_file()
        or not (right / path).is_file()
        or not filecmp.cmp(left / path, right / path, shallow=False)
    )


def main() -> None:
    """Regenerate in place, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = Path(scratch) / "careline"
        if check:
            stale = differences(fresh, COMMITTED)
            if stale:
                sys.exit("generated code is stale, run `make proto`: " + ", ".join(stale))
            return
        shutil.rmtree(COMMITTED, ignore_errors=True)
        shutil.copytree(fresh, COMMITTED)


if __name__ == "__main__":
    main()
