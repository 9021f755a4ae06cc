"""The pytest plugin: the fixture ``trent_kms``, a server for the whole session."""

from __future__ import annotations

from typing import Iterator

import pytest

from . import Trent, start


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("trent_kms_command", "the command that runs Trent", default="trent")
    parser.addini("trent_kms_seed", "a file of accounts, users and keys", type="string", default="")
    parser.addini("trent_kms_settings", "further settings, TRENT_NAME=value", type="linelist")


@pytest.fixture(scope="session")
def trent_kms(pytestconfig: pytest.Config) -> Iterator[Trent]:
    """A running server, which the session's end stops."""
    seed = pytestconfig.getini("trent_kms_seed")
    settings = dict(line.split("=", 1) for line in pytestconfig.getini("trent_kms_settings"))
    server = start(
        command=pytestconfig.getini("trent_kms_command"),
        seed=str(pytestconfig.rootpath / seed) if seed else None,
        settings=settings,
    )
    yield server
    server.stop()
