"""Runs a script of several statements, which a prepared statement cannot hold."""

from typing import cast

from sqlalchemy import AdaptedConnection, Connection


def run_script(connection: Connection, script: str) -> None:
    """Run it on the connection, in its transaction, which an earlier statement has begun."""
    adapted = cast("AdaptedConnection", connection.connection.dbapi_connection)
    adapted.run_async(lambda driver: driver.execute(script))
