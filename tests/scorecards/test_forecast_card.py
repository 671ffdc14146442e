import json

import numpy as np
import pytest

from seqvision import metrics, scorecards

Y = np.random.default_rng(0).normal(size=120).cumsum() + 50.0
CUTOFF = 80
B = len(Y) - CUTOFF


def noisy(scale, seeds=4, horizon=None):
    rng = np.random.default_rng(1)
    shape = (seeds, B) if horizon is None else (seeds, B, horizon)
    truth = (
        Y[CUTOFF:]
        if horizon is None
        else np.pad(Y[CUTOFF:], (0, horizon), "edge")[np.arange(B)[:, None] + np.arange(horizon)[None, :]]
    )
    return truth + scale * rng.normal(size=shape)


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
    best = card.one_step[card.one_step["kind"] == "baseline"]["rmse"].min()
    assert row["skill"] == pytest.approx(1 - row["rmse"] / best)
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
    return [(verdict.mode, verdict.outcome) for verdict in card.verdicts]


def test_verdicts():
    persistence = np.tile(Y[CUTOFF - 1 : -1], (3, 1))
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"copy": persistence}, free_runs={"copy": Y[None, CUTOFF:]})
    assert outcomes(card) == [("one step ahead", "no skill"), ("free-running", "skill")]
    assert "copy, one step ahead: no skill over the last value" in card.text()
    clear = scorecards.score_forecasts(Y, CUTOFF, forecasts={"good": noisy(0.1)})
    assert outcomes(clear) == [("one step ahead", "skill")]
    assert "lower RMSE than the last value" in clear.text()
    assert "no skill" not in clear.text()
    # Better on average, but one seed in three is far worse: the spread covers the difference.
    mixed = persistence + np.array([[0.0], [0.0], [1.5]])
    mixed[:2] = 0.5 * mixed[:2] + 0.5 * Y[CUTOFF:]
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"mixed": mixed})
    assert outcomes(card) == [("one step ahead", "unclear")]
    assert "within the spread over seeds" in card.verdicts[0].text
    # Better by a hair in one seed: a significance test does not see it.
    hair = persistence[:1] + 0.02 * (Y[CUTOFF:] - persistence[:1]) * np.sign(np.sin(np.arange(B)) + 0.1)[None]
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"hair": hair})
    assert outcomes(card) == [("one step ahead", "unclear")]
    assert "chance explains it" in card.verdicts[0].text


def test_a_better_baseline_is_named():
    season = np.tile([0.0, 5.0, -5.0, 2.0], 30) + 0.01 * Y
    f = np.roll(season, 1)[CUTOFF:] * 0.5 + season[CUTOFF:] * 0.5
    card = scorecards.score_forecasts(season, CUTOFF, forecasts={"half": f[None]}, season=4)
    assert card.verdicts[0].outcome == "skill"
    assert "is better" in card.verdicts[0].text


def test_horizons_are_scored_on_the_same_origins():
    f = noisy(0.3, seeds=2, horizon=5)
    card = scorecards.score_forecasts(Y, CUTOFF, forecasts={"GRU": f, "MLP": noisy(0.5)})
    assert card.by_horizon.shape == (2 + 3, 5)
    origins = range(CUTOFF, len(Y) - 5 + 1)
    for h in range(5):
        truth = np.array([Y[t + h] for t in origins])
        expected = np.mean([metrics.rmse(truth, forecast=[f[s, t - CUTOFF, h] for t in origins]) for s in range(2)])
        assert card.by_horizon.loc["GRU", h + 1] == pytest.approx(expected)
        naive = metrics.rmse(truth, forecast=[Y[t - 1] for t in origins])
        assert card.by_horizon.loc["last value", h + 1] == pytest.approx(naive)
    assert np.isnan(card.by_horizon.loc["MLP", 2])
    assert card.one_step.loc["GRU", "rmse"] == pytest.approx(
        np.mean([metrics.rmse(Y[CUTOFF:], forecast=s[:, 0]) for s in f])
    )
    assert "RMSE by steps ahead" in card.text()


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
        (lambda: scorecards.score_forecasts(Y, 80, forecasts={"drift": np.zeros(B)}), "names of their own"),
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
