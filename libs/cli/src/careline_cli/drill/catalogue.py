"""Which drills there are, by name."""

from collections.abc import Mapping
from typing import Final

from careline_cli.drill.scenario import Scenario
from careline_cli.drill.scenarios.database_lost import DatabaseLost
from careline_cli.drill.scenarios.erased_patient import ErasedPatient
from careline_cli.drill.scenarios.jetstream_lost import JetstreamLost
from careline_cli.drill.scenarios.keyring_lost import KeyringLost
from careline_cli.drill.scenarios.point_in_time import PointInTime
from careline_cli.drill.scenarios.vault_lost import VaultLost

_ALL: Final[tuple[Scenario, ...]] = (
    DatabaseLost(),
    JetstreamLost(),
    PointInTime(),
    ErasedPatient(),
    KeyringLost(),
    VaultLost(),
)
SCENARIOS: Final[Mapping[str, Scenario]] = {one.name: one for one in _ALL}
