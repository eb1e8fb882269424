"""Tasks and methods: what is accepted, what is refused, and what a training is called."""

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from hyperribbon.config import (
    AllCNNConfig,
    AugmentationConfig,
    Configuration,
    LearningConfig,
    MethodConfig,
    TaskConfig,
    TrainingConfig,
)
from hyperribbon.config.errors import explain
from hyperribbon.storage.digest import digest

PAIR = {"name": "pair", "classes": [[0], [1]]}
MERGED = {"name": "merged", "classes": [[2, 3, 4], [5, 6], [9]]}
SUPERVISED = {"name": "supervised"}
METHODS = {
    "supervised": SUPERVISED,
    "joint": {"name": "joint"},
    "prototypical": {"name": "prototypical", "way": 2, "shot": 10, "queries": 20},
    "simclr": {"name": "simclr"},
    "barlow_twins": {"name": "barlow_twins"},
    "fixmatch": {"name": "fixmatch", "labelled": 100, "unlabelled_ratio": 1},
}


def learning(method=SUPERVISED, tasks=(PAIR,), **others):
    return LearningConfig(name="some", tasks=tasks, method=method, **others)


def configuration(data=None, **others):
    settings = {"epochs": 2, "batch_size": 50, **others.pop("training", {})}
    given = {
        "network_name": "WRN",
        "optimiser_name": "SGD",
        "data": data
        or {"name": "cifar10", "train_size": 5000, "test_size": 1000, "image_size": 16},
        "network": {"architecture": "wide_resnet", "depth": 10, "width": 2, "widen_factor": 1},
        "optimiser": {"algorithm": "sgd", "learning_rate": 0.1},
        "training": TrainingConfig(**settings),
        **others,
    }
    return Configuration(**given)


def message(make):
    """The one line that says what is refused."""
    with pytest.raises((ValidationError, PydanticCustomError)) as refused:
        make()
    error = refused.value
    if isinstance(error, PydanticCustomError):
        return error.message()
    (first, *_) = error.errors()
    return explain(first, LearningConfig)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_read_and_written(name):
    tasks = (PAIR, MERGED) if name == "joint" else (PAIR,)
    section = learning(METHODS[name], tasks)
    assert section.method.name == name
    assert LearningConfig.model_validate_json(section.model_dump_json()) == section
    complete = configuration(learning=section)
    complete.check_learning()
    complete.check_augmentation()
    assert complete.method is section.method
    assert Configuration.model_validate_json(complete.to_json()) == complete


def test_names_are_those_of_the_learning():
    one = configuration(learning=learning())
    assert (one.stage, one.label) == ("some", "some-WRN-SGD")
    crop = AugmentationConfig(crop="random", padding=2)
    two = configuration(learning=learning(), augmentation_name="crop", augmentation=crop)
    assert two.label == "some-WRN-SGD-crop"
    ids = {one.id, two.id, configuration(learning=learning(tasks=(MERGED,))).id}
    assert len(ids) == 3
    assert all(name.startswith("some-WRN-SGD-") for name in ids)


def test_other_trainings_have_the_ids_that_they_had():
    """New keys at their defaults are left out of what an id is made of."""
    direct = configuration()
    assert direct.id == "WRN-SGD-77ae1ddd"
    to, start = direct.stages(1, epochs=3)
    assert start.id == "WRN-SGD-from-corner-1-edfb6951"
    assert "learning" not in direct.settings(exclude_defaults=True)
    assert (direct.stage, direct.label, to.label) == ("direct", "WRN-SGD", "WRN-SGD-to-corner-1")
    for settings in (direct.settings("seeds"), start.settings("seeds")["start"]):
        assert "seeds" not in settings["training"]


def test_what_is_left_out_of_a_training_is_left_out_of_all_that_it_starts_from():
    first = configuration()
    second = configuration(learning=learning(start_epoch=1), start=first)
    third = configuration(learning=learning(start_epoch=1), start=second)
    seeds = third.model_copy(update={"training": third.training})
    for key in ("seeds", "keep_weights"):
        value = {"seeds": 9, "keep_weights": (0.0, 0.3, 1.0)}[key]
        changed = first.training.model_copy(update={key: value})
        deep = second.model_copy(update={"start": first.model_copy(update={"training": changed})})
        assert third.model_copy(update={"start": deep}).id == seeds.id
        assert digest(deep.settings("seeds")) != digest(second.settings("seeds")) or key == "seeds"


REFUSED = {
    "one class": (lambda: TaskConfig(name="a", classes=[[0]]), "at least 2"),
    "empty class": (lambda: TaskConfig(name="a", classes=[[0], []]), "must not be empty"),
    "overlap": (
        lambda: learning(tasks=({"name": "a", "classes": [[0, 1], [1, 2]]},)),
        "classes must not overlap; 1 comes twice",
    ),
    "several": (lambda: learning(tasks=(PAIR, MERGED)), "supervised learns one; joint learns"),
    "joint of one": (lambda: learning(METHODS["joint"]), 'tasks = ["pair"]: joint needs two'),
    "same names": (lambda: learning(METHODS["joint"], (PAIR, PAIR)), "must have different names"),
    "way": (
        lambda: learning({**METHODS["prototypical"], "way": 5}, (MERGED,)),
        "method.way = 5: at most 3, the classes of task merged",
    ),
    "queries": (
        lambda: learning({**METHODS["prototypical"], "queries": 21}),
        "must be a multiple of way = 2",
    ),
    "labels": (
        lambda: learning({**METHODS["fixmatch"], "labelled": 100}, (MERGED,)),
        "method.labelled = 100: must be a multiple of 3, the classes of task merged",
    ),
    "views": (
        lambda: learning({"name": "simclr", "views": {"mixup": 0.2}}),
        "must change images, without mixup",
    ),
    "strong": (
        lambda: learning({**METHODS["fixmatch"], "strong": {}}),
        "must change images, without mixup",
    ),
    "temperature": (
        lambda: learning({"name": "simclr", "temperature": 0}),
        "method.temperature = 0: must be more than 0",
    ),
    "unknown": (lambda: learning({"name": "byol"}), "allowed: supervised, joint, prototypical"),
    "key": (
        lambda: learning({"name": "simclr", "temprature": 1}),
        "method.temprature = 1: unknown key, allowed: name, views, temperature, projection; did",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_learning_that_is_impossible_is_refused(case):
    make, expected = REFUSED[case]
    assert expected in message(make)


def check(method=SUPERVISED, tasks=(PAIR,), class_sizes=None, start_epoch=None, **others):
    section = learning(method, tasks, start_epoch=start_epoch)
    found = configuration(learning=section, **others)
    found.check_learning(class_sizes)
    found.check_augmentation()


FIXMATCH = METHODS["fixmatch"]
REFUSED_WITH_DATA = {
    "class": (
        lambda: check(tasks=({"name": "a", "classes": [[0], [10]]},)),
        "some.tasks.a.classes = 10: the data have classes 0 to 9",
    ),
    "batch": (
        lambda: check(training={"batch_size": 1001}),
        "some.method.batch_size = 1001: at most 1000, the train samples of task pair",
    ),
    "actual batch": (
        lambda: check(class_sizes=[10] * 10),
        "some.method.batch_size = 50: at most 20, the train samples of task pair",
    ),
    "episode": (
        lambda: check({**METHODS["prototypical"], "shot": 495}),
        "shot + queries / way = 505: at most 500, the train samples of class 0 of task pair",
    ),
    "actual episode": (
        lambda: check(METHODS["prototypical"], class_sizes=[500, 19, *[500] * 8]),
        "shot + queries / way = 20: at most 19, the train samples of class 1 of task pair",
    ),
    "labelled": (
        lambda: check({**FIXMATCH, "labelled": 1002}),
        "method.labelled = 1002: at most 1000, because the smallest class of task pair has 500",
    ),
    "labelled batch": (
        lambda: check({**FIXMATCH, "labelled": 40}),
        "method.batch_size = 50: at most labelled = 40",
    ),
    "unlabelled": (
        lambda: check({**FIXMATCH, "unlabelled_ratio": 20}),
        "unlabelled_ratio * batch_size = 1000: at most 900, the samples of task pair without",
    ),
    "shared batch": (
        lambda: check(METHODS["joint"], (PAIR, MERGED), training={"batch_size": 51}),
        "batch_size = 51: must be a multiple of 2, because the tasks share a batch",
    ),
    "joint batch": (
        lambda: check(METHODS["joint"], (PAIR, MERGED), training={"batch_size": 2002}),
        "batch_size = 2002: at most 2000, because task pair has 1000 train samples",
    ),
    "network": (
        lambda: check(network=AllCNNConfig(architecture="allcnn", widths=[2])),
        'some.network = "WRN": its features cannot be imprinted',
    ),
    "corner": (lambda: check(corner=1), "a task has no random-label corners"),
    "no start": (lambda: check(start_epoch=1), "start_epoch = 1.0: needs a training to start from"),
    "no epoch": (lambda: check(start=configuration()), "start_epoch = null: must be given"),
    "other network": (
        lambda: check(
            start_epoch=1,
            start=configuration(network=AllCNNConfig(architecture="allcnn", widths=[2])),
        ),
        'some.start = "WRN-SGD": must have the same network',
    ),
    "other data": (
        lambda: check(start_epoch=1, start=configuration(data={"name": "cifar10"})),
        "must have the same data",
    ),
    "mixup": (
        lambda: check(
            METHODS["prototypical"],
            augmentation_name="mix",
            augmentation=AugmentationConfig(mixup=0.2),
        ),
        'augmentation = "mix": method prototypical takes no mixup',
    ),
    "augmentation": (
        lambda: check(
            METHODS["simclr"],
            augmentation_name="flip",
            augmentation=AugmentationConfig(flip=True),
        ),
        "method simclr takes none; say in method.views how it augments",
    ),
    "padding": (
        lambda: check(
            {**FIXMATCH, "strong": {"crop": "random", "padding": 20}},
        ),
        "some.method.strong.padding = 20: at most the 16 of an image",
    ),
    "no images": (
        lambda: check(
            METHODS["simclr"],
            data={"name": "sloppy", "classes": 10},
            network={"architecture": "fully_connected", "widths": [4]},
        ),
        'some.method.views = "views": needs images',
    ),
    "channels": (
        lambda: check(
            METHODS["barlow_twins"],
            data={
                "name": "npz",
                "path": "a.npz",
                "shape": [2, 8, 8],
                "classes": 2,
                "train_size": 100,
                "test_size": 10,
            },
        ),
        "needs images of 1 or 3 channels; these have 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED_WITH_DATA)
def test_a_learning_that_the_rest_does_not_allow_is_refused(case):
    make, expected = REFUSED_WITH_DATA[case]
    assert expected in message(make)


SIZES = [500] * 10


@pytest.mark.parametrize(
    ("method", "tasks", "expected"),
    [
        (SUPERVISED, (PAIR,), 1000 // 50),
        (SUPERVISED, (MERGED,), 3000 // 50),
        (METHODS["joint"], (PAIR, MERGED), 4000 // 50),
        (METHODS["prototypical"], (PAIR,), 1000 // 40),
        ({**METHODS["prototypical"], "episodes": 7}, (PAIR,), 7),
        (METHODS["simclr"], (PAIR,), 1000 // 50),
        (METHODS["fixmatch"], (PAIR,), 900 // 50),
        ({**METHODS["fixmatch"], "unlabelled_ratio": 3}, (PAIR,), 900 // 150),
    ],
)
def test_steps_per_epoch(method, tasks, expected):
    found = configuration(learning=learning(method, tasks))
    assert found.steps_per_epoch(SIZES) == found.steps_per_epoch() == expected


def test_sizes_of_classes_are_known_of_balanced_data_only():
    def sizes(**data):
        return configuration(data=data).data.class_sizes

    assert sizes(name="cifar10") == (5000,) * 10
    assert sizes(name="cifar10", train_size=4999) is None
    assert sizes(name="mnist") is None
    assert sizes(name="mnist5k", groups=[[0, 1, 2], [3, 4, 5, 6, 7, 8, 9]]) == (1200, 2800)
    unknown = configuration(data={"name": "mnist"}, learning=learning())
    unknown.check_learning()
    assert unknown.steps_per_epoch() is None
    assert unknown.steps_per_epoch([300] * 10) == 12
    assert configuration(data={"name": "mnist"}).steps_per_epoch() == 60_000 // 50


def test_the_methods_are_in_one_place():
    for name, section in METHODS.items():
        assert TypeAdapter(MethodConfig).validate_python(section).name == name


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"area": [0.5, 0.2], "crop": "random_resized"}, "must be two increasing fractions"),
        ({"area": [0.2, 1.0]}, 'needs crop = "random_resized"'),
        ({"hue": 0.6}, "at most 0.5"),
        ({"jitter": 1.5}, "at most 1"),
    ],
)
def test_an_augmentation_that_is_impossible_is_refused(keys, expected):
    with pytest.raises(ValidationError) as refused:
        AugmentationConfig(**keys)
    assert expected in explain(refused.value.errors()[0], AugmentationConfig)
