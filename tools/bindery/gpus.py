"""The GPUs of this machine, as NVIDIA's management library tells them: which there are, and what they hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from bindery.model import Gpu, Mistyped

_GIB = 2**30
_INTERVAL = 0.2
"""Seconds between two looks at a GPU's memory; a framework keeps what it once had, so that no peak is missed."""


def discover(choice: str, environment: Mapping[str, str]) -> tuple[Gpu, ...]:
    """The GPUs that sections may use: `auto` for all, `0` for none, a number for the first ones, or a list, `0,2`.

    Only those count that `CUDA_VISIBLE_DEVICES` leaves in sight. Raises `Mistyped` for a choice that cannot be met.
    """
    if choice == "0":
        return ()
    found = _visible(environment.get("CUDA_VISIBLE_DEVICES"))
    if choice == "auto":
        return found
    wanted = list(range(int(choice))) if choice.isdigit() else [int(each) for each in choice.split(",") if each]
    if not wanted or max(wanted) >= len(found):
        many = f"there are {len(found)}" if len(found) != 1 else "there is one"
        raise Mistyped(f"GPU slots {choice!r} were asked for, and {many} (`auto` takes what there is, `0` none)")
    return tuple(found[number] for number in wanted)


def _visible(shown: str | None) -> tuple[Gpu, ...]:
    """The GPUs in sight, in the order of the variable that may restrict them; numbers follow the order of the bus."""
    with _library() as nvml:
        if nvml is None:
            return ()
        if shown is None:
            handles = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
        else:
            handles = []
            for name in filter(None, (part.strip() for part in shown.split(","))):
                try:
                    number = int(name) if name.isdigit() else None
                    by_uuid, by_index = nvml.nvmlDeviceGetHandleByUUID, nvml.nvmlDeviceGetHandleByIndex
                    handles.append(by_uuid(name) if number is None else by_index(number))
                except nvml.NVMLError:
                    break  # CUDA, too, stops at the first that it does not know
        return tuple(
            Gpu(nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetMemoryInfo(handle).total / _GIB) for handle in handles
        )


class Meter:
    """How much memory GPUs have come to hold, over what they held at the beginning: GiB, the most of any of them."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self.peak: float | None = None

    def take(self, held: Sequence[float], before: Sequence[float]) -> None:
        """Hear what each GPU holds now."""
        self.peak = max(self.peak or 0.0, *(now - then for now, then in zip(held, before, strict=True)))


@contextmanager
def measured(gpus: Sequence[Gpu]) -> Iterator[Meter]:
    """Look at the memory of these GPUs again and again while the block runs."""
    meter, over = Meter(), threading.Event()

    def look() -> None:
        with _library() as nvml:
            if nvml is None:
                return
            with suppress(nvml.NVMLError):
                handles = [nvml.nvmlDeviceGetHandleByUUID(gpu.name) for gpu in gpus]
                before = held = [nvml.nvmlDeviceGetMemoryInfo(handle).used / _GIB for handle in handles]
                while True:
                    meter.take(held, before)
                    if over.wait(_INTERVAL):
                        return
                    held = [nvml.nvmlDeviceGetMemoryInfo(handle).used / _GIB for handle in handles]

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield meter
    finally:
        over.set()
        looking.join()


@contextmanager
def _library() -> Iterator[Any]:
    """NVIDIA's library, None where there is no driver."""
    import pynvml  # type: ignore[import-untyped]  # it has no types

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()
