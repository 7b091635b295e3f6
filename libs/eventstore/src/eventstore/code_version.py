"""Which code made a state: states of other code are not to be gone on from."""

from functools import cache
from hashlib import sha256
from importlib.resources import files


@cache
def code_version(package: str) -> str:
    """Digest the sources of a package (hex), whichever of its modules an `evolve` calls.

    Coarse on purpose: a change that leaves states as they were costs a replay of the long streams,
    one that went unseen would cost their truth. Raises ValueError for a package without sources.
    """
    sources = sorted(
        (file.name, file.read_bytes())
        for file in files(package).iterdir()
        if file.name.endswith(".py")
    )
    if not sources:
        raise ValueError(f"{package} has no sources to tell its version by: deploy it with them")
    digest = sha256()
    for name, source in sources:
        digest.update(f"{name}\0{len(source)}\0".encode())
        digest.update(source)
    return digest.hexdigest()
