"""A cell inside a network of torch, trained by torch: tensors go to JAX and back without a copy, gradients too.

python experiments/other_projects/inside_torch.py prints the loss of a network before and after 50 updates.
"""

from seqvision.cells import MinGRU, unroll

import jax
import torch


class OfJax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, function, *tensors):  # function: of arrays, jitted
        ys, ctx.pull = jax.vjp(function, *(jax.numpy.from_dlpack(one.detach().contiguous()) for one in tensors))
        return torch.from_dlpack(ys)

    @staticmethod
    def backward(ctx, d_ys):
        return None, *map(torch.from_dlpack, ctx.pull(jax.numpy.from_dlpack(d_ys.contiguous())))


cell = MinGRU(8)
leaves, tree = jax.tree.flatten(cell.init(jax.random.key(0), in_features=2))
run = jax.jit(lambda xs, *leaves: unroll(cell, jax.tree.unflatten(tree, leaves), xs)[1])  # (B, T, D) -> (B, T, H)

torch.manual_seed(0)
weights = [torch.from_dlpack(leaf).clone().requires_grad_() for leaf in leaves]
head, xs = torch.nn.Linear(8, 1), torch.randn(16, 10, 2)
optimizer = torch.optim.Adam([*weights, *head.parameters()], 1e-2)
losses = []
for _ in range(50):
    ys = OfJax.apply(run, xs, *weights)
    loss = ((head(ys[:, -1]) - xs.sum((1, 2))[:, None]) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}")
