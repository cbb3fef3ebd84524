"""Code as others have written it against the library's names runs on the installed wheel, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import run_python

pytestmark = pytest.mark.slow

NAMES = """
use_svg_display set_figsize set_axes plot Timer add_to_class HyperParameters ProgressBoard Module DataModule Trainer
SyntheticRegressionData load_array LinearRegressionScratch SGD LinearRegression
DATA_HUB DATA_URL download extract download_extract FashionMNIST show_images get_dataloader_workers
Classifier SoftmaxRegression DropoutMLP cpu gpu num_gpus try_gpu try_all_gpus corr2d init_cnn LeNet
HPOTrainer HPOSearcher RandomSearcher HPOScheduler BasicScheduler HPOTuner hpo_objective_lenet
SuccessiveHalvingScheduler update_D update_G Animator Accumulator G_block D_block accuracy evaluate_loss
DataModule.get_tensorloader Trainer.prepare_batch Trainer.fit_epoch Trainer.clip_gradients Module.apply_init
Classifier.accuracy Classifier.loss Classifier.layer_summary HPOTrainer.validation_error
"""
"""What the first edition promises to have in its library."""

START = """
import matplotlib
matplotlib.use("Agg")
import torch
from torch import nn
from d2l import torch as d2l

torch.manual_seed(0)

class Blobs(d2l.DataModule):
    # Two classes of 8 by 8 images: bright on the left, bright on the right.
    def __init__(self, n=96, batch_size=32):
        super().__init__()
        self.save_hyperparameters()
        self.y = torch.arange(n) % 2
        self.X = 0.1 * torch.randn(n, 1, 8, 8)
        self.X[self.y == 0, :, :, :4] += 1
        self.X[self.y == 1, :, :, 4:] += 1

    def get_dataloader(self, train):
        i = slice(0, 64) if train else slice(64, None)
        return self.get_tensorloader((self.X, self.y), train, i)

class Net(d2l.Classifier):
    def __init__(self, width=8, lr=0.2):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.LazyConv2d(width, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))

data = Blobs()
first = [next(iter(data.get_dataloader(True)))[0]]

"""

PIECES = {
    "a model of one's own is trained by fit": """
class Counting(Net):
    def training_step(self, batch):
        self.trained = getattr(self, "trained", 0) + 1
        loss = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", loss, train=True)
        return loss

    def validation_step(self, batch):
        self.validated = getattr(self, "validated", 0) + 1
        self.seen = self.accuracy(self(*batch[:-1]), batch[-1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr / 10)

model = Counting()
model.apply_init(first, d2l.init_cnn)
d2l.Trainer(max_epochs=5, num_gpus=1).fit(model, data)
assert (model.trained, model.validated) == (10, 5)
assert float(model.seen) > 0.9
assert all(not p.is_cuda for p in model.parameters()) or d2l.num_gpus()
""",
    "training goes on by fit_epoch": """
trainer = d2l.HPOTrainer(max_epochs=1, num_gpus=1)
model, errors = Net(lr=0.1), []
model.apply_init(first, d2l.init_cnn)
for epoch in range(1, 6):
    if epoch == 1:
        trainer.fit(model=model, data=data)
    else:
        trainer.fit_epoch()
    errors.append(float(trainer.validation_error().cpu().detach().numpy()))
assert torch.is_tensor(trainer.validation_error())
assert errors[-1] < 0.1 and all(0 <= error <= 1 for error in errors)
""",
    "hyperparameters are kept, but for those ignored": """
class Settings(d2l.HyperParameters):
    def __init__(self, depth, width=3, path="here", **others):
        self.save_hyperparameters(ignore=["path"])

kept = Settings(2, rate=0.5)
assert kept.hparams == {"depth": 2, "width": 3, "others": {"rate": 0.5}}, kept.hparams
assert (kept.depth, kept.width) == (2, 3) and not hasattr(kept, "path")
""",
    "loaders of a data module give batches": """
train, val = data.train_dataloader(), data.val_dataloader()
assert (len(train), len(val)) == (2, 1)
X, y = next(iter(val))
assert X.shape == (32, 1, 8, 8) and torch.equal(y, data.y[64:])
shuffled = torch.cat([y for _, y in train])
assert sorted(shuffled.tolist()) == sorted(data.y[:64].tolist())
""",
    "lazy layers are initialised": """
model = Net()
model.apply_init([first[0][:1]], d2l.init_cnn)
convolution, dense = model.net[0], model.net[3]
assert convolution.weight.shape == (8, 1, 3, 3) and dense.in_features == 8 * 6 * 6
assert float(convolution.bias.detach().abs().sum() + dense.bias.detach().abs().sum()) == 0
bound = (6 / (9 + 72)) ** 0.5
assert float(convolution.weight.detach().abs().max()) <= bound
""",
    "an animator draws beside its curves": """
animator = d2l.Animator(xlabel="epoch", ylabel="loss", xlim=[1, 3], nrows=2, figsize=(5, 5),
                        legend=["discriminator", "generator"])
animator.fig.subplots_adjust(hspace=0.3)
for epoch in range(1, 4):
    animator.axes[1].cla()
    animator.axes[1].scatter([0, 1], [1, epoch])
    animator.add(epoch, (1 / epoch, 2 / epoch))
lines = animator.axes[0].get_lines()
assert [list(line.get_ydata()) for line in lines] == [[1, 1 / 2, 1 / 3], [2, 1, 2 / 3]]
assert [text.get_text() for text in animator.axes[0].get_legend().get_texts()] == ["discriminator", "generator"]
""",
    "sums and times": """
metric = d2l.Accumulator(3)
metric.add(1, torch.tensor(2.5), 3)
metric.add(1, 0.5, 3)
assert (metric[0], metric[1] / metric[0], metric[-1]) == (2, 1.5, 6)
metric.reset()
assert metric[2] == 0
timer = d2l.Timer()
sum(range(100_000))
assert 0 < timer.stop() == timer.times[0]
timer.start()
timer.stop()
assert timer.sum() >= timer.avg() > 0 and len(timer.cumsum()) == 2
""",
    "archives are fetched, checked and unpacked": """
import hashlib, os, zipfile
os.makedirs("work/here")
os.chdir("work/here")
with zipfile.ZipFile("animals.zip", "w") as archive:
    archive.writestr("animals/cats/1.txt", "cat")
checksum = hashlib.sha1(open("animals.zip", "rb").read()).hexdigest()
d2l.DATA_HUB["animals"] = ("file://" + os.path.abspath("animals.zip"), checksum)
folder = d2l.download_extract("animals")
assert os.path.isdir(folder) and os.listdir(folder) == ["cats"]
path = d2l.download("animals")
assert os.path.samefile(os.path.dirname(path), "../data")
assert isinstance(d2l.DATA_URL, str) and d2l.DATA_URL.endswith("/")
assert d2l.DATA_HUB["pokemon"] == (d2l.DATA_URL + "pokemon.zip", "c065c0e2593b8b161a2d7873e42418bf6a21106c")
""",
    "images are shown on axes that come back": """
axes = d2l.show_images(torch.rand(6, 8, 8), 2, 3, titles=list("abcdef"))
assert len(axes) == 6 and [axis.get_title() for axis in axes] == list("abcdef")
assert all(len(axis.get_images()) == 1 for axis in axes)
for axis in axes:
    axis.set_title("again")
""",
    "adversaries are stepped one by one": """
G, D = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1))
loss = nn.BCEWithLogitsLoss(reduction="sum")
X, Z = torch.randn(8, 2) + 3, torch.randn(8, 2)
before = [[p.clone() for p in net.parameters()] for net in (D, G)]
value = d2l.update_D(X, Z, D, G, loss, torch.optim.Adam(D.parameters(), lr=0.05))
assert value.ndim == 0 and all(torch.equal(a, b) for a, b in zip(before[1], G.parameters()))
d2l.update_G(Z, D, G, loss, torch.optim.Adam(G.parameters(), lr=0.005))
assert not any(torch.equal(a, b) for a, b in zip(before[0], D.parameters()))
assert not any(torch.equal(a, b) for a, b in zip(before[1], G.parameters()))
""",
    "a searcher, a scheduler and a tuner of one's own": """
class Steps(d2l.HPOSearcher):
    def __init__(self):
        self.seen = []

    def sample_configuration(self):
        return {"x": len(self.seen)}

    def update(self, config, error, additional_info=None):
        self.seen.append((config["x"], error))

searcher = Steps()
tuner = d2l.HPOTuner(scheduler=d2l.BasicScheduler(searcher), objective=lambda x: torch.tensor((x - 2.0) ** 2))
tuner.run(number_of_trials=4)
assert searcher.seen == [(0, 4.0), (1, 1.0), (2, 0.0), (3, 1.0)]
assert tuner.incumbent == {"x": 2} and tuner.incumbent_error == 0
assert tuner.incumbent_trajectory == [4.0, 1.0, 0.0, 0.0] and len(tuner.cumulative_runtime) == 4
""",
}
"""What such code counts on, by what it shows."""


def test_library_has_the_names_of_the_first_edition(python: Path, tmp_path: Path) -> None:
    """Each of them, methods included, is there and says what it is."""
    code = f"""
import operator
from d2l import torch as d2l
for name in {NAMES.split()}:
    thing = operator.attrgetter(name)(d2l)
    assert not callable(thing) or thing.__doc__, name
"""
    run_python(python, code, tmp_path)


@pytest.mark.parametrize("piece", PIECES)
def test_code_of_others_runs(python: Path, tmp_path: Path, piece: str) -> None:
    """Without an error, without a warning."""
    run_python(python, START + PIECES[piece], tmp_path)
