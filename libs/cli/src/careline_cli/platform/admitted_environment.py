"""What one more process of a service that runs on this machine is started with."""

from pathlib import Path

from embedded import write_private
from runtime.settings import PREFIX

from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.provisioner import provisioner
from careline_cli.platform.service_settings import service_settings


def admitted_environment(data: DataDirectory, service: str, folder: Path) -> dict[str, str]:
    """Have one more process of a service admitted, as a restarted one is; gives its variables.

    `folder` takes its role id and its secret id, which is good for one sign-in within minutes.
    Raises DataDirectoryError.
    """
    addresses = data.addresses()
    settings = service_settings(data, addresses, service)
    # The service itself archives its log.
    del settings["ARCHIVE_URL"]
    with provisioner(data, addresses.vault) as vault:
        ids = {"ROLE_ID": vault.role_id(service), "SECRET_ID": vault.wrapped_secret_id(service)}
    for name, value in ids.items():
        file = folder / name.lower().replace("_", "-")
        write_private(file, value)
        settings[f"VAULT_{name}_FILE"] = str(file)
    return {f"{PREFIX}{name}": value for name, value in settings.items()}
