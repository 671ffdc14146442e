"""The classes of new pictures from a finished run, with what its test says of such predictions."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqvision._checks import check_count, counted
from seqvision._compilation import kept_on_disk
from seqvision._phases import phase, phases
from seqvision.data import PictureForm, pictures_in
from seqvision.metrics import softmax
from seqvision.pipelines.classification.decisions import Decision, decide, kept_thresholds, used_row
from seqvision.pipelines.classification.image_record import RECORD, content_hash, name_of, parts_by_content
from seqvision.pipelines.classification.judged import Judged
from seqvision.pipelines.classification.prediction_text import prediction_text
from seqvision.pipelines.classification.run import restore_classifiers
from seqvision.pipelines.config import ClassifyConfig, config_from_dict, is_of_images
from seqvision.pipelines.results import ImagePrediction
from seqvision.reporting import (
    PICTURES,
    RunFolder,
    check_output,
    end_of_name,
    write_table,
)
from seqvision.training import TrainState, predict

logger = logging.getLogger(__name__)

_DRAWN = 48  # pictures
_AT_ONCE = 1 << 24  # numbers of the pictures that are held at once


class _Picture(NamedTuple):
    path: Path
    given: bool  # by its own name: if it cannot be read, that is an error


@kept_on_disk()
@phases()
def predict_images(
    path: str | PathLike[str],
    files: str | PathLike[str] | Iterable[str | PathLike[str]],
    *,
    top: int = 1,
    output: str | PathLike[str] | None = None,
    plot: str | PathLike[str] | None = None,
) -> ImagePrediction:
    """Classify pictures with every model of a run, and say what its score card says of that.

    Of a model trained from several seeds the probabilities are the mean of the seeds', a row of the score card. Each
    picture is brought to the form of the training pictures as these were; where it differs from all of them, its row of
    the table says so, and so it does of a file that the run was trained on.

    Args:
      path: the run folder.
      files: pictures, and folders whose pictures are wanted, those in folders within them too.
      top: how many classes the text names, the most probable first; the table has all of them.
      output: where to write the prediction, by its ending: .csv, a row a file and model, or .json; None for nowhere.
      plot: where to draw the first pictures as the model sees them, with what the first model says, by its ending:
        .png, .svg or .pdf; None for nowhere.

    Raises:
      FileNotFoundError: if there is no such file or folder.
      OSError: if output or plot cannot be written, before anything is read.
      ValueError: naming a file given by its name that is no picture, or a folder without any; if the run is on a
        series, or was not judged. A picture in a folder that cannot be read has a row with a note.
    """
    check_count("top", top)
    check_output(output)
    check_output(plot, PICTURES, name="plot")
    run = RunFolder.open(path)
    configuration = run.read_json("config.json")
    if not is_of_images(configuration):
        raise ValueError(f"{path} is no run of pictures that train classify made: it has no classes for them")
    config = config_from_dict(ClassifyConfig, configuration)
    pictures = _listed([files] if isinstance(files, str | PathLike) else list(files))
    record = run.read_json(RECORD)
    try:
        form, classes, parts = PictureForm.from_dict(record["form"]), record["classes"], parts_by_content(record)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError(f"{run.path / RECORD} does not say what the pictures were like: train again") from None
    summary = run.read_json("summary.json")
    thresholds = kept_thresholds(summary, config, run.path)
    rows_of = {name: used_row(name, config) for name in config.models}
    judged = {row: Judged.read(summary, row, run.path) for row in rows_of.values()}
    states = restore_classifiers(run, config, form, len(classes))
    rows: dict[str, list[dict[str, Any]]] = {row: [] for row in judged}
    seen: list[np.ndarray] = []
    with phase("classifying", counted(len(pictures), "picture")):
        for chunk in _chunks(pictures, form, parts):
            pixels = [one.pop("pixels") for one in chunk if "pixels" in one]
            seen += pixels[: _DRAWN - len(seen)]
            found = _probabilities(states, pixels)
            for name, chances in found.items():
                said = decide(rows_of[name], chances, thresholds.get(name))
                places = iter(range(len(chances)))
                rows[said.row] += [
                    _row(one, said, judged[said.row], classes, None if one["failed"] else next(places)) for one in chunk
                ]
    table = pd.DataFrame([row for per_model in zip(*rows.values(), strict=True) for row in per_model])
    if not table["class"].notna().any():
        raise ValueError(f"none of {counted(len(pictures), 'picture')} can be read: {table['note'].iloc[0]}")
    told = [f"{rows_of[name]} {threshold.text(tuple(classes))}" for name, threshold in thresholds.items()]
    notes = (*told, *_notes(table, len(judged)))
    text = prediction_text(table, classes, judged, notes, top)
    verdicts = tuple(one.verdict for one in judged.values())
    written, drawn = (None if file is None else Path(file) for file in (output, plot))
    prediction = ImagePrediction(table, text, verdicts, written, drawn, notes)
    if output is not None:
        write_table(output, table, prediction.to_dict())
    if plot is not None:
        _draw(plot, np.stack(seen), table, next(iter(judged)))
    return prediction


@phase("drawing")
def _draw(path: str | PathLike[str], pixels: np.ndarray, table: pd.DataFrame, row: str) -> None:
    """Draw the first pictures that were read, each below its file and what is said of it."""
    from seqvision.reporting import plot_images, save_figure

    said = table[(table["model"] == row) & table["class"].notna()]
    titles = [
        f"{end_of_name(file)}\n{name}\n{100 * sure:.1f} %"
        for file, name, sure in zip(said["file"], said["class"], said["probability"], strict=True)
    ][: len(pixels)]
    count = f"{len(pixels)} of {len(said)} pictures" if len(pixels) < len(said) else counted(len(said), "picture")
    save_figure(plot_images(pixels, titles, title=f"{row}: {count}"), path)


def _listed(files: Sequence[str | PathLike[str]]) -> list[_Picture]:
    """Return the pictures in the order given, those of a folder in natural order, each once."""
    if not files:
        raise ValueError("files: give at least one picture, or a folder of pictures")
    found: dict[Path, _Picture] = {}
    for name in files:
        path = Path(name)
        if path.is_dir():
            inside = pictures_in(path)
            if not inside:
                raise ValueError(f"{path} has no picture: give a folder of pictures, or their files")
            _tell_others(path, set(inside))
            for one in inside:
                found.setdefault(one.resolve(), _Picture(one, given=False))
        elif path.is_file():
            found[path.resolve()] = _Picture(path, given=True)
        else:
            raise FileNotFoundError(f"there is no file or folder {path}")
    return list(found.values())


def _tell_others(folder: Path, pictures: set[Path]) -> None:
    inside = (path for path in folder.rglob("*") if path.is_file() and path not in pictures)
    others = sorted(name_of(path) for path in inside if not any(s[0] == "." for s in path.relative_to(folder).parts))
    if others:
        logger.warning(f"{folder}: {counted(len(others), 'file')} passed over, no pictures by name: {_some(others)}")


def _chunks(
    pictures: Sequence[_Picture], form: PictureForm, parts: Mapping[str, str]
) -> Iterator[list[dict[str, Any]]]:
    """Read pictures, some at a time: file, part, note, failed, and pixels unless it failed."""
    size = max(1, min(256, _AT_ONCE // (form.height * form.width * form.channels)))
    failed: list[str] = []
    for start in range(0, len(pictures), size):
        chunk = []
        for path, given in pictures[start : start + size]:
            one: dict[str, Any] = {"file": name_of(path), "part": "", "note": "", "failed": False}
            try:
                read = form.read(path)
                one |= {"pixels": read.pixels, "note": "; ".join(read.notes)}
                one["part"] = parts.get(content_hash(path), "") if parts else ""
            except (ValueError, OSError) as error:
                if given:
                    raise
                failed.append(one["file"])
                one |= {"failed": True, "note": f"not read: {error}"}
            chunk.append(one)
        yield chunk
    if failed:
        logger.warning(f"{len(failed)} of {counted(len(pictures), 'picture')} cannot be read: {_some(failed)}")


def _probabilities(states: Mapping[str, Sequence[TrainState]], pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Return model -> (B, C), the mean over seeds."""
    if not pixels:
        return {name: np.empty((0, 2)) for name in states}
    images = np.stack(pixels).astype(np.float32)
    return {name: np.mean([softmax(predict(state, images)) for state in each], axis=0) for name, each in states.items()}


def _row(
    one: Mapping[str, Any], said: Decision, judged: Judged, classes: Sequence[str], place: int | None
) -> dict[str, Any]:
    """Return a row of the table; place is the picture's among those that were read, None if it was not."""
    chances = np.full(len(classes), np.nan) if place is None else said.probabilities[place]
    sure = np.nan if place is None else float(said.confidence[place])
    right, rows = (np.nan, 0) if place is None else judged.when_so_sure(sure)
    return {
        "file": one["file"],
        "model": said.row,
        "class": None if place is None else classes[said.classes[place]],
        "probability": sure,
        **{f"probability of {name}": chance for name, chance in zip(classes, chances, strict=True)},
        "right in test": right,
        "test rows": rows,
        "verdict": judged.outcome,
        "part": one["part"],
        "note": one["note"],
    }


def _notes(table: pd.DataFrame, models: int) -> tuple[str, ...]:
    count = len(table) // models
    known = {part: int((table["part"] == part).sum()) // models for part in ("train", "validation")}
    told = [
        f"{number} of {counted(count, 'file')} {'was' if number == 1 else 'were'} in the {word} of this run: what it "
        "says of them says nothing of new pictures"
        for number, word in ((known["train"], "training part"), (known["validation"], "validation part"))
        if number
    ]
    differ = int((table["note"] != "").sum()) // models
    if differ:
        told.append(
            f"{differ} of {counted(count, 'file')} {'has' if differ == 1 else 'have'} a note: the test does not tell "
            "how often predictions on such pictures are right"
        )
    return tuple(told)


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
