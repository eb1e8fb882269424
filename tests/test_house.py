"""The house: which way imports go."""

import ast
from pathlib import Path

import hyperribbon

ROOT = Path(hyperribbon.__file__).parent


def imports() -> dict[str, set[str]]:
    """Rooms that each room imports, wherever in a module it does: the library's, and `studies`."""
    found: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        if path == ROOT / "__init__.py":  # passes the public names of all rooms on
            continue
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                package, *rest = name.split(".")
                if package == "snakemake":
                    found.setdefault(room, set()).add("snakemake")
                elif package == hyperribbon.__name__ and rest and rest[0] != room:
                    found.setdefault(room, set()).add(rest[0])
    return found


def test_the_library_knows_no_study_and_no_snakemake():
    upward = {
        room: rooms & {"studies", "snakemake"}
        for room, rooms in imports().items()
        if room not in ("studies", "cli") and rooms & {"studies", "snakemake"}
    }
    assert upward == {}


def test_no_circle_of_imports():
    rooms = imports()
    while rooms:
        leaves = [room for room in rooms if not rooms[room] & rooms.keys()]
        assert leaves, f"a circle among {sorted(rooms)}: {rooms}"
        for leaf in leaves:
            del rooms[leaf]
