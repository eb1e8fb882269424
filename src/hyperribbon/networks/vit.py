"""Vision transformer of Dosovitskiy et al. (2021), as in thesis 2.5.2."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

# The CPU's fused kernel is slower than matrix products for heads narrower than this.
FUSED_WIDTH = 32


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, qkv_bias: bool):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=qkv_bias)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, asking: int) -> Tensor:
        batch, tokens, width = x.shape
        x = self.norm(x)
        if asking == tokens:
            q, k, v = self._heads(self.qkv(x))
        else:
            weights = self.qkv.weight.split([width, 2 * width])
            biases = (
                (None, None) if self.qkv.bias is None else self.qkv.bias.split([width, 2 * width])
            )
            (q,) = self._heads(linear(x[:, :asking], weights[0], biases[0]))
            k, v = self._heads(linear(x, weights[1], biases[1]))
        if q.shape[-1] < FUSED_WIDTH and q.device.type == "cpu":
            y = (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        else:
            y = scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(batch, asking, width))

    def _heads(self, x: Tensor) -> Tensor:
        """Split (batch, tokens, n * width) into (n, batch, heads, tokens, width of a head)."""
        batch, tokens, _ = x.shape
        n, head = x.shape[-1] // self.out.in_features, self.out.in_features // self.heads
        return x.view(batch, tokens, n, self.heads, head).permute(2, 0, 3, 1, 4)


class _Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, width: int, heads: int, mlp_width: int, qkv_bias: bool):
        super().__init__()
        self.attention = _Attention(width, heads, qkv_bias)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, mlp_width),
            nn.GELU(),
            nn.Linear(mlp_width, width),
        )

    def forward(self, x: Tensor, asking: int | None = None) -> Tensor:
        """All tokens, or the first ``asking`` ones if what follows needs no more."""
        asking = asking or x.shape[1]
        x = x[:, :asking] + self.attention(x, asking)
        return x + self.mlp(x)


class _Features(nn.Module):
    """Patches to tokens, learned positions, transformer layers, the class token."""

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        patch_size: int,
        width: int,
        depth: int,
        heads: int,
        mlp_width: int,
        qkv_bias: bool,
    ):
        super().__init__()
        channels, height, columns = input_shape
        tokens = (height // patch_size) * (columns // patch_size)
        self.patch_size = patch_size
        self.embed = nn.Linear(channels * patch_size**2, width)
        self.positions = nn.Parameter(torch.randn(1, tokens + 1, width))
        self.class_token = nn.Parameter(torch.randn(1, 1, width))
        self.layers = nn.Sequential(
            *(_Layer(width, heads, mlp_width, qkv_bias) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        size = self.patch_size
        patches = x.unfold(2, size, size).unfold(3, size, size)  # (B, C, rows, columns, p, p)
        patches = patches.permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), self.embed(patches)], dim=1)
        x = tokens + self.positions
        *layers, last = self.layers
        for layer in layers:
            x = layer(x)
        return self.norm(last(x, asking=1)[:, 0])  # the classifier sees only the class token


class ViT(nn.Module):
    """Vision transformer with a class token and learned positions.

    ``patch_size=4, width=512, depth=6, heads=8, mlp_width=512`` has the thesis's 9,523,722
    parameters on 3x32x32 images and 10 classes. ViT-S/16 (Touvron et al., 2021) is
    ``patch_size=16, width=384, depth=12, heads=6, mlp_width=1536, qkv_bias=True``, with 22,050,664
    on 3x224x224 images and 1000 classes.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width).
    n_classes : int
        Number of classes, C.
    patch_size : int
        Side of a patch in pixels; divides height and width.
    width : int
        Width of a token; divisible by ``heads``.
    depth : int
        Number of transformer layers.
    heads : int
        Number of attention heads.
    mlp_width : int
        Hidden units of each layer's perceptron.
    qkv_bias : bool
        Whether queries, keys and values have biases.

    Examples
    --------
    >>> ViT((3, 32, 32), 10, patch_size=4, width=48, depth=2, heads=4, mlp_width=96).classifier
    Linear(in_features=48, out_features=10, bias=True)
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        n_classes: int,
        patch_size: int,
        width: int,
        depth: int,
        heads: int,
        mlp_width: int,
        qkv_bias: bool = False,
    ):
        super().__init__()
        self.features = _Features(input_shape, patch_size, width, depth, heads, mlp_width, qkv_bias)
        self.classifier = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = ViT
