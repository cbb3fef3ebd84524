"""Drift in whole: a book that trains in real kernels, held against its baseline by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from building import bindery, edit, write

BOOK = """\
=== chapters/book.yml
title: Tiny
version: 0.0.1
authors: [{name: Ada}]
=== chapters/index.md
# Tiny

```{toctree}
:numbered:

one/index
```
=== chapters/one/index.md
# One

```{toctree}
train
plain
```
=== chapters/one/train.md
# Training

```{code-cell} python
%config InlineBackend.figure_formats = ['svg']
import torch
from matplotlib import pyplot as plt

lr = 0.1
scale = 1
```

```{code-cell} python
torch.manual_seed(0)
X = torch.randn(256, 20)
y = X @ torch.randn(20) + 0.1 * torch.randn(256)
net = torch.nn.Sequential(torch.nn.Linear(20, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
optimizer = torch.optim.SGD(net.parameters(), lr)
losses = []
for epoch in range(30):
    loss = ((net(X)[:, 0] * scale - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f'{len(losses)} epochs, loss {losses[-1]:.6f}')
print('difference from the last loss:', abs(loss.item() / losses[-1] - scale))
```

```{code-cell} python
plt.plot(losses);
```

```{code-cell} python
plt.imshow(net[0].weight.detach());
```
=== chapters/one/plain.md
# Plain

```{code-cell} python
import os
print('threads', os.environ.get('SEEN', 'as ever'))
```
"""
FILE = "chapters/.baseline/full-standin-cpu/one/train.json"


@pytest.fixture(scope="session")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book whose sections have a baseline of one run."""
    root = tmp_path_factory.mktemp("drift") / "book"
    write(root, BOOK)
    code, out, errors = bindery(root, "drift", "accept", "one")
    assert (code, errors) == (0, "")
    assert f"accepted one/train: 3 outputs of one run, 0 numbers with bands, in {FILE}" in out
    return root


@pytest.fixture
def root(accepted: Path, tmp_path: Path) -> Path:
    """A copy of that book, to be changed."""
    return Path(shutil.copytree(accepted, tmp_path / "book", symlinks=True))


def page_of(root: Path) -> str:
    """The page of what has moved."""
    return (root / "build" / "report" / "drift.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_wrong_learning_rate_is_caught(root: Path) -> None:
    """Training with another rate moves number and curve: both are told at their cells, and shown before and after."""
    edit(root, "one/train.md", "lr = 0.1", "lr = 0.01")
    code, _, errors = bindery(root, "drift")
    number, curve, count = errors.splitlines()
    assert code == 1
    assert number.startswith("chapters/one/train.md:13: epochs loss: 0.1936")
    assert curve.startswith("chapters/one/train.md:30: ")
    assert "line 1: moved by " in curve
    assert count.startswith("2 problems")
    page = page_of(root)
    assert page.count("data:image/svg+xml;base64,") == 2, (
        "the whole plot of both sides, since the cache has the old one"
    )
    assert "<mark>0.1936" in page
    report = json.loads((root / "build/report/report.json").read_text(encoding="utf-8"))
    assert [problem["rule"] for problem in report["problems"]] == ["drift", "drift"]
    assert '<a href="drift.html">' in (root / "build/report/index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_what_is_accepted_is_silent(root: Path) -> None:
    """After `accept` the same outputs are the baseline, on a machine that has only that file as well."""
    edit(root, "one/train.md", "lr = 0.1", "lr = 0.01")
    before = (root / FILE).read_bytes()
    assert bindery(root, "drift", "accept", "one/train")[::2] == (0, "")
    assert (root / FILE).read_bytes() != before
    shutil.rmtree(root / "build")
    code, out, errors = bindery(root, "drift")
    assert (code, errors) == (0, "")
    assert "drift: 2 sections compared, 0 outputs have moved" in out
    assert "Nothing has moved" in page_of(root)


@pytest.mark.slow
def test_rounding_of_another_machine_is_not_caught(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other instructions, another number of threads and values off by a millionth are no drift, and do change bits."""
    edit(root, "one/train.md", "scale = 1\n", "scale = 1 + 1e-6\n")
    for name, value in {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "AVX", "ONEDNN_MAX_CPU_ISA": "AVX"}.items():
        monkeypatch.setenv(name, value)
    code, out, errors = bindery(root, "--slots", "1", "drift")
    assert (code, errors) == (0, "")
    assert "sections: 1 run, 1 unchanged" in out
    text = json.loads((root / FILE).read_text(encoding="utf-8"))["cells"][1]["outputs"][0]["text"]
    assert bindery(root, "drift", "accept", "one/train")[0] == 0
    assert json.loads((root / FILE).read_text(encoding="utf-8"))["cells"][1]["outputs"][0]["text"] != text


@pytest.mark.slow
def test_noise_is_learned_from_runs(root: Path) -> None:
    """What differs between runs gets a band and is no drift in a later one; a new baseline is learned from as many."""
    noisy = "print('loss', 100 + int(os.environ['OMP_NUM_THREADS']), 'of 3')"
    edit(root, "one/plain.md", "print('threads', os.environ.get('SEEN', 'as ever'))", noisy)
    assert bindery(root, "drift")[0] == 1
    code, out, errors = bindery(root, "drift", "accept", "one/plain", "--runs", "4")
    assert (code, errors) == (0, "")
    assert "accepted one/plain: 1 outputs of 4 runs, 1 numbers with bands" in out
    edit(root, "one/plain.md", "100 +", "102 +")
    assert bindery(root, "drift")[::2] == (0, "")
    edit(root, "one/plain.md", "102 +", "150 +")
    code, _, errors = bindery(root, "drift")
    assert code == 1
    assert errors.startswith("chapters/one/plain.md:4: loss: 10")
    assert "accepted one/plain: 1 outputs of 4 runs" in bindery(root, "drift", "accept", "one/plain")[1]
    assert not list((root / "build" / "run").glob("again-*"))


@pytest.mark.slow
def test_a_missing_baseline_is_said_plainly(root: Path) -> None:
    """A section without a baseline, and a baseline without its section, are problems that say what to do."""
    (root / FILE).rename(root / FILE.replace("train", "gone"))
    code, out, errors = bindery(root, "drift")
    assert code == 1
    assert "drift: 1 sections compared" in out
    stale, lacking, _ = errors.splitlines()
    assert lacking == (
        f"chapters/one/train.md:1: there is no baseline {FILE}; `bindery drift accept one/train` records one [drift]"
    )
    gone = FILE.replace("train", "gone")
    assert stale.startswith(f"{gone}:1: the baseline of a section that the book has no longer")


@pytest.mark.slow
def test_a_section_that_fails_does_not_hide_what_has_moved_in_others(root: Path) -> None:
    """A failed claim is told beside the drift of the sections that ran to their end."""
    edit(root, "one/train.md", "lr = 0.1", "assert False")
    edit(root, "one/plain.md", "as ever", "as never")
    code, out, errors = bindery(root, "drift")
    assert code == 1
    assert "drift: 1 sections compared, 1 outputs have moved" in out
    assert "chapters/one/plain.md:4: ever → never [drift]" in errors
    assert "chapters/one/train.md:8: AssertionError [cell-raised]" in errors


@pytest.mark.slow
def test_a_run_to_learn_from_that_fails_is_not_accepted(root: Path) -> None:
    """A claim that holds on this machine only shows itself while noise is learned, and the old baseline stays."""
    edit(root, "one/plain.md", "print('threads'", "assert 'ATEN_CPU_CAPABILITY' not in os.environ\nprint('threads'")
    before = sorted((root / "chapters" / ".baseline").rglob("*.json"))
    kept = [file.read_bytes() for file in before]
    code, _, errors = bindery(root, "drift", "accept", "one/plain", "--runs", "2")
    assert code == 1
    assert errors.startswith("chapters/one/plain.md:5: AssertionError [cell-raised]")
    assert [file.read_bytes() for file in before] == kept
