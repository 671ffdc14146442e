"""Encoder-decoders from pairs to a run folder."""

import json

import numpy as np
import pytest

from seqvision.cells import GRU
from seqvision.data import Arrays, reversed_digits
from seqvision.models import EncoderDecoder, SequenceEncoder
from seqvision.pipelines import SequenceConfig, example_lines, nearest_answers, run_sequences, save_attention
from seqvision.reporting import RunFolder
from seqvision.seq2seq import Decoder, Luong


def test_a_run_leaves_scores_parameters_and_maps(tmp_path):
    pairs = reversed_digits(60, shortest=1, longest=3, test=20)
    encoder = SequenceEncoder((GRU(6),), len(pairs.source), 4)
    models = {
        "with maps": EncoderDecoder(encoder, Decoder(len(pairs.target), GRU(6), 4, Luong("general"))),
    }
    config = SequenceConfig(epochs=2, batch_size=25, seeds=2, out=str(tmp_path), name="small")
    naive = {"the answer": pairs.test.y, "nearest": nearest_answers(pairs.train, pairs.test)}
    result = run_sequences(config, models, pairs.train, pairs.test, naive)
    assert list(result.scores) == ["with maps", "the answer", "nearest"]
    assert result.scores["the answer"]["exact"] == result.scores["the answer"]["symbols"] == 1
    assert result.scores["with maps"]["seeds"] == 2
    assert np.isfinite(result.scores["with maps"]["symbols_std"])
    assert result.written["with maps"].tokens.shape == (2, 20, 4)
    assert result.written["with maps"].attention.shape == (2, 20, 4, 3)

    sources = pairs.source.decode(pairs.test.x[0])
    save_attention(result, sources, pairs.target)
    path = result.folder
    folder = RunFolder.open(path)
    assert {"losses.png", "attention-with-maps.png", "summary.json", "models"} <= {f.name for f in path.iterdir()}
    assert folder.status == "done"
    assert json.loads((path / "summary.json").read_text())["test_rows"] == 20
    assert "the picture attention-with-maps.png" in (path / "report.html").read_text(encoding="utf-8")
    assert len(folder.read_metrics()) == 2 * 2
    lines = example_lines(result, sources, pairs.target).splitlines()
    assert lines[0].startswith(f"with maps, seed 0: {sources[0]} -> ")
    assert "± is the spread over seeds; the shares of a model are means over its seeds." in result.text
    assert "the answer                      1.0000" in result.text
    assert "s a seed" in result.text


def test_the_nearest_image_is_nearest_by_squares():
    train = Arrays((np.array([[0.0, 0.0], [10.0, 0.0]]), None), np.array([[3, 2], [4, 2]]))
    test = Arrays((np.array([[4.0, 1.0], [6.0, -1.0]]), None), np.zeros((2, 2), int))
    assert nearest_answers(train, test).tolist() == [[3, 2], [4, 2]]


@pytest.mark.parametrize(("field", "value"), [("epochs", 0), ("seeds", 0), ("seed", -1), ("learning_rate", 0.0)])
def test_bad_settings(field, value):
    with pytest.raises(ValueError, match=f"{field} must be"):
        SequenceConfig(**{field: value})
