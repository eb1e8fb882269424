from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import ConfigError, DataError
from hyperribbon.tasks.class_tree import ClassTree, random_classes

DATA = Path(__file__).parents[1] / "data"
INSTALLED = Path("/usr/share/wordnet/data.noun")
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture(scope="module", name="o12")
def oracle():
    with np.load(DATA / "o12_slice.npz") as arrays:
        return dict(arrays)


def parents_of(o12):
    """Parents of each synset of the oracle, which has all hypernyms."""
    parents = {}
    for child, parent in o12["edges_child_parent"].tolist():
        parents.setdefault(f"n{child:08d}", []).append(f"n{parent:08d}")
    return parents


@pytest.fixture(scope="module")
def data_noun(o12, tmp_path_factory):
    """The oracle's part of WordNet in the format of data.noun, every line at its own place."""
    path = tmp_path_factory.mktemp("wordnet") / "data.noun"
    parents = parents_of(o12)
    with path.open("wb") as file:
        for synset in {*parents, *(p for above in parents.values() for p in above)}:
            above = "".join(f" @ {p[1:]} n 0000" for p in parents.get(synset, []))
            # No longer than in WordNet, so that no line runs into the next.
            line = f"{synset[1:]} 05 n 01 w 0 {len(parents.get(synset, [])):03d}{above} |"
            file.seek(int(synset[1:]))
            file.write(f"{line}\n".encode())
    return path


@pytest.fixture(scope="module", params=["made", "installed"])
def imagenet(request, o12, data_noun):
    if request.param == "installed" and not INSTALLED.exists():
        pytest.skip("needs Debian's wordnet-base")
    path = data_noun if request.param == "made" else INSTALLED
    return ClassTree.wordnet(o12["wnids"].tolist(), path)


def ancestors(parents, synset):
    found, left = set(), [synset]
    while left:
        for parent in parents.get(left.pop(), []):
            if parent not in found:
                found.add(parent)
                left.append(parent)
    return found


def has_one_path(parents, synset):
    return all(len(parents.get(s, [])) <= 1 for s in (synset, *ancestors(parents, synset)))


def test_tasks_of_imagenet_agree_with_the_oracle(o12, imagenet):
    """Of all hypernyms the first is taken, so that some classes are elsewhere, but none is new."""
    parents, wnids = parents_of(o12), o12["wnids"].tolist()
    assert imagenet.leaves == tuple(wnids)
    assert imagenet.root == "n00001740"
    single = {wnid for wnid in wnids if has_one_path(parents, wnid)}
    assert len(single) == 1000 - 304
    numbers = {"dog": 2084071, "vertebrate": 1471682, "invertebrate": 1905661, "bird": 1503061}
    numbers |= {"reptile": 1661091, "conveyance": 3100490, "mammal": 1861778}
    numbers |= {"instrumentality": 3575240}
    for name, number in numbers.items():
        expected = {wnids[k] for k in o12[f"task_{name}"]}
        found = set(imagenet.task(f"n{number:08d}"))
        assert found <= expected, name
        assert found & single == expected & single, name
        if expected <= single:
            assert found == expected
    ancestor = {"n00001740", *ancestors(parents, wnids[0])}
    assert set(imagenet._path[wnids[0]]) - {wnids[0]} <= ancestor


def test_the_installed_wordnet_gives_what_was_counted(o12):
    if not INSTALLED.exists():
        pytest.skip("needs Debian's wordnet-base")
    tree = ClassTree.wordnet(o12["wnids"].tolist(), INSTALLED)
    counts = {name: len(tree.task(name)) for name in ("Dog", "vertebrate", "bird", "conveyance")}
    assert counts == {"Dog": 118, "vertebrate": 330, "bird": 52, "conveyance": 72}
    with pytest.raises(DataError, match="crane: the name of 2 nodes of .*, expected one of n02012"):
        tree.task("crane")


def test_distances_of_wordnet_are_no_shorter_than_the_graphs(o12, data_noun):
    tree = ClassTree.wordnet([f"n{s}" for s in o12["cifar10_synsets"]], data_noun)
    found, shortest = tree.distances(tree.leaves), o12["cifar10_path_length"]
    assert (found >= shortest).all()
    parents = parents_of(o12)
    single = [k for k, s in enumerate(tree.leaves) if has_one_path(parents, s)]
    assert len(single) >= 4
    some = np.ix_(single, single)
    np.testing.assert_array_equal(found[some], shortest[some])


def test_the_tree_of_cifar10():
    tree = ClassTree.cifar10()
    assert sorted(tree.leaves) == CIFAR10
    assert tree.root == "All" and set(tree.task("all")) == set(CIFAR10)
    assert tree.task("VEHICLES") == ("airplane", "ship", "automobile", "truck")
    assert tree.task("motor_vehicles") == ("automobile", "truck")
    assert tree.task("Vertebrates") == ("bird", "frog", "cat", "dog", "deer", "horse")
    assert tree.task("cat") == ("cat",)
    assert tree.superclasses() == {
        "Vehicles": tree.task("Vehicles"),
        "Vertebrates": tree.task("Vertebrates"),
    }
    assert tree.superclasses("vertebrates") == {
        "bird": ("bird",),
        "frog": ("frog",),
        "Placentals": ("cat", "dog", "deer", "horse"),
    }
    assert tree.distance("cat", "dog") == 2
    assert tree.distance("cat", "horse") == 4
    assert tree.distance("cat", "bird") == 4
    assert tree.distance("cat", "Placentals") == 2
    assert tree.distance("airplane", "truck") == 4
    assert tree.distance("airplane", "bird") == 5
    assert tree.distance("Vehicles", "Vertebrates") == 2


def test_the_tree_is_packaged():
    assert files("hyperribbon.tasks").joinpath("trees", "cifar10.yaml").is_file()


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 30))
def test_distances_are_those_of_a_walk(seed, size):
    rng = np.random.default_rng(seed)
    parents = {"0": None} | {str(k): str(rng.integers(k)) for k in range(1, size)}
    tree = ClassTree(parents)
    assert set(tree.nodes) | set(tree.leaves) == set(parents)
    # Floyd-Warshall
    D = np.full((size, size), size)
    np.fill_diagonal(D, 0)
    for child, parent in parents.items():
        if parent is not None:
            D[int(child), int(parent)] = D[int(parent), int(child)] = 1
    for k in range(size):
        D = np.minimum(D, D[:, [k]] + D[[k]])
    np.testing.assert_array_equal(tree.distances(list(parents)), D)
    for node in tree.nodes:
        groups = tree.superclasses(node)
        assert sorted(sum(groups.values(), ())) == sorted(tree.task(node))
        assert all(group == tree.task(child) for child, group in groups.items())


FILES = {
    "Pets:\n  - cat\n  - cat\n": "cat is there twice, expected every name once",
    "Pets: [cat]\nOthers: [Cat]\n": "Cat is there twice",
    "Pets: [pets]\n": "pets is there twice",
    "Pets: [cat]\nPets: [dog]\n": "line 2: Pets is given twice, first in line 1",
    "Pets: &a\n  - cat\n  - Others: *a\n": "refers to itself",
    "Pets: []\n": "Pets: [], expected a list of classes or a mapping of nodes",
    "Pets:\n": "Pets: nothing, expected a list",
    "Pets: cat\n": "Pets: 'cat', expected a list",
    "Pets: [cat, 3]\n": "Pets: 3 in its list, expected names of classes",
    "Pets: [cat, no]\n": "Pets: False in its list, expected names of classes; put in quotes",
    "Pets: [[cat]]\n": "Pets: ['cat'] in its list",
    "Pets: [' ']\n": "Pets: ' ' in its list",
    "- cat\n": "holds a list, expected a mapping",
    "": "is empty, expected a mapping",
    "{}": "All: {}, expected a list",
    "Pets: [cat\n": "not YAML",
}


@pytest.mark.parametrize("content", FILES)
def test_what_a_file_refuses(tmp_path, content):
    path = tmp_path / "tree.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        ClassTree.read(path)
    assert str(error.value).startswith(str(path))
    assert FILES[content] in str(error.value)
    assert "\n" not in str(error.value)


def test_what_the_tree_refuses(tmp_path):
    with pytest.raises(ConfigError, match="none.yaml: cannot be read"):
        ClassTree.read(tmp_path / "none.yaml")
    tree = ClassTree.cifar10()
    with pytest.raises(DataError, match="^Vertebrate: no node or class of .*did you mean vertebr"):
        tree.task("Vertebrate")
    with pytest.raises(
        DataError, match="^x: no node or class of .*; expected such as All, Vehicles"
    ):
        tree.distance("cat", "x")
    with pytest.raises(DataError, match="^cat: a class, expected a node with classes below it"):
        tree.superclasses("cat")
    with pytest.raises(ConfigError, match="tree: a is below b, which is not above it"):
        ClassTree({"r": None, "a": "b", "b": "a"})
    with pytest.raises(ConfigError, match="tree: 2 roots, expected one"):
        ClassTree({"r": None, "a": None})
    with pytest.raises(ConfigError, match="tree: 0 roots, expected one"):
        ClassTree({})


def lines(*nouns):
    """A data.noun of some nouns (number, hypernyms)."""
    content = bytearray(b"\n" * 10_000)
    for number, *above in nouns:
        pointers = " ~ 00000001 n 0000" + "".join(f" @ {p:08d} n 0000" for p in above)
        words = f"w{number} 0 other_words a"
        line = f"{number:08d} 05 n 02 {words} {1 + len(above):03d}{pointers} | x @ 1\n".encode()
        content[number : number + len(line)] = line
    return bytes(content)


def test_what_wordnet_refuses(tmp_path):
    path = tmp_path / "data.noun"
    with pytest.raises(ConfigError, match="data.noun: cannot be read"):
        ClassTree.wordnet(["n00000100"], path)
    path.write_bytes(lines((100,), (300, 100, 200), (500, 300), (700, 900), (900, 700)))
    tree = ClassTree.wordnet(["n00000500"], path)
    assert tree.leaves == ("n00000500",) and tree.root == "n00000100"
    assert tree.task("W300") == ("n00000500",)
    cases = {
        ("n00000700",): "data.noun: the hypernyms of n00000700 go round in a circle",
        ("n00000101",): "data.noun: no noun n00000101 at its place; expected WordNet's data.noun",
        ("n00020000",): "data.noun: no noun n00020000 at its place",
        ("dog",): "synset dog: expected n and eight digits, such as n02084071",
        ("n00000500",) * 2: "synset n00000500: there twice",
        ("n00000500", "n00000300"): "synset n00000300: above another class, expected leaves only",
    }
    for synsets, message in cases.items():
        with pytest.raises((ConfigError, DataError)) as error:
            ClassTree.wordnet(synsets, path)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
    path.write_bytes(lines((100,), (200,)))
    with pytest.raises(ConfigError, match="2 roots"):
        ClassTree.wordnet(["n00000100", "n00000200"], path)


def test_random_classes():
    drawn = {random_classes(10, 4, seed) for seed in range(30)}
    assert len(drawn) > 20
    assert all(len(set(c)) == 4 and list(c) == sorted(c) and max(c) < 10 for c in drawn)
    assert random_classes(10, 4, 3) == random_classes(10, 4, 3)
    assert random_classes(3, 3, 0) == (0, 1, 2)
    assert {c for drawn_ in drawn for c in drawn_} == set(range(10))
    for arguments in ((10, 11, 0), (10, 0, 0), (0, 1, 0), (10, 2, -1)):
        with pytest.raises(DataError, match="expected an integer"):
            random_classes(*arguments)
