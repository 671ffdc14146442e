"""Recipes for image classifiers: their update rules, and what a run of two rows leaves behind."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.data import Arrays, Augment, Flip, ImageData
from seqvision.models import CompactNet
from seqvision.pipelines import ImageRecipe, run_recipes
from seqvision.training import as_it_is, mirrored


def steps(recipe, updates, examples=320):
    """Return how far each update moves one weight whose gradient is 1."""
    rule = recipe.optimizer(examples)
    params = {"kernel": jnp.zeros((1, 1))}
    state, moves = rule.init(params), []
    for _ in range(updates):
        change, state = rule.update({"kernel": jnp.ones((1, 1))}, state, params)
        params = optax.apply_updates(params, change)
        moves.append(-float(change["kernel"][0, 0]))
    return np.array(moves)


def test_the_step_size_rises_and_falls_to_nothing():
    cosine = steps(ImageRecipe(epochs=4, batch_size=32, learning_rate=0.1, schedule="cosine"), 40)
    assert cosine.argmax() in (1, 2)  # two of forty updates to rise
    np.testing.assert_allclose(cosine.max(), 0.1, rtol=1e-4)
    assert cosine[-1] < 0.001
    np.testing.assert_allclose(steps(ImageRecipe(learning_rate=0.1), 5), 0.1, rtol=1e-4)


def test_nesterov_is_momentum_that_looks_ahead():
    moves = steps(ImageRecipe(rule="nesterov", learning_rate=0.1), 3)
    np.testing.assert_allclose(moves, 0.1 * np.array([1.9, 2.71, 3.439]), rtol=1e-5)


def test_a_recipe_says_what_it_adds():
    assert ImageRecipe().text() == ""
    assert ImageRecipe(epochs=3, views=(as_it_is, mirrored)).text() == "epochs=3, views=('as_it_is', 'mirrored')"


@pytest.mark.parametrize("average", [None, 0.9])
def test_rows_are_judged_on_the_same_images(tmp_path, caplog, average):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 48)
    images = (rng.random((48, 8, 8, 1)) * 0.2 + 0.7 * labels[:, None, None, None]).astype(np.float32)
    part = Arrays(images, labels)
    net = CompactNet((4, "pool"), num_classes=2)
    recipe = ImageRecipe(8, 8, 0.02, "cosine", smoothing=0.1, average=average, augment=Augment((Flip(),)))
    data = ImageData(part, part, ("dark", "bright"))
    with caplog.at_level("INFO", "seqvision"):
        result = run_recipes({"one": (net, recipe)}, data, seeds=2, out=str(tmp_path))
    (line,) = [record.getMessage() for record in caplog.records if record.name != "seqvision.phases"]
    assert line.startswith(f"one: {result.summary['parameters']['one']:,} parameters, 8 epochs of ")
    assert line.endswith(f"on test images {result.card.scores.loc['one', 'accuracy']:.4f}")
    assert result.summary["scores"]["scores"]["one"]["accuracy"] == result.card.scores.loc["one", "accuracy"] > 0.9
    assert result.card.scores.loc["one", "seeds"] == 2
    assert result.summary["train_accuracy"]["one"] > 0.9
    assert len(result.summary["loss"]["one"]) == 8
    assert result.history["one"]["loss"].shape == (2, 8)
    assert result.logits["one"].shape == (2, 48, 2)
    assert result.to_dict() == {"folder": str(result.folder), **result.summary}
    report = (result.folder / "report.html").read_text(encoding="utf-8")
    assert all(title in report for title in ("Right, by how sure", "seconds an epoch", "one, training"))
