"""A Slurm of one node with eight made-up cores and two made-up GPUs, on this machine, for tests.

    python tests/cluster/one_node_slurm.py          starts it, and stops it on Ctrl-C
    python tests/cluster/one_node_slurm.py check    says why it could not be started, if so

It takes root and the Debian packages slurm-wlm and munge, and neither systemd nor a database.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"]
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
ETC = Path("/etc/slurm")  # the daemons of a job's inner steps look nowhere else
MARK = "# Written by hyperribbon's tests/cluster/one_node_slurm.py; may be deleted.\n"

# `config_overrides`: the node is believed to have what is said here, not what the machine has.
SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 Gres=gpu:2
PartitionName=cpu Nodes={host} Default=YES State=UP
PartitionName=gpu Nodes={host} State=UP
"""
# Any device files serve: without, the node would not be accepted.
GRES_CONF = """\
AutoDetect=off
Name=gpu File=/dev/null
Name=gpu File=/dev/zero
"""


def why_not() -> str | None:
    """What is missing here to start a Slurm, in one line; None if nothing is."""
    if absent := [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]:
        return f"no {', '.join(absent)}: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "only root can start Slurm's daemons"
    for path in (ETC / "slurm.conf", ETC / "gres.conf"):
        if path.exists() and not path.read_text().startswith(MARK):
            return f"{path} exists: this machine has a Slurm of its own"
    return None


@contextmanager
def one_node_slurm() -> Iterator[None]:
    """Start munge and Slurm, and stop them at the end; what runs in them then is cancelled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        if not _succeeds("munge", "-n"):
            run = Path("/run/munge")
            run.mkdir(exist_ok=True)
            shutil.chown(run, "munge", "munge")
            as_munge = ["--reuid", "munge", "--regid", "munge", "--init-groups"]
            stack.enter_context(_daemon(folder, *as_munge, "munged", "-F"))
            _wait("munge", lambda: _succeeds("munge", "-n"))
        for name, text in {"slurm.conf": SLURM_CONF, "gres.conf": GRES_CONF}.items():
            ETC.mkdir(exist_ok=True)
            (ETC / name).write_text(MARK + text.format(host=platform.node(), folder=folder))
            stack.callback((ETC / name).unlink)
        stack.enter_context(_daemon(folder, "slurmctld", "-D", "-c"))
        stack.enter_context(_daemon(folder, "slurmd", "-D", "-N", platform.node()))
        stack.callback(_cancel_all)
        _wait("its node to be idle", lambda: _output("sinfo", "-h", "-o", "%T") == "idle")
        yield


@contextmanager
def _daemon(folder: Path, *command: str) -> Iterator[None]:
    """A program that ends with this block, or with this process."""
    log = folder / "daemons.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PATH": PATH},
        )
    try:
        yield
    except TimeoutError as error:
        raise TimeoutError(f"{error}\n{log.read_text()}") from None
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _cancel_all() -> None:
    subprocess.run(["scancel", "--user", "root"], check=False)
    _wait("its jobs to end", lambda: not _output("squeue", "-h"))


def _wait(what: str, happened: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Slurm: waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.2)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _output(*command: str) -> str:
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return run.stdout.strip()


def main() -> None:
    if reason := why_not():
        sys.exit(f"no Slurm can be started here: {reason}")
    if sys.argv[1:] == ["check"]:
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), one_node_slurm():
        print("Slurm runs; Ctrl-C stops it.", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
