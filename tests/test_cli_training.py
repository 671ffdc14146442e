"""One run each of forecasters and classifiers with many settings at once, from the shell to its evaluation."""

import json

import numpy as np

from seqvision import cli
from seqvision.reporting import RunFolder

FORECAST = (
    "--models cnn --hidden 2 --layers 2 --dropout .2 --activation tanh --kernel-size 2 "
    "--optimizer adamw --weight-decay .01 --beta1 .8 --lr .05 "
    "--schedule cosine --warmup 1 --min-lr .001 --clip-norm 1 --l2 1e-4 --average .9 --patience 1 --min-delta .5 "
    "--micro-batch 16 --dtype bfloat16 --epochs 6 --seeds 1 --length 4 --log-to tensorboard"
)
CLASSIFY = (
    "--models gru --hidden 2 --layers 2 --bidirectional --readout mean --dropout .2 --zoneout .1 "
    "--augment shift=.2,mixup --smoothing .1 "
    "--optimizer sgd --momentum .9 --nesterov --schedule step --decay-epochs 1 --clip-value .5 --average .5 "
    "--patience 1 --monitor val_accuracy --validation .3 --limit 120 --epochs 4 --seeds 1"
)


def document(capsys, *words):
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_forecast_with_many_settings_is_judged_as_it_is_kept(capsys, tmp_path):
    file = tmp_path / "waves.csv"
    file.write_text("y\n" + "\n".join(f"{np.sin(row / 3):.6f}" for row in range(80)))
    words = [*FORECAST.split(), "--csv", str(file), "--out", str(tmp_path), "--quiet"]
    trained = document(capsys, "train", "forecast", *words)
    (kept,), (ran,) = (trained["epochs"]["cnn"][name] for name in ("kept", "run"))
    assert 1 <= kept <= ran < 6  # an improvement by half of the variance is rare
    folder = RunFolder.open(trained["folder"])
    assert [line["epoch"] for line in folder.read_metrics()] == [*range(1, ran + 1)]
    assert list(folder.path.glob("tensorboard/cnn/seed_0/events*"))
    again = document(capsys, "evaluate", str(folder.path))
    np.testing.assert_allclose(
        [again["scores"]["one_step"][row]["rmse"] for row in trained["scores"]["one_step"]],
        [trained["scores"]["one_step"][row]["rmse"] for row in trained["scores"]["one_step"]],
        rtol=1e-5,
    )


def test_a_classifier_with_many_settings_is_judged_as_it_is_kept(capsys, tmp_path):
    trained = document(capsys, "train", "classify", *CLASSIFY.split(), "--out", str(tmp_path), "--quiet")
    assert 1 <= trained["epochs"]["gru"]["kept"][0] <= trained["epochs"]["gru"]["run"][0] <= 4
    again = document(capsys, "evaluate", trained["folder"])
    assert again["scores"] == trained["scores"]
