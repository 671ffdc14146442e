"""Boxes of a grid detector: targets, decoding, suppression, and the loss, beside loops in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqvision.metrics.detection import box_iou
from seqvision.models.boxes import (
    Detections,
    box_overlap,
    decode_boxes,
    encode_boxes,
    non_maximum_suppression,
    split_grid_outputs,
)
from seqvision.training.detection_loss import make_yolo_loss

C = 3
encode = jax.jit(encode_boxes, static_argnums=(2, 3))


def random_boxes(rng, *shape):
    ends = np.sort(rng.uniform(size=(*shape, 2, 2)), axis=-2)
    return np.concatenate([ends[..., 0, :], ends[..., 1, :]], axis=-1).astype(np.float32)


def test_overlap_is_that_of_the_evaluation():
    rng = np.random.default_rng(0)
    boxes, others = random_boxes(rng, 40), random_boxes(rng, 40)
    others[:5] = boxes[:5]
    boxes[5, 2:] = boxes[5, :2]
    np.testing.assert_allclose(box_overlap(boxes, others), np.diag(box_iou(boxes, others)), rtol=1e-5, atol=1e-7)
    assert np.all(np.isfinite(jax.grad(lambda b: box_overlap(b, others).sum())(jnp.asarray(boxes))))


@pytest.mark.parametrize("grid", [(4, 4), (3, 5)])
def test_targets_written_as_outputs_decode_to_the_boxes(grid):
    rng = np.random.default_rng(1)
    boxes, labels = random_boxes(rng, 6, 2), rng.integers(-1, C, size=(6, 2))
    labels[:, 0] = np.abs(labels[:, 0])
    boxes[..., 0::2] = 0.4 * boxes[..., 0::2] + np.float32([0.0, 0.6])[None, :, None]  # the two in different cells
    targets = np.asarray(encode(boxes, labels, grid, C))
    outputs = np.zeros((6, *grid, 10 + C), np.float32)
    outputs[..., 5:7], outputs[..., 7:9] = targets[..., :2], np.sqrt(targets[..., 2:4])
    outputs[..., 9], outputs[..., 10:] = targets[..., 4], targets[..., 5:]
    found = jax.jit(decode_boxes, static_argnums=1)(outputs, C)
    for n in range(6):
        there = np.asarray(found.scores[n]) > 0.5
        expected = [(*box, label) for box, label in zip(boxes[n], labels[n], strict=True) if label >= 0]
        got = np.concatenate([np.asarray(found.boxes[n]), np.asarray(found.labels[n])[:, None]], axis=1)[there]
        order, wanted = np.argsort(got[:, 0]), np.array(sorted(expected))
        np.testing.assert_allclose(got[order], wanted, atol=1e-6)
    assert float(jax.jit(make_yolo_loss(C))(outputs, targets).max()) < 1e-9


def test_of_two_centers_in_a_cell_the_first_counts_and_no_box_writes_nothing():
    boxes = jnp.array([[[0.0, 0.0, 0.5, 0.5], [0.1, 0.1, 0.5, 0.5], [0.0, 0.0, 0.2, 0.2]]])
    targets = encode(boxes, jnp.array([[1, 2, -1]]), (2, 2), C)
    np.testing.assert_allclose(targets[0, 0, 0], [0.5, 0.5, 0.5, 0.5, 1, 0, 1, 0])
    assert float(targets.sum()) == 4.0
    edge = encode(jnp.array([[[1.0, 1.0, 1.0, 1.0]]]), jnp.array([[0]]), (2, 2), C)
    np.testing.assert_allclose(edge[0, 1, 1], [1, 1, 0, 0, 1, 1, 0, 0])


def slow_suppression(boxes, labels, scores, limit, threshold, lowest):
    kept = []
    for k in np.argsort(-scores, kind="stable"):
        rival = any(labels[k] == labels[j] and box_iou(boxes[k], boxes[j])[0, 0] > threshold for j in kept)
        if scores[k] > lowest and not rival and len(kept) < limit:
            kept.append(k)
    return kept


@given(seed=st.integers(0, 10_000), threshold=st.sampled_from([0.1, 0.5]), lowest=st.sampled_from([0.0, 0.4]))
@settings(max_examples=25)
def test_suppression_is_the_greedy_loop(seed, threshold, lowest):
    rng = np.random.default_rng(seed)
    boxes, labels = random_boxes(rng, 12), rng.integers(0, 2, size=12)
    boxes[6:] = np.clip(boxes[:6] + rng.normal(0, 0.02, size=(6, 4)), 0, 1)
    scores = rng.permutation(12).astype(np.float32) / 12
    kept = slow_suppression(boxes, labels, scores, 5, threshold, lowest)
    found = suppress(Detections(boxes, labels, scores), threshold, lowest)
    np.testing.assert_array_equal(found.scores[: len(kept)], scores[kept])
    np.testing.assert_array_equal(found.boxes[: len(kept)], boxes[kept])
    np.testing.assert_array_equal(found.labels, np.append(labels[kept], np.full(5 - len(kept), -1)))
    assert not np.any(found.scores[len(kept) :])


@jax.jit
def suppress(found, threshold, lowest):
    return non_maximum_suppression(found, limit=5, threshold=threshold, lowest=lowest)


def test_suppression_takes_batches():
    rng = np.random.default_rng(0)
    found = Detections(random_boxes(rng, 2, 3, 7), rng.integers(0, 2, size=(2, 3, 7)), rng.uniform(size=(2, 3, 7)))
    kept = non_maximum_suppression(jax.tree.map(jnp.asarray, found), limit=4)
    assert (kept.boxes.shape, kept.labels.shape, kept.scores.shape) == ((2, 3, 4, 4), (2, 3, 4), (2, 3, 4))
    alone = non_maximum_suppression(jax.tree.map(lambda a: jnp.asarray(a[1, 2]), found), limit=4)
    np.testing.assert_array_equal(kept.boxes[1, 2], alone.boxes)


def slow_loss(outputs, targets, boxes):
    """Equation 3 of the paper, cell by cell and box by box."""
    total = 0.0
    rows, columns = outputs.shape[:2]
    for i in range(rows):
        for j in range(columns):
            raw, target = outputs[i, j, : 5 * boxes].reshape(boxes, 5), targets[i, j]
            middle = lambda x, y, w, h: np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])  # noqa: E731
            truth = middle((target[0] + j) / columns, (target[1] + i) / rows, target[2], target[3])
            side = np.maximum(raw[:, 2:4], 0) ** 2
            found = [middle((r[0] + j) / columns, (r[1] + i) / rows, *s) for r, s in zip(raw, side, strict=True)]
            shared = box_iou(found, truth[None])[:, 0]
            away = ((raw[:, :2] - target[:2]) ** 2 + (raw[:, 2:4] - np.sqrt(target[2:4])) ** 2).sum(1)
            mine = np.argmax(shared) if shared.max() > 0 else np.argmin(away)
            for b in range(boxes):
                if target[4] and b == mine:
                    total += 5 * away[b] + (raw[b, 4] - shared[b]) ** 2
                else:
                    total += 0.5 * raw[b, 4] ** 2
            if target[4]:
                total += ((outputs[i, j, 5 * boxes :] - target[5:]) ** 2).sum()
    return total


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_loss_is_equation_3(count):
    rng = np.random.default_rng(count)
    targets = np.asarray(encode(random_boxes(rng, 4, 3), rng.integers(-1, C, size=(4, 3)), (3, 4), C))
    outputs = rng.uniform(-0.2, 1, size=(4, 3, 4, 5 * count + C)).astype(np.float32)
    loss = jax.jit(make_yolo_loss(C))
    expected = [
        slow_loss(o.astype(np.float64), t.astype(np.float64), count) for o, t in zip(outputs, targets, strict=True)
    ]
    np.testing.assert_allclose(loss(outputs, targets), expected, rtol=1e-5)
    # The overlap that a confidence should reach is a constant: its gradient moves no box.
    grads = jax.jit(jax.grad(lambda o: loss(o, targets).sum()))(outputs)
    none = targets[..., 4] == 0
    raw = np.asarray(grads)[..., : 5 * count].reshape(4, 3, 4, count, 5)
    assert not np.any(raw[none][..., :4])
    assert not np.any(np.asarray(grads)[none][..., 5 * count :])
    assert np.all((np.abs(raw[~none][..., 0]) > 0).sum(-1) == 1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"the last axis must be 5 \* boxes \+ 3 classes"):
        split_grid_outputs(jnp.zeros((2, 2, 12)), C)
    with pytest.raises(ValueError, match=r"targets \(1, 2, 2, 9\) must be \(1, 2, 2, 8\)"):
        make_yolo_loss(C)(jnp.zeros((1, 2, 2, 13)), jnp.zeros((1, 2, 2, 9)))
    with pytest.raises(ValueError, match=r"boxes must be \(N, M, 4\)"):
        encode_boxes(jnp.zeros((2, 4)), jnp.zeros(2), (2, 2), C)
    with pytest.raises(ValueError, match="limit must be an int >= 1, got 0"):
        non_maximum_suppression(Detections(jnp.zeros((2, 4)), jnp.zeros(2), jnp.zeros(2)), limit=0)
