import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

pl = pytest.importorskip("lightning.pytorch")

from hyperribbon.callbacks import LightningRecorder  # noqa: E402


class Module(pl.LightningModule):
    """A linear network with dropout, which may fail or diverge at some step."""

    def __init__(self, fails=None, diverges=None):
        super().__init__()
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(4, 3))
        self.fails, self.diverges = fails, diverges

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, k):
        assert self.training and self.net[0].training
        if self.global_step == self.fails:
            raise ZeroDivisionError
        x, y = batch
        return cross_entropy(self(x), y) * (torch.nan if self.global_step == self.diverges else 1)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def dataset(data):
    return TensorDataset(*map(torch.as_tensor, data))


@pytest.fixture
def fit(tmp_path, dataset):
    """Function training a module with a callback, 4 batches per epoch."""

    def train(module, callback, epochs=2, **options):
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=epochs, callbacks=[callback], **quiet, **options,
            enable_checkpointing=False, default_root_dir=tmp_path,
        )  # fmt: skip
        trainer.fit(module, DataLoader(dataset, batch_size=6, shuffle=True))

    return train


pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_training_is_recorded_from_the_start_to_the_end(fit, tmp_path, dataset, read, data):
    module = Module()
    with torch.no_grad():
        before = module.eval()(dataset.tensors[0]).softmax(1)
    module.train()
    fit(module, LightningRecorder(tmp_path / "net", dataset, network="Net", every=3))
    store = read()
    assert store["step"].values.tolist() == [0, 3, 6, 8]
    P = store["train_predictions"][0].values
    np.testing.assert_allclose(P[0], before, atol=1e-6)
    with torch.no_grad():
        after = module.eval()(dataset.tensors[0]).softmax(1)
    np.testing.assert_allclose(P[-1], after, atol=1e-6)
    np.testing.assert_array_equal(store["train_label"], data[1])


def test_every_epoch_and_accumulated_gradients(fit, tmp_path, dataset, steps_of):
    fit(Module(), LightningRecorder(tmp_path / "net", dataset, network="Net"), 3)
    assert steps_of() == [0, 4, 8, 12]
    callback = LightningRecorder(tmp_path / "other", dataset, network="Net", every=1)
    fit(Module(), callback, accumulate_grad_batches=2)
    assert steps_of("other") == [0, 1, 2, 3, 4]


def test_an_exception_loses_nothing_and_a_divergence_is_published(fit, tmp_path, dataset, read):
    def callback():
        return LightningRecorder(tmp_path / "net", dataset, network="Net", every=2)

    with pytest.raises(ZeroDivisionError):
        fit(Module(fails=5), callback())
    assert (tmp_path / "net.recording").exists() and not (tmp_path / "net.zarr").exists()
    fit(Module(diverges=4), callback())
    store = read()
    assert store["step"].values.tolist() == [0, 2, 4, 6]
    assert store["diverged_step"].values.tolist() == [6]
    assert np.isfinite(store["train_predictions"][0, :3]).all()


def test_the_library_under_its_other_name(tmp_path, dataset, steps_of):
    other = pytest.importorskip("pytorch_lightning")

    class Other(other.LightningModule):
        forward, training_step = Module.forward, Module.training_step
        configure_optimizers = Module.configure_optimizers

        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(4, 3))
            self.fails = self.diverges = None

    trainer = other.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, default_root_dir=tmp_path,
        callbacks=[LightningRecorder(tmp_path / "net", dataset, network="Net")],
    )  # fmt: skip
    trainer.fit(Other(), DataLoader(dataset, batch_size=6))
    assert steps_of() == [0, 4]
