import json
import subprocess
import sys
import textwrap

import pytest


@pytest.mark.slow
def test_optimisers_do_the_same_without_the_compiler_and_do_not_import_it():
    """In a process of its own: others may have imported it."""
    script = """
        import json, sys
        import torch
        from torch import nn, optim
        from hyperribbon.runtime.device import be_deterministic

        PLAIN = {kind: kind.step for kind in (optim.SGD, optim.Adam)}
        KINDS = [
            (optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, fused=True)),
            (optim.Adam, dict(lr=0.01, fused=True)),
            (optim.AdamW, dict(lr=0.01, weight_decay=0.1, fused=True)),
        ]

        def weights(kind, settings):
            torch.manual_seed(0)
            layer, x = nn.Linear(5, 3), torch.randn(8, 5)
            optimiser = kind(layer.parameters(), **settings)
            for _ in range(5):
                optimiser.zero_grad()
                layer(x).square().mean().backward()
                optimiser.step()
                optimiser.load_state_dict(optimiser.state_dict())
            return layer.weight.flatten().tolist()

        be_deterministic(torch.device("cpu"))
        found = [weights(*kind) for kind in KINDS]
        imported = "torch._dynamo" in sys.modules
        deterministic = torch.are_deterministic_algorithms_enabled()
        for kind, step in PLAIN.items():
            kind.step = step
        plain = [weights(*kind) for kind in KINDS]
        print(json.dumps([found, plain, imported, deterministic, "torch._dynamo" in sys.modules]))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    found, plain, imported, deterministic, imported_by_plain = json.loads(run.stdout)
    assert found == plain
    assert not imported
    assert imported_by_plain
    assert deterministic
