"""`careline token`: signs a demo principal in and prints its token."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from careline_cli.commands.options import data_of
from careline_cli.contact.accounts import agent_token, frontend_token, require_accounts
from careline_cli.contact.stubs import connected
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory


class Who(StrEnum):
    """The principals that a data directory has credentials of."""

    OPERATOR = "operator"
    AGENT = "agent"
    FRONTEND = "frontend"


def token(
    context: typer.Context,
    who: Annotated[Who, typer.Argument(help="Whose token to print.")] = Who.AGENT,
) -> None:
    """Sign a demo principal in and print its token."""
    typer.echo(asyncio.run(token_of(data_of(context), who)))


async def token_of(data: DataDirectory, who: Who) -> str:
    addresses = data.addresses()
    if who is Who.OPERATOR:
        return await OperatorToken(data, addresses).token()
    accounts = require_accounts(data.demo_accounts_file)
    async with connected(addresses.services) as stubs:
        if who is Who.AGENT:
            return await agent_token(stubs, accounts, data.agent_token_file).token()
        return await frontend_token(stubs, accounts).token()
