"""Build the wheel and the sdist, and try the wheel as a newcomer would: in an empty environment.

``make test-wheel`` runs it. Both are checked by twine. Requirements have their pinned versions.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PINNED = ROOT / "envs" / "requirements.txt"


def run(*command, **options) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run(
        list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False, **options,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def environment(folder: Path, *requirements) -> Path:
    """An environment with some packages and what they need; the folder of its programs."""
    venv.create(folder, with_pip=True)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    run(*pip, "--disable-pip-version-check", *requirements)
    return folder / "bin"


def main() -> None:
    """Build, check, install, and use."""
    with tempfile.TemporaryDirectory() as scratch:
        tools = environment(Path(scratch, "tools"), "build", "twine")
        run(tools / "python", "-m", "build", "--outdir", Path(scratch, "dist"), ROOT)
        made = sorted(Path(scratch, "dist").iterdir())
        print(run(tools / "python", "-m", "twine", "check", "--strict", *made))
        [wheel] = [path for path in made if path.suffix == ".whl"]
        programs = environment(Path(scratch, "base"), "--constraint", PINNED, wheel)
        empty = Path(scratch, "empty")
        empty.mkdir()
        print(run(programs / "python", "-I", HERE / "base_only.py", cwd=empty))
        command = programs / "hyperribbon"
        assert "explore" in run(command, "--help", cwd=empty)
        run(command, "explore", "runs", "--no-open", "--output", "picture.html", cwd=empty)
        page = (empty / "picture.html").read_text(encoding="utf-8")
        assert "class Cloud" in page, "a page without the manifold"
        refused = subprocess.run(
            [command, "run"], cwd=empty, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1, refused
        assert refused.stderr.strip().endswith("pip install 'hyperribbon[workflow]'"), refused
        assert refused.stderr.count("\n") == 1, refused
        print(refused.stderr)


if __name__ == "__main__":
    main()
