"""A finished run trained again on data that have grown: anew, or on from its weights, into a new run folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqvision._checks import check_flag, counted, is_int
from seqvision._phases import phases
from seqvision.data import ForecastSplit, Series
from seqvision.pipelines.classification.data import ImageSplit, load_images
from seqvision.pipelines.classification.image_record import RECORD, parts_by_content
from seqvision.pipelines.classification.run import build_classifiers, train_classify
from seqvision.pipelines.config import ClassifyConfig, ForecastConfig, config_from_dict, is_of_images
from seqvision.pipelines.forecasting.data import read_saved, split_series
from seqvision.pipelines.forecasting.new_rows import JoinedRows, load_joined
from seqvision.pipelines.forecasting.run import build_forecasters, train_forecast, window_shape
from seqvision.pipelines.parent import Parent
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ClassifyRun, ForecastRun
from seqvision.pipelines.saved_variables import load_variables
from seqvision.reporting import RunFolder
from seqvision.scorecards import wrapped


@phases()
def refit_run(
    path: str | Path,
    csv: str | None = None,
    *,
    folder: str | None = None,
    series: Series | None = None,
    reading: Reading | None = None,
    from_weights: bool = False,
    progress: bool | None = None,
    **changes: Any,
) -> ForecastRun | ClassifyRun:
    """Train again with the configuration of a run on data that have grown, into a new run folder that knows its parent.

    Anew means from initial weights, with a scaler of the new training rows. With ``from_weights`` every seed goes on
    from its trained weights, which go with the scaler of the run; the optimizer remembers nothing. Rows that trained
    these weights never become validation or test rows. A share of rows (train=0.7) grows with the file; a number of
    rows (train=700) stays, and new rows become test rows, unless another is given.

    Args:
      path: the run folder.
      csv: the file of a forecast with the rows that have come since; where there are dates it may begin later, and the
        rows of the run are put before it. By default the run's own file as it is now.
      folder: the folder of images of a classification; by default the run's own as it is now.
      series: rows in memory, in place of a file.
      reading: what is to be read of the file in another way than in training.
      from_weights: go on from the weights of the run instead of anew.
      progress: a progress bar on stderr; by default if that is a terminal.
      changes: settings of the configuration that are to be others, such as epochs, learning_rate, train or out, the
        folder of the new run, by default that in which the run lies.

    Raises:
      ValueError: if settings or data do not fit; with from_weights also if the network is another one, old rows are
        missing from the file, or rows that trained the weights would judge them.
      OSError: if the run folder cannot be written; before anything is compiled.
    """
    check_flag("from_weights", from_weights, owner="refit_run")
    run = RunFolder.open(path)
    if not run.status.startswith("done"):
        raise ValueError(f"{run.path} is not finished: its STATUS says {run.status!r}; only a finished run is refitted")
    settings = run.read_json("config.json")
    changes = {"out": str(run.path.parent), **changes}
    if is_of_images(settings):
        if csv is not None or series is not None or (reading is not None and reading.given()):
            raise ValueError(f"{path} is a run on images: say folder=… where the new ones are, not csv")
        for name in changes.keys() & {"train", "target", "horizon", "length"}:
            raise ValueError(f"{path} is a run on images: it has no {name}={changes[name]!r}")
        return _refit_classify(run, settings, folder, from_weights, changes, progress)
    if folder is not None:
        raise ValueError(f"{path} is a run on a series: say csv=…, not folder={folder!r}")
    return _refit_forecast(run, settings, csv, series, reading, from_weights, changes, progress)


def _refit_forecast(
    run: RunFolder,
    settings: Any,
    csv: str | None,
    series: Series | None,
    reading: Reading | None,
    from_weights: bool,
    changes: Mapping[str, Any],
    progress: bool | None,
) -> ForecastRun:
    old = config_from_dict(ForecastConfig, settings)
    saved = read_saved(run)
    joined = load_joined(old, saved, csv, reading, series)
    given = {} if reading is None else reading.given()
    where = {} if csv is None else {"csv": csv}
    config = config_from_dict(ForecastConfig, {**settings, **where, **given, **changes})
    if from_weights and joined.moved is not None:
        raise ValueError(f"{joined.series.name} does not go on from {run.path}: {joined.moved}; leave out from_weights")
    known = replace(joined.series, notes=(*joined.series.notes, *_told(joined, run)))
    split = split_series(config, known, saved["scaler"] if from_weights else None)
    variables = None
    if from_weights:
        _check_unseen(split, saved, run)
        variables = _variables_of_forecast(run, old, config, split)
    in_file = series is None and joined.before == 0 and (csv is not None or saved["source"] == "file")
    result = train_forecast(
        config, split, source="file" if in_file else "memory", parent=Parent.of(run, variables), progress=progress
    )
    told = _split_told(split, saved, config, run, joined, from_weights)
    return replace(result, text="\n".join([*(line for text in told for line in wrapped(text, 0)), result.text]))


def _told(joined: JoinedRows, run: RunFolder) -> tuple[str, ...]:
    """Say what a later reader of the run has to know of its rows."""
    told = []
    if joined.before:
        told.append(f"{counted(joined.before, 'row')} before those of the file come from {run.path.name}")
    if joined.changed is not None:
        told.append(f"{run.path.name} was trained on other values: {joined.changed}")
    if joined.moved is not None:
        told.append(f"{run.path.name} was trained on other rows: {joined.moved}")
    return (*told, *([] if joined.gap is None else [joined.gap]))


def _split_told(
    split: ForecastSplit, saved: Mapping[str, Any], config: ForecastConfig, run: RunFolder, joined: JoinedRows, on: bool
) -> list[str]:
    new = len(joined.series) - joined.first
    how = "on from the weights of each seed, with the scaler of the run" if on else "anew"
    lines = [f"refit of {run.path.name}: {how}; {counted(new, 'new row')}"]
    trained, test = split.train_rows.stop, split.test_rows.stop - split.test_rows.start
    then = f"{saved['train_rows']} and {saved['test_rows']} of the run"
    if is_int(config.train):
        later = " stays, so that the new ones are test rows: say train=… for more" if new else " stays"
        lines.append(
            f"train={config.train} is a number of rows and{later}; {trained} to train and {test} to test, {then}"
        )
    else:
        lines.append(f"train={config.train} is a share of the rows: {trained} to train and {test} to test, {then}")
    return lines


def _check_unseen(split: ForecastSplit, saved: Mapping[str, Any], run: RunFolder) -> None:
    """Refuse to judge weights on rows that trained or chose them."""
    first = saved["rows"] - saved["test_rows"]
    if split.train_rows.stop < saved["train_rows"] or split.test_rows.start < first:
        raise ValueError(
            f"with from_weights training rows end at {split.train_rows.stop} and test rows begin at "
            f"{split.test_rows.start}, but the weights of {run.path} know the rows before {saved['train_rows']}, and "
            f"validation the rows before {first}: say a larger train=…, or leave out from_weights"
        )


def _variables_of_forecast(
    run: RunFolder, old: ForecastConfig, config: ForecastConfig, split: ForecastSplit
) -> dict[str, list[dict[str, Any]]]:
    _check_same_seeds(old, config)
    models = build_forecasters(config, split)
    return load_variables(models, window_shape(split), config.seeds, run)


def _check_same_seeds(old: ForecastConfig | ClassifyConfig, config: ForecastConfig | ClassifyConfig) -> None:
    if (config.seeds, config.models) != (old.seeds, old.models):
        raise ValueError(
            f"with from_weights every model of every seed goes on: leave models={old.models} and seeds={old.seeds} as "
            "they are, or leave out from_weights"
        )


def _refit_classify(
    run: RunFolder,
    settings: Mapping[str, Any],
    folder: str | None,
    from_weights: bool,
    changes: Mapping[str, Any],
    progress: bool | None,
) -> ClassifyRun:
    old = config_from_dict(ClassifyConfig, settings)
    if folder is not None and old.folder is None:
        raise ValueError(
            f"{run.path} is a run on the data set {old.data}, not on a folder: leave out folder={folder!r}"
        )
    where = {} if folder is None else {"folder": folder}
    config = config_from_dict(ClassifyConfig, {**settings, **where, **changes})
    split = load_images(config)
    kept = run.read_json(RECORD)
    variables = None
    if from_weights:
        _check_same_seeds(old, config)
        _check_unseen_images(split, kept, run)
        models = build_classifiers(config, split.form, len(split.classes))
        variables = load_variables(models, split.example, config.seeds, run)
    result = train_classify(config, split, parent=Parent.of(run, variables), progress=progress)
    how = "on from the weights of each seed" if from_weights else "anew"
    old_files, files = (set(parts_by_content(record)) for record in (kept, split.record))
    new = f"; {counted(len(files - old_files), 'new picture')}" if files else ""
    lines = wrapped(f"refit of {run.path.name}: {how}{new}", 0)
    return replace(result, text="\n".join([*lines, result.text]))


def _check_unseen_images(split: ImageSplit, kept: Any, run: RunFolder) -> None:
    """Refuse other classes, and images for validation or test that trained the weights."""
    classes = kept.get("classes") if isinstance(kept, Mapping) else None
    if classes != list(split.classes):
        raise ValueError(
            f"the classes of {run.path} were {classes} and are {list(split.classes)}: leave out from_weights"
        )
    trained = {content for content, part in parts_by_content(kept).items() if part == "train"}
    now = parts_by_content({"files": {}} | split.record)
    seen = [content for content, part in now.items() if part in ("test", "validation") and content in trained]
    parts = [record.get("parts", {}) for record in (kept, split.record)]
    other = not now and any(parts[0].get(name) != parts[1].get(name) for name in ("test", "validation"))
    if seen or other:
        count = f"{len(seen)} of them" if seen else "some of them"
        raise ValueError(
            f"with from_weights no test or validation image may have trained the weights of {run.path}, but {count} "
            "may have: give the folder parts named train and test, or leave out from_weights"
        )
