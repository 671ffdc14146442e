import json
import re
from functools import partial

import numpy as np
import pytest

from seqvision import metrics, scorecards
from seqvision.scorecards import last_value

Y = np.random.default_rng(0).normal(size=120).cumsum() + 50.0
CUTOFF = 80
B = len(Y) - CUTOFF


def noisy(scale, seeds=4, horizon=1):
    """Forecasts by origin, (seeds, B + horizon - 1, horizon): origin i is row CUTOFF - horizon + 1 + i."""
    origins = np.arange(CUTOFF - horizon + 1, len(Y))
    truth = np.pad(Y, (0, horizon), "edge")[origins[:, None] + np.arange(horizon)[None, :]]
    f = truth + scale * np.random.default_rng(1).normal(size=(seeds, *truth.shape))
    return f[..., 0] if horizon == 1 else f


def test_numbers_are_those_of_the_metrics():
    f = noisy(0.8)
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"LSTM": f}, free_runs={"LSTM": f}, train_rows=70, season=7)
    assert tuple(card.one_step.columns) == tuple(card.free_running.columns) == scorecards.ForecastScores._fields
    row, truth = card.one_step.loc["LSTM"], Y[CUTOFF:]
    for name, metric in {
        "mae": metrics.mae,
        "rmse": metrics.rmse,
        "r2": metrics.r2,
        "smape": metrics.smape,
        "mape": metrics.mape,
    }.items():
        values = [metric(truth, forecast=seed) for seed in f]
        assert row[name] == pytest.approx(np.mean(values))
        assert row[f"{name}_std"] == pytest.approx(np.std(values, ddof=1))
    assert row["mase"] == pytest.approx(
        np.mean([metrics.mase(truth, forecast=seed, training_rows=Y[:70], season=7) for seed in f])
    )
    shares = [metrics.directional_accuracy(truth, forecast=seed, last_observed=Y[CUTOFF - 1 : -1]).value for seed in f]
    assert row["direction"] == pytest.approx(np.mean(shares))
    assert row["direction_low"] < row["direction"] < row["direction_high"]
    assert row["direction_rows"] == B
    last = metrics.rmse(truth, forecast=Y[CUTOFF - 1 : -1])
    assert card.one_step.loc["last value", "rmse"] == pytest.approx(last)
    reference = card.one_step.loc[card.references["one step ahead"], "rmse"]
    assert row["skill"] == pytest.approx(1 - row["rmse"] / reference)
    # What is used in the end is one forecaster, with a row of its own.
    delivered = card.one_step.loc["LSTM (mean of 4 seeds)"]
    assert (delivered["kind"], delivered["seeds"]) == ("mean of seeds", 4)
    assert delivered["rmse"] == pytest.approx(metrics.rmse(truth, forecast=f.mean(axis=0)))
    assert delivered["rmse"] < 0.7 * row["rmse"]
    assert np.isnan(delivered["rmse_std"])
    assert card.free_running.loc["LSTM (mean of 4 seeds)", "rmse"] == delivered["rmse"]
    assert set(card.delivered("free-running")) == {"LSTM (mean of 4 seeds)"}
    held = metrics.rmse(truth, forecast=np.full(B, Y[CUTOFF - 1]))
    assert card.free_running.loc["last value", "rmse"] == pytest.approx(held)
    assert np.isnan(card.free_running.loc["LSTM", "direction_low"])


def test_fitted_baselines_see_training_rows_only():
    corrupted = Y.copy()
    corrupted[70:] *= -3.0
    ours = scorecards.default_baselines(Y[:70])["AR(5)"]
    card = scorecards.score_forecasts(corrupted, CUTOFF, forecasts={}, train_rows=70)
    expected = metrics.rmse(corrupted[CUTOFF:], forecast=ours(corrupted, np.arange(CUTOFF, 120))[:, 0])
    assert card.one_step.loc["AR(5)", "rmse"] == expected


def outcomes(card):
    return [(verdict.model, verdict.mode, verdict.outcome) for verdict in card.verdicts]


def test_verdicts():
    persistence = np.tile(Y[CUTOFF - 1 : -1], (3, 1))
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"copy": persistence}, free_runs={"copy": Y[None, CUTOFF:]})
    mean = "copy (mean of 3 seeds)"
    assert outcomes(card) == [
        ("copy", "one step ahead", "no skill"),
        (mean, "one step ahead", "no skill"),
        ("copy", "free-running", "unclear"),
    ]
    assert f"{mean}, one step ahead: no skill over the last value" in card.text()
    assert "on this one path, which does not tell it from chance" in card.verdicts[2].text
    clear = scorecards.score_forecasts(Y, CUTOFF, forecasts={"good": noisy(0.1, seeds=1)})
    assert outcomes(clear) == [("good", "one step ahead", "skill")]
    assert "lower RMSE than the last value" in clear.text()
    assert "no skill" not in clear.text()
    # Better on average, but one seed in three is far worse: the spread covers the difference. The mean of the three is
    # another forecaster, with a verdict of its own.
    mixed = persistence + np.array([[0.0], [0.0], [1.5]])
    mixed[:2] = 0.5 * mixed[:2] + 0.5 * Y[CUTOFF:]
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"mixed": mixed})
    assert outcomes(card)[0] == ("mixed", "one step ahead", "unclear")
    assert "within the spread over seeds" in card.verdicts[0].text
    alone = scorecards.score_forecasts(Y, CUTOFF, forecasts={"one": mixed.mean(axis=0)})
    assert card.verdicts[1].outcome == alone.verdicts[0].outcome
    assert card.verdicts[1].p_value == alone.verdicts[0].p_value
    assert "its seeds alone: unclear" in " ".join(card.text().split())
    # Better by a hair in one seed: a significance test does not see it.
    hair = persistence[:1] + 0.02 * (Y[CUTOFF:] - persistence[:1]) * np.sign(np.sin(np.arange(B)) + 0.1)[None]
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"hair": hair})
    assert outcomes(card) == [("hair", "one step ahead", "unclear")]
    assert "chance explains it" in card.verdicts[0].text


def test_what_no_test_can_tell_is_not_skill():
    ramp = np.arange(60.0)  # the last value errs 1 always, the model .5 always: no variance, no test
    card = scorecards.score_forecasts(ramp, 50, forecasts={"half": ramp[50:] - 0.5}, baselines={"copy": last_value})
    assert card.verdicts[0].outcome == "unclear"
    assert "no test of these rows tells it from chance" in card.verdicts[0].text
    assert card.to_dict()["verdicts"][0]["p_value"] is None
    one = scorecards.score_forecasts(Y[:81], CUTOFF, forecasts={"one": [Y[80]]})  # one test row
    assert one.verdicts[0].outcome == "unclear"
    assert "nan" not in one.text() + card.text()


def test_a_better_baseline_takes_skill_away():
    season = np.tile([0.0, 5.0, -5.0, 2.0], 30) + 0.01 * Y
    f = np.roll(season, 1)[CUTOFF:] * 0.5 + season[CUTOFF:] * 0.5
    naive = {"last value": last_value, "season of 4": partial(scorecards.seasonal_naive, season=4)}
    card = scorecards.score_forecasts(season, CUTOFF, forecasts={"half": f[None]}, baselines=naive)
    assert card.references["one step ahead"] == "last value"
    assert card.verdicts[0].outcome == "unclear"
    assert "but season of 4 is better" in card.verdicts[0].text
    assert card.one_step.loc["half", "skill"] > 0
    # Rows before the test show which baseline counts: skill and verdict are against that one.
    card = scorecards.score_forecasts(season, CUTOFF, forecasts={"half": f[None]}, baselines=naive, train_rows=60)
    assert card.references["one step ahead"] == "season of 4"
    assert card.verdicts[0][2:3] == ("no skill",)
    assert card.verdicts[0].reference == "season of 4"
    assert card.one_step.loc["half", "skill"] < 0
    assert "every past value known; skill over the season of 4" in card.text()
    declared = scorecards.score_forecasts(season, CUTOFF, forecasts={"half": f}, season=4, reference="drift")
    assert declared.references == {"one step ahead": "drift"}
    assert "The drift was declared" in declared.text()


def test_the_reference_does_not_depend_on_test_rows_nor_on_small_differences():
    for seed in range(20):
        walk = np.random.default_rng(seed).normal(size=120).cumsum()
        best = scorecards.score_forecasts(walk, 80, forecasts={}, train_rows=40)
        turned = np.concatenate([walk[:80], walk[79] - walk[:40]])
        assert scorecards.score_forecasts(turned, 80, forecasts={}, train_rows=40).references == best.references
    slope = 0.5 * np.arange(120.0) + 0.2 * np.random.default_rng(0).normal(size=120)
    assert scorecards.score_forecasts(slope, 80, forecasts={}, train_rows=40).references == {"one step ahead": "AR(5)"}


@pytest.mark.parametrize("horizon", [5, 24])
def test_every_step_is_scored_and_judged_on_the_same_rows(horizon):
    f = noisy(0.3, seeds=2, horizon=horizon)
    card = scorecards.score_forecasts(
        Y, CUTOFF, forecasts={"GRU": f, "MLP": noisy(0.5)}, unit="USD", baselines=scorecards.default_baselines(Y[:80])
    )
    table, truth = card.by_horizon.rmse, Y[CUTOFF:]
    assert card.by_horizon.rows == card.test_rows == B
    assert list(table.columns) == list(range(1, horizon + 1))
    assert list(table.index) == [
        "GRU", "MLP", "GRU (mean of 2 seeds)", "MLP (mean of 4 seeds)", "last value", "drift", "AR(5)"
    ]  # fmt: skip
    for h in range(horizon):
        # The forecast of row r that was made h + 1 rows ahead, from the rows before r - h.
        made = np.array([[f[s, r - h - (CUTOFF - horizon + 1), h] for r in range(CUTOFF, len(Y))] for s in range(2)])
        expected = np.mean([metrics.rmse(truth, forecast=seed) for seed in made])
        assert table.loc["GRU", h + 1] == pytest.approx(expected)
        assert table.loc["GRU (mean of 2 seeds)", h + 1] == pytest.approx(
            metrics.rmse(truth, forecast=made.mean(axis=0))
        )
        naive = metrics.rmse(truth, forecast=[Y[r - h - 1] for r in range(CUTOFF, len(Y))])
        assert table.loc["last value", h + 1] == pytest.approx(naive)
    assert np.isnan(table.loc["MLP", 2])
    # The tables by step, of one step and of all steps say the same of the same rows.
    np.testing.assert_allclose(card.one_step["rmse"], table[1])
    whole = card.all_steps.loc[["GRU (mean of 2 seeds)", "last value", "AR(5)"], "rmse"]
    np.testing.assert_allclose(whole**2, (table.loc[whole.index] ** 2).mean(axis=1))
    assert "MLP" not in card.all_steps.index
    assert (card.by_horizon.outcomes.loc["GRU (mean of 2 seeds)"][[2, 3]] == "skill").all()
    assert card.by_horizon.outcomes.loc["MLP", 2] is None
    assert [v.model for v in card.verdicts if v.mode == "all steps"] == ["GRU", "GRU (mean of 2 seeds)"]
    assert f"All steps 1 to {horizon}, each of the same {B} test rows, in USD; skill over the last value" in card.text()
    assert f"RMSE by steps ahead, on the same {B} test rows, in USD" in card.text()
    assert max(len(line) for line in card.text().splitlines()) <= 110
    json.dumps(card.to_dict(), allow_nan=False)


def test_steps_of_free_runs_are_scored_from_several_origins():
    origins, steps = np.arange(CUTOFF, CUTOFF + 30, 3), 6
    truth = Y[origins[:, None] + np.arange(steps)]
    held = np.tile(Y[origins - 1, None], steps)
    paths = {"copy": held[None], "good": 0.5 * (held + truth)[None] + np.array([0.1, -0.1])[:, None, None]}
    free = {name: np.tile(Y[CUTOFF - 1], (len(path), B)) for name, path in paths.items()}
    card = scorecards.score_forecasts(
        Y, CUTOFF, forecasts=free, free_runs=free, paths=paths, path_origins=origins, train_rows=60
    )
    table = card.by_path_step
    assert table.rows == 10
    for step in (0, 5):
        naive = metrics.rmse(truth[:, step], forecast=held[:, step])
        assert table.rmse.loc["last value", step + 1] == pytest.approx(naive)
        assert table.rmse.loc["copy", step + 1] == pytest.approx(naive)
        assert table.rmse.loc["good (mean of 2 seeds)", step + 1] == pytest.approx(naive / 2)
    assert (table.outcomes.loc["copy"] == "no skill").all()
    assert table.outcomes.loc["good (mean of 2 seeds)", 1] == "skill"
    # One path cannot tell skill from chance, ten can.
    told = {verdict.model: verdict for verdict in card.verdicts if verdict.mode == "free-running"}
    assert told["copy"].p_value == 1.0
    losses = [np.mean((truth - f) ** 2, axis=1) for f in (paths["good"].mean(axis=0), held)]
    expected = scorecards.diebold_mariano(losses[0], other_losses=losses[1], horizon=2)  # two runs share rows
    assert told["good (mean of 2 seeds)"].p_value == pytest.approx(expected.p_value)
    assert "told by 10 runs of 6 rows" in card.text()
    assert "RMSE by steps of free runs from 10 origins in the test rows" in card.text()
    for wrong, message in (
        (origins[::-1], "in rising order"),
        (origins - 3, "must lie in 80..114"),
        ([80], "paths must"),
    ):
        with pytest.raises(ValueError, match=message):
            scorecards.score_forecasts(
                Y, CUTOFF, forecasts=free, free_runs=free, paths=paths, path_origins=wrong, train_rows=60
            )


def test_a_constant_series_is_not_skill_and_not_nan():
    ones = np.ones(60)
    card = scorecards.score_forecasts(ones, 40, forecasts={"m": np.ones((3, 20))}, free_runs={"m": np.ones((3, 20))})
    assert {verdict.outcome for verdict in card.verdicts} == {"no skill"}
    assert "There is no MASE" in card.text()
    assert "nan" not in card.text()
    json.dumps(card.to_dict(), allow_nan=False)


@pytest.mark.parametrize("number", [1, 2])
def test_numbers_of_things_are_words(number):
    y = Y[: CUTOFF + number]
    text = scorecards.score_forecasts(
        y, CUTOFF, forecasts={"m": y[CUTOFF:]}, free_runs={"m": y[CUTOFF:]}, train_rows=79
    ).text()
    assert ("1 test row," in text, "1 row fed" in text) == (number == 1, number == 1)
    assert ("2 test rows," in text, "2 rows fed" in text) == (number == 2, number == 2)
    assert "the 1 row between" in text


def test_returns_are_judged_against_zero():
    returns = np.diff(Y) / Y[:-1]
    f = np.full((1, len(returns) - 70), 0.1)
    card = scorecards.score_forecasts(returns, 70, forecasts={"up": f}, free_runs={"up": f}, returns=True)
    up = np.mean(returns[70:] > 0)
    assert card.one_step.loc["up", "direction"] == pytest.approx(up)
    assert card.one_step.loc["zero return", "rmse"] == pytest.approx(np.sqrt(np.mean(returns[70:] ** 2)))
    assert "over the zero return" in card.text()
    assert card.moves.up == sum(returns[70:] > 0)


def test_a_diverged_model_costs_itself_and_not_the_card():
    f = noisy(0.5)
    f[1, 3] = np.inf
    f[2] = 1e200
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"wild": f, "tame": noisy(0.5)}, free_runs={"wild": f})
    assert card.one_step.loc["wild", "rmse"] == np.inf
    assert card.verdicts[0].outcome == "no skill"
    assert np.isfinite(card.one_step.loc["tame", "rmse"])
    json.dumps(card.to_dict(), allow_nan=False)
    assert "inf" in card.text()


def test_an_explosive_autoregression_does_not_break_the_free_run():
    y = np.concatenate([1.5 ** np.arange(20), np.ones(4000)])
    card = scorecards.score_forecasts(
        y, 20, forecasts={}, baselines={"AR": scorecards.fit_autoregression(y[:20], 1), "last": scorecards.last_value}
    )
    assert np.isfinite(card.one_step["rmse"]).all()
    card = scorecards.score_forecasts(
        y, 20, forecasts={"m": y[None, 20:]}, free_runs={"m": y[None, 20:]}, train_rows=20
    )
    assert card.free_running.loc["AR(5)", "rmse"] == np.inf
    assert card.free_running.loc["m", "rmse"] == 0.0


def test_the_text_fits_a_terminal_and_the_dict_is_strict_json():
    f = noisy(0.8) * 1e3
    card = scorecards.score_forecasts(
        Y * 1e3, CUTOFF, forecasts={"a model with a long name": f}, free_runs={"a model with a long name": f}
    )
    assert max(len(line) for line in str(card).splitlines()) <= 110
    plain = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert plain["one_step"]["last value"]["direction"] is None
    assert plain["one_step"]["a model with a long name"]["seeds"] == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scorecards.score_forecasts(Y, 120, forecasts={}), "cutoff=120, N=120"),
        (lambda: scorecards.score_forecasts(Y, 80, forecasts={}, train_rows=90), "train_rows=90"),
        (lambda: scorecards.score_forecasts(Y, 80, forecasts={"m": np.zeros((3, B + 1))}), r"expected \(40,\)"),
        (
            lambda: scorecards.score_forecasts(Y, 80, forecasts={"m": np.zeros((3, B, 5))}),
            r"40 \+ horizon - 1, horizon\)",
        ),
        (lambda: scorecards.score_forecasts(Y, 80, forecasts={"drift": np.zeros(B)}), "names of their own"),
        (
            lambda: scorecards.score_forecasts(
                Y, 80, forecasts={"m": np.zeros((2, B)), "m (mean of 2 seeds)": np.zeros(B)}
            ),
            r"shared: \['m \(mean of 2 seeds\)'\]",
        ),
        (lambda: scorecards.score_forecasts(Y, 80, forecasts={}, reference="drft"), "reference must be one of"),
        (
            lambda: scorecards.score_forecasts(Y, 80, forecasts={}, free_runs={"m": np.zeros(B)}),
            "no forecasts of that name",
        ),
        (lambda: scorecards.score_forecasts(np.where(Y > 50, Y, np.nan), 80, forecasts={}), "series holds"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("size", [1.0, 1e-1, 1e-2, 2e-3, 2e-4, 2e-5, 1e4, 1e6])
def test_columns_of_small_numbers_do_not_touch(size):
    forecasts = {"GRU": noisy(0.3, seeds=3, horizon=2) * size}
    text = scorecards.score_forecasts(Y * size, CUTOFF, forecasts=forecasts).text()
    lines = [line for line in text.splitlines() if line.startswith("  GRU ") and "±" in line]
    assert lines
    for line in lines:
        assert re.search(r"^  GRU +\S+ ± \S+ +\S+ ± \S+ +\S+ +\S+ +\S+  ", line)
    for line in text.splitlines():
        assert len(line) <= 110
        assert not re.search(r"\d[+?]\d.*\d[+?]\d|\.\d+\.", line)
