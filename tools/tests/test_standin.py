"""The stand-ins: formats that other programs read, the same bytes in every run, and garments as hard as they claim."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bindery import standin
from bindery.standin import formats, garments, sprites


@pytest.fixture(scope="module")
def clothes() -> Mapping[str, bytes]:
    """The files of the garments."""
    return standin.make("garments")


@pytest.fixture(scope="module")
def creatures() -> Mapping[str, bytes]:
    """The files of the sprites."""
    return standin.make("sprites")


@pytest.mark.parametrize("shape", [(3,), (2, 4, 5)])
def test_idx_is_what_its_specification_says(shape: tuple[int, ...]) -> None:
    """Two zeros, the type, the number of dimensions, each size as four bytes, then the data; gzipped without a date."""
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    packed = formats.idx(array)
    header = bytes((0, 0, 8, len(shape))) + b"".join(struct.pack(">I", size) for size in shape)
    assert header + array.tobytes() == gzip.decompress(packed)
    assert bytes(4) == packed[4:8]
    assert np.array_equal(array, formats.read_idx(packed))


def test_archive_does_not_depend_on_the_day() -> None:
    """The members keep their order, and all bear one date."""
    made = formats.archive({"b": b"1", "a/c": b"2"})
    with zipfile.ZipFile(io.BytesIO(made)) as source:
        assert [(info.filename, info.date_time[0]) for info in source.infolist()] == [("b", 2020), ("a/c", 2020)]


def test_every_class_has_as_many_pictures() -> None:
    """A classifier that guesses is wrong nine times out of ten."""
    pictures, labels = garments.split(300, np.random.default_rng(0))
    assert pictures.shape == (300, 28, 28)
    assert np.bincount(labels).tolist() == [30] * 10


def test_no_label_shows_in_a_plain_top() -> None:
    """What makes the error irreducible: of two fifths of three classes the pictures are drawn without the label."""
    coats, shirts = (garments.draw(name, True, 20, np.random.default_rng(1)) for name in ("coat", "shirt"))
    assert np.array_equal(coats, shirts)
    assert pytest.approx(0.4 * (2 / 3) * (3 / 10)) == garments.BAYES_ERROR


@pytest.mark.parametrize("kind", sprites.KINDS, ids=lambda kind: kind.name)
def test_sprites_are_symmetrical_and_stand_on_white(kind: sprites.Kind) -> None:
    """The right half mirrors the left, the corners are white, and no two creatures are the same."""
    pictures = sprites.draw(kind, 4, np.random.default_rng(2))
    assert pictures.shape == (4, 64, 64, 3)
    assert np.array_equal(pictures, pictures[:, :, ::-1])
    assert (pictures[:, [0, -1], 0] == 255).all()
    assert len(np.unique(pictures, axis=0)) == 4
    assert ((pictures != 255).any(axis=-1).mean(axis=(1, 2)) > 0.15).all()


@pytest.mark.slow
def test_another_process_draws_the_same_bytes(clothes: Mapping[str, bytes], creatures: Mapping[str, bytes]) -> None:
    """Nothing of the day, the process or the order of hashing is in the files."""
    code = (
        "import hashlib, json; from bindery import standin\n"
        "made = {**standin.make('garments'), **standin.make('sprites')}\n"
        "print(json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in made.items()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = {name: hashlib.sha256(content).hexdigest() for name, content in {**clothes, **creatures}.items()}
    assert json.loads(done.stdout) == here


@pytest.mark.slow
def test_picture_shows_both(clothes: Mapping[str, bytes], creatures: Mapping[str, bytes]) -> None:
    """Ten rows of garments, twenty in each, and below them the creatures, eight of a kind."""
    picture = formats.read_png(standin.sheet({"garments": clothes, "sprites": creatures}))
    assert picture.shape == (10 * 58 + 2 + 12 * 66 + 2, 20 * 58 + 2, 3)


@pytest.mark.slow
def test_torchvision_reads_the_garments(clothes: Mapping[str, bytes], tmp_path: Path) -> None:
    """The files, unpacked where torchvision keeps Fashion-MNIST, are that data set to it."""
    from torchvision.datasets import FashionMNIST

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in clothes.items():
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    for train, count in ((True, 12_000), (False, 2_000)):
        data = FashionMNIST(str(tmp_path), train=train)
        assert (count, 28, 28) == tuple(data.data.shape)
        assert [count // 10] * 10 == data.targets.bincount().tolist()


@pytest.mark.slow
def test_torchvision_reads_the_sprites(creatures: Mapping[str, bytes], tmp_path: Path) -> None:
    """Unpacked, they are folders of images, one for each kind."""
    from torchvision.datasets import ImageFolder

    with zipfile.ZipFile(io.BytesIO(creatures["pokemon.zip"])) as source:
        source.extractall(tmp_path)
    data = ImageFolder(str(tmp_path / "pokemon"))
    assert (len(data), len(data.classes)) == (768, 24)
    assert {((64, 64), "RGB")} == {(data[index][0].size, data[index][0].mode) for index in range(0, 768, 50)}


def error_of(net: Any, rate: float, data: list[Any], epochs: int = 10, batch: int = 64) -> float:
    """The test error of a network after training on 3,000 pictures, with a learning rate that falls to nothing."""
    import torch
    from torch import nn

    for layer in net:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
    X, y, X_test, y_test = data
    chosen = torch.randperm(len(X))[:3000]
    batches = [part for _ in range(epochs) for part in chosen[torch.randperm(len(chosen))].split(batch)]
    optimiser = torch.optim.SGD(net.parameters())
    for done, part in enumerate(batches):
        optimiser.param_groups[0]["lr"] = rate * (1 - done / len(batches))
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(X[part]), y[part]).backward()
        optimiser.step()
    with torch.no_grad():
        return float((net(X_test).argmax(1) != y_test).float().mean())


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from two threads, and lose much where the processor has other work."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_garments_tell_softmax_regression_mlp_and_lenet_apart(clothes: Mapping[str, bytes]) -> None:
    """Each network is better than the simpler one by a margin, for each seed, and none beats the irreducible error."""
    import torch
    from torch import nn

    def networks() -> Iterator[tuple[nn.Sequential, float]]:
        yield nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), 0.1
        yield nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)), 0.2
        yield (
            nn.Sequential(
                *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)),
                *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
                *(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
            ),
            0.3,
        )

    data: list[Any] = []
    for split in garments.SPLITS:
        pictures = formats.read_idx(clothes[f"{split}-images-idx3-ubyte.gz"])
        labels = formats.read_idx(clothes[f"{split}-labels-idx1-ubyte.gz"])
        data += [torch.tensor(pictures / 255, dtype=torch.float32)[:, None], torch.tensor(labels, dtype=torch.long)]
    for seed in (0, 1):
        torch.manual_seed(seed)
        softmax, mlp, lenet = (error_of(net, rate, data) for net, rate in networks())
        assert 0.3 > softmax > mlp + 0.04, (seed, softmax, mlp, lenet)
        assert mlp > lenet + 0.01, (seed, softmax, mlp, lenet)
        assert lenet > garments.BAYES_ERROR, (seed, softmax, mlp, lenet)
