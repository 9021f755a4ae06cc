"""Trent for tests in Python: starts a server as a process, and moves its clock, asks for faults and empties it
through the test API. It needs nothing but the standard library; ``Trent.client`` needs boto3."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Mapping, Sequence, Union

__all__ = ["Clock", "Faults", "Seed", "Trent", "TrentError", "start"]

Seed = Union[str, "os.PathLike[str]", Mapping[str, Any]]
"""A file for ``trent apply``, or what such a file says."""

_READY = re.compile(r"^Trent is ready on (\S+): account (\d{12})")
_STOP_SECONDS = 30


class TrentError(Exception):
    """The server did not start, or refused. The message is its own line."""


def start(
    *,
    command: str | Sequence[str] = "trent",
    seed: Seed | None = None,
    settings: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Trent:
    """Starts a server on a free port, with data of its own.

    :param seed: accounts, users and keys that it starts with, and that a reset returns to
    :param settings: further settings, ``TRENT_…``
    :param timeout: seconds that the start may take
    :raises TrentError: with the line of a refused start
    """
    directory = Path(tempfile.mkdtemp(prefix="trent-testing-"))
    words = shlex.split(command) if isinstance(command, str) else list(command)
    given = {
        "TRENT_LISTEN": "127.0.0.1:0",
        "TRENT_DATA_DIR": str(directory / "data"),
        "TRENT_TEST_API": "on",
        "TRENT_CONSOLE": "off",
        "TRENT_ROOT_ACCESS_KEY_ID": "TRENTTEST",
        "TRENT_ROOT_SECRET_ACCESS_KEY": secrets.token_urlsafe(24),
        **(settings or {}),
    }
    process = _Process(words, directory, given)
    try:
        first = None if seed is None else process.seed_file(seed, "seed.json")
        url, account_id = process.serve(first, timeout)
    except BaseException:
        process.stop()
        raise
    return Trent(
        url=url,
        account_id=account_id,
        region=given.get("TRENT_REGION", "us-west-2"),
        access_key_id=given["TRENT_ROOT_ACCESS_KEY_ID"],
        secret_access_key=given["TRENT_ROOT_SECRET_ACCESS_KEY"],
        _process=process,
        _first=first,
    )


class _Process:
    """The process of a server, and its directory."""

    def __init__(self, command: Sequence[str], directory: Path, settings: Mapping[str, str]) -> None:
        self._command = list(command)
        self._directory = directory
        self._server: subprocess.Popen[str] | None = None
        # Without the settings of the tests themselves, and without flags for the Node of others.
        others = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TRENT_", "AWS_")) and name != "NODE_OPTIONS"
        }
        self._environment = {**others, **settings}
        self._log = directory / "log"

    def seed_file(self, seed: Seed, name: str) -> str:
        if not isinstance(seed, Mapping):
            return str(Path(seed).resolve())
        file = self._directory / name
        file.write_text(json.dumps(seed))
        return str(file)

    def serve(self, seed: str | None, timeout: float) -> tuple[str, str]:
        environment = {**self._environment, **({} if seed is None else {"TRENT_APPLY": seed})}
        with self._log.open("w") as log:
            try:
                self._server = server = subprocess.Popen(
                    [*self._command, "serve", "--log", "json"],
                    cwd=self._directory,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            except OSError as error:
                raise TrentError(f"Trent cannot be run as {self._command}: {error}") from error
        found: list[tuple[str, str]] = []
        ended = threading.Event()

        def read() -> None:
            assert server.stdout is not None
            # Reads to the end, so that the server never waits for its reader.
            for line in server.stdout:
                match = _READY.match(line)
                if match:
                    found.append((match[1], match[2]))
                    ended.set()
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        if not ended.wait(timeout):
            raise TrentError(f"Trent was not ready within {timeout} seconds: {self.log()}")
        if not found:
            server.wait()
            raise TrentError(f"Trent did not start: {self.log().strip()}")
        return found[0]

    def apply(self, file: str) -> None:
        applied = subprocess.run(
            [*self._command, "apply", file],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if applied.returncode != 0:
            raise TrentError(f"the seed was refused: {applied.stderr.strip()}")

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def _call(url: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{url}/_trent/test/{path}", data=data, headers={"Content-Type": "application/json"}
    )
    # Proxies of the environment are for other machines.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise TrentError(f"the test API refused {path}: {error.read().decode()}") from error
    return json.loads(text) if text else {}


def _time_of(answer: Mapping[str, str]) -> datetime:
    # Python 3.9 does not read the Z.
    return datetime.fromisoformat(answer["now"].replace("Z", "+00:00"))


@dataclass(frozen=True)
class Clock:
    """The clock of the server."""

    _url: str

    def now(self) -> datetime:
        return _time_of(_call(self._url, "clock"))

    def advance(self, by: str) -> datetime:
        """:param by: such as ``91d``: ``s``, ``m``, ``h``, ``d``"""
        return _time_of(_call(self._url, "clock", {"advance": by}))

    def set(self, to: datetime) -> datetime:
        """:param to: with a time zone"""
        return _time_of(_call(self._url, "clock", {"set": to.isoformat()}))


@dataclass(frozen=True)
class Faults:
    """KMS operations that fail or answer late."""

    _url: str

    def list(self) -> Any:
        return _call(self._url, "faults")["faults"]

    def set(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Replaces all faults."""
        _call(self._url, "faults", {"faults": [dict(fault) for fault in faults]})

    def clear(self) -> None:
        self.set([])


@dataclass(frozen=True)
class Trent:
    """A running server of the tests."""

    url: str
    account_id: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    _process: _Process = field(repr=False)
    _first: str | None = field(repr=False)

    @property
    def clock(self) -> Clock:
        return Clock(self.url)

    @property
    def faults(self) -> Faults:
        return Faults(self.url)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the AWS SDKs and the AWS CLI read, for a process of your own."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def client(self, service: str = "kms", **options: Any) -> Any:
        """A client of boto3, as the root user of the first account."""
        import boto3

        usual = {
            "endpoint_url": self.url,
            "region_name": self.region,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
        }
        return boto3.client(service, **{**usual, **options})

    def seed(self, seed: Seed) -> None:
        """Applies a further seed."""
        self._process.apply(self._process.seed_file(seed, "further-seed.json"))

    def reset(self) -> None:
        """Empties the server, and applies the seed of its start again."""
        _call(self.url, "reset", {})
        if self._first is not None:
            self._process.apply(self._first)

    def log(self) -> str:
        """What the server has logged, in JSON lines."""
        return self._process.log()

    def stop(self) -> None:
        """Ends the server and removes its data."""
        self._process.stop()
