import json

import numpy as np
import pytest

from seqvision.scorecards import Calibration, ConformalIntervals, last_value, score_forecasts

Y = np.random.default_rng(0).normal(size=160).cumsum()
START, CUTOFF, H, K = 60, 100, 3, 8


def card(start=START, seeds=2, paths=True):
    """A card of forecasts by hand: the last value with an error of its own for each seed."""
    rng = np.random.default_rng(1)

    def made(origins, steps):
        if not len(origins):
            return np.empty((seeds, 0, steps))
        return np.stack([last_value(Y, origins, steps) + rng.normal(size=(len(origins), steps)) for _ in range(seeds)])

    origins, before = np.arange(CUTOFF - H + 1, len(Y)), np.arange(start, CUTOFF)
    earlier = np.arange(start - H + 1, CUTOFF)
    later = np.arange(CUTOFF, len(Y) - K + 1)
    forecasts, known = made(origins, H), made(earlier, H)
    free, runs, known_runs = made([CUTOFF], len(Y) - CUTOFF)[:, 0], made(later, K), made(before, K)
    more = {"free_runs": {"a": free}, "paths": {"a": runs}, "path_origins": later} if paths else {}
    calibration = Calibration(slice(start, CUTOFF), earlier, {"a": known}, before, {"a": known_runs} if paths else None)
    scored = score_forecasts(Y, CUTOFF, forecasts={"a": forecasts}, calibration=calibration, train_rows=60, **more)
    return scored, forecasts, known, runs, known_runs, later


def quantile(sizes, level):
    rank = int(np.ceil((len(sizes) + 1) * level - 1e-9))
    return np.sort(sizes)[rank - 1] if rank <= len(sizes) else np.inf


def test_intervals_and_their_coverage_are_those_of_a_loop():
    scored, forecasts, known, runs, known_runs, later = card()
    mean = "a (mean of 2 seeds)"
    found = scored.intervals
    assert found.rows == 40
    assert set(found.ways["at once"]) == {mean, "last value", "drift", "AR(5)"}
    origins = np.arange(CUTOFF - H + 1, len(Y))
    earlier, before = range(START - H + 1, CUTOFF), range(START, CUTOFF)
    for way, at, old, new, first in (
        ("at once", earlier, known, forecasts, origins),
        ("fed back", before, known_runs, runs, later),
    ):
        table = found.scores[found.scores["way"] == way]
        for step in range(1, old.shape[2] + 1):
            sizes = [
                abs(Y[o + step - 1] - old[:, i, step - 1].mean())
                for i, o in enumerate(at)
                if START <= o + step - 1 < CUTOFF
            ]
            plain = [abs(Y[o + step - 1] - Y[o - 1]) for o in at if START <= o + step - 1 < CUTOFF]
            assert found.ways[way][mean].rows[step - 1] == len(sizes) == (40 if way == "at once" else 41 - step)
            for n, level in enumerate((0.8, 0.95)):
                width = found.ways[way][mean].half_widths[n][step - 1]
                assert width == pytest.approx(quantile(sizes, level))
                naive = found.ways[way]["last value"].half_widths[n][step - 1]
                assert naive == pytest.approx(quantile(plain, level))
                inside = [
                    abs(Y[o + step - 1] - new[:, i, step - 1].mean()) <= width
                    for i, o in enumerate(first)
                    if CUTOFF <= o + step - 1 < len(Y)
                ]
                row = table[(table["step"] == step) & (table["model"] == mean) & (table["level"] == level)].iloc[0]
                assert row["coverage"] == pytest.approx(np.mean(inside))
                assert row["width"] == pytest.approx(2 * width)
    text = scored.text()
    assert "Intervals around the forecasts, by split conformal prediction from the 40 rows before the test" in text
    assert "8 steps ahead, each fed by those before" in text
    assert max(map(len, text.splitlines())) <= 110
    saved = json.loads(json.dumps(scored.to_dict(), allow_nan=False))["intervals"]
    assert ConformalIntervals.from_dict(saved["ways"]["fed back"][mean]) == found.ways["fed back"][mean]
    assert saved["scores"][0] == found.scores.iloc[0].to_dict()


def test_rows_that_are_too_few_for_a_level_give_none_of_it():
    scored = card(start=CUTOFF - 19, seeds=1)[0]
    found = scored.intervals
    assert found.ways["at once"]["a"].rows == (19, 19, 19)
    intervals = found.ways["fed back"]["a"]
    assert intervals.rows == tuple(range(19, 11, -1))
    assert np.isfinite(intervals.half_widths[1]).tolist() == [True] + [False] * 7
    lower, upper = intervals.ends([0.0] * 9)
    assert lower[1].tolist()[1:8] == [-np.inf] * 7
    assert upper[1].tolist()[1:8] == [np.inf] * 7
    assert np.isnan(lower[:, 8]).all()  # beyond what was calibrated
    assert found.notes == ("no 95 % interval at steps 2 to 8: it needs 19 rows, there are 18 or fewer",)
    table = found.scores[found.scores["way"] == "fed back"].set_index(["model", "step", "level"])
    assert np.isnan(table.loc[("a", 2, 0.95), "coverage"])
    assert np.isfinite(table.loc[("a", 2, 0.8), "coverage"])
    assert "no 95 % interval at steps 2 to 8" in scored.text()


def test_the_card_shows_the_last_step_that_has_intervals():
    text = card(start=CUTOFF - 5, seeds=1)[0].text()
    assert "2 steps ahead, each fed by those before" in text
    assert "8 steps ahead, each fed by those before" not in text
    assert "no 80 % interval at steps 3 to 8" in text


def test_without_rows_there_are_none():
    assert card(start=CUTOFF)[0].intervals is None
    forecasts = {"a": Y[CUTOFF:]}
    scored = score_forecasts(Y, CUTOFF, forecasts=forecasts)
    assert scored.intervals is None
    assert scored.to_dict()["intervals"] is None


def test_a_forecaster_that_diverged_has_no_interval_and_the_card_stands():
    before, origins = np.arange(START, CUTOFF), np.arange(CUTOFF, len(Y))
    for gone, runs_away in ((np.nan, np.inf), (1e308, -1e308)):
        scored = score_forecasts(
            Y,
            CUTOFF,
            forecasts={"a": np.full((1, len(origins), 1), runs_away)},
            calibration=Calibration(slice(START, CUTOFF), before, {"a": np.full((1, len(before), 1), gone)}),
        )
        measured = scored.intervals.scores.set_index("model").loc["a"]
        assert measured["coverage"].isna().all()
        assert "–" in scored.text()


def test_what_is_saved_is_checked():
    for wrong in ({}, {"half_widths": {"80": [1.0]}, "rows": []}, {"half_widths": {"80": [-1.0]}, "rows": [5]}):
        with pytest.raises(ValueError, match="these are no intervals"):
            ConformalIntervals.from_dict(wrong)
