import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from torch.utils.data import DataLoader  # noqa: E402

import hyperribbon as hr  # noqa: E402
from hyperribbon.callbacks import TransformersRecorder  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

SIZES = {
    "vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 16, "max_position_embeddings": 16, "num_labels": 3,
}  # fmt: skip


@pytest.fixture
def items():
    """Tokenised texts of unequal lengths, with their classes, as mappings."""
    rng = np.random.default_rng(0)
    return [
        {
            "input_ids": (ids := rng.integers(4, 20, size=3 + k % 4).tolist()),
            "attention_mask": [1] * len(ids),
            "labels": ids[0] % 3,
        }
        for k in range(24)
    ]


def collate(items):
    """As ``DataCollatorWithPadding``, which needs a tokeniser."""
    width = max(len(item["input_ids"]) for item in items)
    batch = {
        name: torch.tensor([item[name] + [0] * (width - len(item[name])) for item in items])
        for name in ("input_ids", "attention_mask")
    }
    return {**batch, "labels": torch.tensor([item["labels"] for item in items])}


class Items(torch.utils.data.Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        return self.items[k]


@pytest.fixture
def train(tmp_path, items):
    """Function training a small BERT with a callback, 4 batches per epoch."""

    def run(callback, **options):
        torch.manual_seed(0)
        model = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES))
        arguments = transformers.TrainingArguments(
            tmp_path / "out", per_device_train_batch_size=6, use_cpu=True, report_to=[],
            disable_tqdm=True, save_strategy="no",
            **{"num_train_epochs": 2, "learning_rate": 1e-2, **options},
        )  # fmt: skip
        trainer = transformers.Trainer(
            model, arguments, train_dataset=Items(items), data_collator=collate,
            callbacks=[callback],
        )  # fmt: skip
        trainer.train()
        return model

    return run


@pytest.fixture
def loader(items):
    return DataLoader(Items(items), batch_size=6, collate_fn=collate, shuffle=True)


def test_a_bert_is_recorded_from_the_start_to_the_end(train, tmp_path, items, loader, read):
    model = train(TransformersRecorder(tmp_path / "net", loader, network="Net", every=3))
    store = read()
    assert store["step"].values.tolist() == [0, 3, 6, 8]
    batch = collate(items)
    labels = batch.pop("labels")
    with torch.no_grad():
        expected = model.cpu().eval()(**batch).logits.double().softmax(1)
    np.testing.assert_allclose(store["train_predictions"][0, -1], expected, atol=1e-5)
    np.testing.assert_array_equal(store["train_label"], labels)
    assert store["train_loss"][0, -1] < store["train_loss"][0, 0]


def test_every_epoch_and_a_divergence(train, tmp_path, loader, steps_of, read):
    train(TransformersRecorder(tmp_path / "net", loader, network="Net"))
    assert steps_of() == [0, 4, 8]
    callback = TransformersRecorder(tmp_path / "other", loader, network="Net", every=1)
    train(callback, learning_rate=1e38, max_grad_norm=0)
    store = read("other")
    assert store["diverged_step"].values.item() == store["step"].values[-1] > 0


def test_a_classifier_of_tokens(tmp_path, items):
    torch.manual_seed(0)
    model = transformers.BertForTokenClassification(transformers.BertConfig(**SIZES))
    batch = collate(items)
    batch["labels"] = torch.where(batch["attention_mask"] == 1, batch["input_ids"] % 3, -100)
    with hr.Recorder(tmp_path / "net", batch, network="Net") as rec:
        rec.checkpoint(model, 0)
    kept = batch["attention_mask"].bool()
    with torch.no_grad():
        batch.pop("labels")
        expected = model.eval()(**batch).logits[kept].double().softmax(1)
    import xarray as xr

    store = xr.open_zarr(tmp_path / "net.zarr")
    np.testing.assert_allclose(store["train_predictions"][0, 0], expected, atol=1e-5)


def test_a_dataset_of_hugging_face(tmp_path, items):
    datasets = pytest.importorskip("datasets")
    import xarray as xr

    same = [{**item, "input_ids": item["input_ids"][:3], "attention_mask": [1] * 3}
            for item in items]  # fmt: skip
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES))
    for name, given in {
        "dataset": datasets.Dataset.from_list(same),
        "tensors": datasets.Dataset.from_list(same).with_format("torch"),
        "mapping": {key: [item[key] for item in same] for key in same[0]},
    }.items():
        with hr.Recorder(tmp_path / name, given, network="Net") as rec:
            rec.checkpoint(model, 0)
    found = [xr.open_zarr(tmp_path / f"{name}.zarr") for name in ("dataset", "tensors", "mapping")]
    for store in found[1:]:
        np.testing.assert_array_equal(store["train_predictions"], found[0]["train_predictions"])
        np.testing.assert_array_equal(store["train_label"], found[0]["train_label"])
