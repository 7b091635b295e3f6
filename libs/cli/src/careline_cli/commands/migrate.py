"""`careline migrate`: brings the databases that its environment names to their newest version."""

import asyncio
import json

from runtime.settings import StoreSettings

from careline_cli import console
from careline_cli.commands.options import Json
from careline_cli.provision.external import migrate_external, settings_of_environment


def migrate(*, as_json: Json = False) -> None:
    """Bring the schemas of databases elsewhere to their newest version.

    Where they are and how to sign in is read from the environment, as services read it:
    CARELINE_DATABASE, CARELINE_KEYRING_DATABASE, CARELINE_VAULT_ADDRESS and so on. Again is a
    no-op. A platform on this machine needs no such call: `careline up` migrates.
    """
    schemas = asyncio.run(migrate_external(settings_of_environment(StoreSettings), console.say))
    if as_json:
        console.OUT.print_json(json.dumps({"schemas": schemas}))
    else:
        console.OUT.print(f"{len(schemas)} schemas are up to date", highlight=False)
