"""The shared cache: results that another machine has made, at any URL that fsspec knows.

Beside the results lies a manifest for each profile and kind of data. It names, for each section of the book that was
built last, the key and the environment of its result, and the digest of the file. A reader takes nothing whose bytes
have another digest. Whatever goes wrong on the way is told once, and the build goes on without the shared cache.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")

FORMAT = 1
PATIENCE = 20.0
"""Seconds that one file may take in either direction."""


@dataclass(frozen=True)
class Listed:
    """What the manifest says of the result of one section."""

    key: str
    environment: Mapping[str, str]
    path: str
    """Relative to the cache."""
    sha256: str


class SharedCache:
    """A cache that other machines read or fill, too; `say` tells the user what does not work."""

    def __init__(self, url: str, manifest: str, write: bool, say: Callable[[str], None]) -> None:
        """Nothing is read yet; `manifest` tells one kind of build from the others, such as `full-real`."""
        self.url = url
        self.write = write
        self._name = f"manifest-{manifest}.json"
        self._say = say
        self._usable = True
        self._listed: dict[str, Listed] | None = None

    def listed(self, section: str, key: str, environment: Mapping[str, str]) -> Listed | None:
        """What is there of a section.

        One who only reads takes a result whatever environment made it, and so needs neither that device nor the
        packages; one who fills the cache takes only what this environment would make.
        """
        found = self._manifest().get(section)
        if found and found.key == key and (not self.write or found.environment == environment):
            return found
        return None

    def fetch(self, listed: Listed) -> bytes | None:
        """The bytes of a result, if they are those that the manifest names."""
        content = self._within(partial(self._read, listed.path))
        if content is None or hashlib.sha256(content).hexdigest() == listed.sha256:
            return content
        self._give_up(f"{listed.path} is damaged")
        return None

    def publish(self, results: Mapping[str, tuple[Listed, bytes]]) -> int:
        """Put results there, and then the manifest that lists them; says how many were new."""
        known = dict(self._manifest())
        new = {name: each for name, each in results.items() if known.get(name) != each[0]}
        for listed, content in new.values():
            self._within(partial(self._write, listed.path, content))
        if not new or not self._usable:
            return 0
        known |= {name: listed for name, (listed, _) in new.items()}
        manifest = {"format": FORMAT, "results": {name: asdict(each) for name, each in sorted(known.items())}}
        content = (json.dumps(manifest, indent=1) + "\n").encode()
        self._within(partial(self._write, self._name, content))
        return len(new) if self._usable else 0

    def _manifest(self) -> dict[str, Listed]:
        if self._listed is None:
            self._listed = {}
            content = self._within(partial(self._read, self._name, missing=b""))
            if content:
                try:
                    manifest = json.loads(content)
                    if manifest["format"] == FORMAT:
                        self._listed = {name: Listed(**each) for name, each in manifest["results"].items()}
                except (ValueError, KeyError, TypeError, AttributeError):
                    self._give_up(f"{self._name} is damaged")
        return self._listed

    def _read(self, path: str, missing: bytes | None = None) -> bytes:
        files, root = self._files()
        try:
            content: bytes = files.cat_file(f"{root}/{path}")
        except FileNotFoundError:
            if missing is None:
                raise
            return missing
        return content

    def _write(self, path: str, content: bytes) -> None:
        files, root = self._files()
        target = f"{root}/{path}"
        files.makedirs(target.rpartition("/")[0], exist_ok=True)
        with files.transaction, files.open(target, "wb") as stream:
            stream.write(content)

    def _files(self) -> tuple[Any, str]:
        import fsspec  # type: ignore[import-untyped]  # it has no types; only who uses a shared cache waits for it

        files, root = fsspec.core.url_to_fs(self.url)
        return files, root.rstrip("/")

    def _within(self, work: Callable[[], Result]) -> Result | None:
        """What the work gives, unless it fails or takes too long; from then on, nothing."""
        if not self._usable:
            return None
        done: Future[Result] = Future()

        def try_it() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # of whatever kind the storage's own package has
                done.set_exception(error)

        threading.Thread(target=try_it, daemon=True).start()
        try:
            return done.result(PATIENCE)
        except TimeoutError:
            self._give_up(f"no answer within {PATIENCE:.0f} seconds")
        except Exception as error:
            self._give_up(f"{type(error).__name__}: {error}".split("\n")[0])
        return None

    def _give_up(self, reason: str) -> None:
        self._usable = False
        self._say(f"shared cache: {reason}; the build goes on without it ({_without_secrets(self.url)})")


def _without_secrets(url: str) -> str:
    """A URL without the user and password that may stand in it."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
