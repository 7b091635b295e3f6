"""Makes the test build that seals nothing: an interpreter of its own, and nothing else changed."""

import sysconfig
import venv
from pathlib import Path

OVERLAY = Path(__file__).with_name("overlay")


def build_unsealed(folder: Path) -> Path:
    """Make an environment that has all of this one, and the overlay imported at every start.

    Gives its interpreter. The platform starts its processes by the interpreter that runs it, so
    `careline` run by this one is unsealed throughout.
    """
    venv.EnvBuilder(symlinks=True).create(folder)
    variables = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", variables))
    # Python reads this line by line at every start (module `site`): folders it adds to its path,
    # "import" it executes.
    packages.joinpath("unsealed.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        f"{OVERLAY}\n"
        "import unsealed\n"
    )
    return folder / "bin" / "python"
