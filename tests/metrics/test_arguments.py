"""The order of arguments: what is true first, and whatever could be taken for it by its name alone."""

import inspect

import pytest

from seqvision import metrics

# What may stand in any order, or is no pair: overlaps and distances of two alike, and counts beside what they count.
FREE = {
    "box_iou": "symmetric",
    "frechet_distance": "symmetric",
    "score_detections": "boxes and labels, both of the truth",
    "class_frequencies": "labels and how many classes there are",
    "wilson_interval": "successes among a count",
    "naive_scale": "rows and how many make a season",
}
FUNCTIONS = [name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_judged_is_given_by_its_name(name):
    first, *others = inspect.signature(getattr(metrics, name)).parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    if name not in FREE:
        assert [p.name for p in others if p.kind is not inspect.Parameter.KEYWORD_ONLY] == []


def test_no_two_arguments_can_be_swapped_in_silence():
    with pytest.raises(TypeError, match="takes 1 positional argument"):
        metrics.mape([10.0, 20.0], [11.0, 18.0])
