import pickle

import pytest
import torch
from torch import nn

from hyperribbon.errors import ConfigError
from hyperribbon.training.forward import Forward


def test_autocast_concerns_the_network_alone():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 5))
    images = torch.randn(12, 1, 4, 4)
    seen = []
    network.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    outputs = Forward("bfloat16")(network, images)
    assert seen == [torch.bfloat16]
    assert outputs.dtype == torch.float32
    torch.testing.assert_close(outputs, Forward()(network, images), rtol=0.02, atol=0.02)
    outputs.sum().backward()
    assert network[1].weight.grad.dtype == torch.float32


def test_a_precision_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="precision = 'float8': expected one of float32, tf32"):
        Forward("float8")


def test_it_can_be_sent_to_a_process_before_it_is_compiled():
    assert pickle.loads(pickle.dumps(Forward(compile=True))).compile
