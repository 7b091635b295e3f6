"""Commands are listed without being imported."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest
from careline_cli.commands import COMMANDS

HEAVY = "{'grpc', 'sqlalchemy', 'hvac', 'rich', 'embedded', 'faker'}"


def modules_after(*arguments: str) -> str:
    """Run the command and give which heavy packages it imported."""
    program = (
        "import sys, atexit\n"
        "from careline_cli.__main__ import main\n"
        f"atexit.register(lambda: print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['careline', *{arguments!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr.splitlines()[-1]


def test_help_imports_no_library_but_the_parser() -> None:
    assert modules_after("--help") == "[]"


def test_help_of_one_command_imports_what_that_one_uses() -> None:
    assert modules_after("down", "--help") == "['embedded', 'rich']"


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_list_says_of_a_command_is_what_its_own_help_says(name: str) -> None:
    command = getattr(import_module(f"careline_cli.commands.{name}"), name)

    assert (inspect.getdoc(command) or "").splitlines()[0] == COMMANDS[name]


def test_an_unknown_command_is_refused_with_the_one_that_was_meant() -> None:
    done = subprocess.run(
        (sys.executable, "-m", "careline_cli", "statu"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: No such command 'statu'. Did you mean 'status'?"
    )
