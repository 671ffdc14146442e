"""Reading through the command line: every argument of the reader is a flag, and a run reads as it was trained."""

import ast
import json
import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from seqvision import cli, pipelines
from seqvision.cli.options import options_of
from seqvision.cli.parsing import parse
from seqvision.cli.verbs import VERBS
from seqvision.data import read_series
from seqvision.pipelines import ForecastConfig, Reading
from seqvision.reporting import RunFolder

FAST = ["--models", "linear", "--epochs", "1", "--seeds", "1", "--length", "3", "--quiet"]


def run(capsys, *words):
    code = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def parsed(*words, verb="forecast"):
    return parse(VERBS[{"forecast": "train forecast"}.get(verb, verb)].kind, list(words), "seqvision")


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("--date Date", "date", "Date"),
        ("--date Date Time", "date", ("Date", "Time")),
        ("--date 2", "date", "2"),
        ("--date False", "date", False),
        ("--date=False", "date", False),
        ("--no-date", "date", False),
        ("--date True", "date", True),
        ("--date", "date", True),
        ("--date-format %d.%m.%Y", "date_format", "%d.%m.%Y"),
        ("--dayfirst", "dayfirst", True),
        ("--dayfirst True", "dayfirst", True),
        ("--no-dayfirst", "dayfirst", False),
        ("--dayfirst False", "dayfirst", False),
        ("--yearfirst", "yearfirst", True),
        ("--no-yearfirst", "yearfirst", False),
        ("--duplicates mean", "duplicates", "mean"),
        ("--gaps interpolate", "gaps", "interpolate"),
        ("--series-id country", "series_id", "country"),
        ("--series Norway", "series", "Norway"),
        ("--series 3", "series", "3"),
        ("--blanks ffill", "blanks", "ffill"),
        ("--missing ND :", "missing", ("ND", ":")),
        ("--missing -200", "missing", (-200,)),
        ("--missing .. -9999 #NULL!", "missing", ("..", -9999, "#NULL!")),
        ("--encoding cp1252", "encoding", "cp1252"),
        ("--separator ;", "separator", ";"),
        (r"--separator \t", "separator", "\t"),
        ("--decimal ,", "decimal", ","),
        ("--header", "header", True),
        ("--no-header", "header", False),
        ("--header False", "header", False),
        ("--header 3", "header", 3),
        ("--skip-rows 4", "skip_rows", 4),
        ("--skip-footer 2", "skip_footer", 2),
        ("--comment #", "comment", "#"),
    ],
)
def test_every_argument_of_the_reader_can_be_typed(words, name, value):
    words = words.split(" ")
    assert parsed(*words).config.given() == {name: value}
    for verb in ("predict", "evaluate"):
        assert parsed("runs/1", *words, verb=verb).reading.given() == {name: value}


def test_every_setting_of_the_reader_has_a_flag_above():
    marks = next(
        mark for mark in test_every_argument_of_the_reader_can_be_typed.pytestmark if mark.name == "parametrize"
    )
    assert {name for _, name, _ in marks.args[1]} == set(Reading.__dataclass_fields__)


def test_every_word_that_an_error_of_reading_asks_for_is_a_setting():
    asked = set()
    for file in Path(read_series.__code__.co_filename).parent.rglob("*.py"):
        raised = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Raise))
        texts = (part.value for node in raised for part in ast.walk(node) if isinstance(part, ast.Constant))
        asked |= {name for text in texts if isinstance(text, str) for name in re.findall(r"\b([a-z_]+)=", text)}
    assert asked >= {"date", "series", "series_id", "blanks", "duplicates", "gaps", "decimal", "separator"}
    assert asked <= set(ForecastConfig.__dataclass_fields__) | options_of(VERBS["predict"].kind).keys()


LONG = "country;year;value\n" + "".join(
    f"{country};{1960 + k};{start + k}\n" for country, start in (("Chad", 10), ("Peru", 500)) for k in range(40)
)
HOURS = [f"{day:02d}.05.2022;{hour:02d}:00;{10 + hour % 7}" for day in range(1, 4) for hour in range(24)]
REMEDIES = {  # a file, words that are refused, what the error asks for, words that then read it, what is said then
    "several series": (
        LONG,
        "",
        "series_id=",
        "--target value --series-id country --series Peru",
        "Peru value: 40 rows",
    ),
    "an id alone": (
        LONG,
        "--target value --series-id country",
        "Chad",
        "--target value --series-id country --series Chad",
        "Chad",
    ),
    "date and time": (
        "Date;Time;T\n" + "\n".join(HOURS) + "\n",
        "--dayfirst --date Date --target T",
        "column 'Time' holds the times of day: say date=… with both columns",
        "--dayfirst --date Date Time --target T",
        "72 rows, 2022-05-01 to 2022-05-03",
    ),
    "repeated dates": (
        "date,x\n" + "".join(f"2022-05-{1 + k // 2:02d},{k}\n" for k in range(60)),
        "--target x",
        "duplicates=",
        "--duplicates mean",
        "30 rows",
    ),
    "no dates": (
        "date,x\n" + "".join(f"2022-05-{1 + k // 2:02d},{k}\n" for k in range(60)),
        "",
        "duplicates=",
        "--no-date --target x",
        "60 rows",
    ),
    "days or months": (
        "date,x\n" + "".join(f"{k:02d}/{k:02d}/2022,1{k}\n{k:02d}/{13 - k:02d}/2023,1{k}\n" for k in range(1, 13)),
        "--duplicates first",
        "dayfirst=",
        "--dayfirst --duplicates first",
        "rows",
    ),
    "blanks": (
        "x\n" + "".join(f"{k if k % 9 else ''}\n" for k in range(60)).replace("\n\n", "\nNA\n"),
        "",
        "blanks=",
        "--blanks drop",
        "rows",
    ),
    "numbers for blanks": (
        "t,x\n" + "".join(f"{k},{'-200.0' if k == 7 else 'ND' if k == 9 else k}\n" for k in range(60)),
        "--target x --missing ND",
        "is blank",
        "--target x --missing -200 ND --blanks drop",
        "58 rows",
    ),
    "words for blanks": (
        "t,x\n" + "".join(f"{k},{'ND' if k == 7 else k}\n" for k in range(60)),
        "--target x",
        "'ND'",
        "--target x --missing ND --blanks ffill",
        "60 rows",
    ),
    "decimals": (
        "Preis\tMenge\n" + "".join(f"1,{k:03d}\t2,{k:03d}\n" for k in range(100, 160)),
        "--target Preis",
        "decimal=",
        "--target Preis --decimal ,",
        "60 rows",
    ),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_that_an_error_names_can_be_typed(name, tmp_path, capsys):
    content, refused, asked, typed, said = REMEDIES[name]
    file = tmp_path / "file.csv"
    file.write_text(content)
    words = ["train", "forecast", "--csv", file, "--models", "linear", "--length", "3", "--dry-run"]
    code, out, err = run(capsys, *words, *refused.split())
    assert (code, out) == (2, "")
    assert asked in err
    code, out, err = run(capsys, *words, *typed.split())
    assert (code, err) == (0, "")
    assert said in out


def wave(rows, season=24):
    return 10 + 5 * np.sin(2 * np.pi * np.arange(rows) / season) + 0.01 * np.arange(rows)


@pytest.fixture(scope="module")
def dayfirst(tmp_path_factory):
    """A run on 90 days that are written dd/mm/yyyy, which only days above 12 tell."""
    folder = tmp_path_factory.mktemp("dayfirst")
    days = np.arange("2020-05-03", "2020-08-01", dtype="datetime64[D]").astype(object)
    rows = [f"{day:%d/%m/%Y};{value:.3f}".replace(".", ",") for day, value in zip(days, wave(90), strict=True)]
    (folder / "train.csv").write_text("Datum;Preis\n" + "\n".join(rows) + "\n")
    words = ["--csv", str(folder / "train.csv"), "--out", str(folder / "runs"), *FAST]
    assert cli.main(["train", "forecast", *words]) == 0
    return next((folder / "runs").iterdir())


def test_a_new_file_is_read_as_the_file_of_training_was(dayfirst, tmp_path, capsys):
    saved = RunFolder.open(dayfirst).read_json("data.json")
    assert {name: saved["reading"].get(name) for name in ("date", "dayfirst", "separator", "decimal")} == {
        "date": "Datum",
        "dayfirst": True,
        "separator": ";",
        "decimal": ",",
    }
    new = tmp_path / "new.csv"
    new.write_text("Datum;Preis\n" + "".join(f"{day:02d}/08/2020;1{day},5\n" for day in range(1, 13)))
    code, out, err = run(capsys, "predict", dayfirst, "--csv", new, "--quiet")
    assert (code, err) == (0, "")
    assert "after 2020-08-12" in out
    ahead = json.loads(run(capsys, "predict", dayfirst, "--csv", new, "--steps", "3", "--json")[1])["forecast"]
    dates = [row["date"] for row in ahead if row["model"] == "linear"]
    assert dates == ["2020-08-13", "2020-08-14", "2020-08-15"]
    code, out, err = run(capsys, "predict", dayfirst, "--csv", new, "--date-format", "%m/%d/%Y")
    assert (code, out) == (2, "")
    assert "the rows of new are 31 days apart, those that the run was trained on 1 day:" in err
    other = tmp_path / "other.csv"
    other.write_text(new.read_text().replace("/08/2020", "/25/2020"))
    code, _, err = run(capsys, "predict", dayfirst, "--csv", other)
    assert code == 2
    assert "other.csv" in err
    other.write_text(new.read_text().replace("Preis", "Menge"))
    code, _, err = run(capsys, "predict", dayfirst, "--csv", other)
    assert code == 2
    assert "Menge" in err


def test_evaluate_reads_a_file_that_has_moved(dayfirst, tmp_path, capsys):
    moved = tmp_path / "moved.csv"
    config = RunFolder.open(dayfirst).read_json("config.json")
    text = Path(config["csv"]).read_text()
    moved.write_text(text)
    assert run(capsys, "evaluate", dayfirst, "--csv", moved)[0] == 0
    moved.write_text(text.replace(";", "\t"))
    assert run(capsys, "evaluate", dayfirst, "--csv", moved)[0] == 2
    assert run(capsys, "evaluate", dayfirst, "--csv", moved, "--separator", r"\t")[0] == 0


@pytest.mark.parametrize("name", ["data.json", "config.json", "models/linear/weights.safetensors", "summary.json"])
def test_a_changed_file_of_the_run_is_refused(dayfirst, tmp_path, capsys, name):
    copy = shutil.copytree(dayfirst, tmp_path / "copy")
    content = (copy / name).read_bytes()
    if name == "data.json":
        saved = json.loads(content)
        saved["scaler"]["scale"] = [2 * scale for scale in saved["scaler"]["scale"]]
        (copy / name).write_text(json.dumps(saved))
    else:
        (copy / name).write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    for verb in ("predict", "evaluate"):
        code, out, err = run(capsys, verb, copy)
        assert (code, out) == (2, "")
        assert f"{name} is not what was written" in err


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": 999_999, "models": ["gru"]},
        {"length": 2**31 - 1},
        {"horizon": 2**31 - 1},
        {"seeds": 9_999},
        {"models": ["mlp"]},
        {"target": "Menge"},
        {"csv": "/no/such/file"},
        {"csv": "/dev/zero"},
        {"returns": True},
        {"seed": "0"},
    ],
    ids=str,
)
def test_a_configuration_of_another_run_is_refused(dayfirst, tmp_path, capsys, change):
    copy = RunFolder(shutil.copytree(dayfirst, tmp_path / "copy"))
    copy.write_json("config.json", copy.read_json("config.json") | change)
    for verb in ("predict",) if "csv" in change else ("predict", "evaluate"):  # whose rows are in the folder
        code, out, err = run(capsys, verb, copy.path)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1


def test_a_season_is_one_of_time_where_hours_are_missing(tmp_path, capsys):
    hours = np.arange("2021-03-01T00", "2021-04-12T00", dtype="datetime64[h]")
    kept = np.arange(len(hours)) % 168 // 7 != 5  # seven hours a week
    y = 10 + 5 * np.sin(2 * np.pi * np.arange(len(hours)) / 24)
    file = tmp_path / "hours.csv"
    file.write_text("time,y\n" + "".join(f"{h}:00,{v:.9f}\n" for h, v in zip(hours[kept], y[kept], strict=True)))
    words = ["--csv", file, "--season", "24", "--out", tmp_path / "runs", "--length", "5", *FAST, "--json"]
    code, out, _ = run(capsys, "train", "forecast", *words)
    assert code == 0
    result = json.loads(out)
    assert result["scores"]["one_step"]["season of 24"]["rmse"] < 1e-6
    (note,) = [note for note in result["data"]["notes"] if "1 hour" in note]
    assert "6 gaps, 42 steps missing, the longest 7 steps after 2021-03-02T10" in note
    code, out, err = run(capsys, "train", "forecast", *words, "--gaps", "error")
    assert (code, out) == (2, "")
    assert "say gaps='keep', 'fill' or 'interpolate'" in err
    code, out, _ = run(capsys, "train", "forecast", *words, "--gaps", "interpolate")
    assert json.loads(out)["data"]["rows"] == len(hours)


def test_thirty_rows_train_with_the_default_batch(tmp_path, capsys):
    file = tmp_path / "short.csv"
    file.write_text("x\n" + "\n".join(f"{value:.4f}" for value in wave(30)))
    words = ["--csv", file, "--out", tmp_path / "runs", *FAST]
    assert run(capsys, "train", "forecast", *words)[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert RunFolder.open(folder).read_json("config.json")["batch_size"] == 18
    code, _, err = run(capsys, "train", "forecast", *words, "--batch-size", "32")
    assert code == 2
    assert "batch_size 32 is larger than the 18 examples to train on: use 18 or less" in err


@pytest.mark.parametrize(
    "words",
    [
        "--learning-rate inf",
        "--learning-rate nan",
        "--learning-rate -0.1",
        "--train nan",
        "--train -3",
        "--validation inf",
        "--dropout nan",
        "--hidden -1",
        "--epochs 0",
        "--seed -1",
        "--season 0",
        "--skip-rows -1",
        "--test nan",
        "--test -0.5",
        "--limit 0",
        "--size -28",
    ],
)
def test_numbers_that_cannot_be_are_refused_before_anything_is_read(capsys, words):
    flag = words.split()[0].lstrip("-").replace("-", "_")
    forecast = flag in ForecastConfig.__dataclass_fields__
    where = ["forecast", "--csv"] if forecast else ["classify", "--folder"]
    code, out, err = run(capsys, "train", *where, "/no/such/file", *words.split())
    assert (code, out) == (2, "")
    assert f"{flag} must be" in err
    assert "/no/such/file" not in err


def test_a_forecast_that_cannot_be_written_is_refused_before_anything_is_computed(dayfirst, tmp_path, capsys):
    (tmp_path / "file").touch()
    refused = {"file/x.csv": "its folder cannot be made", ".": "it is a folder", "x.xls": "has to end in .csv or .json"}
    for output, message in refused.items():
        code, out, err = run(capsys, "predict", dayfirst, "--output", tmp_path / output)
        assert (code, out) == (2, "")
        assert message in err
    code, out, err = run(capsys, "train", "forecast", "--out", "x" * 300, *FAST)
    assert (code, out) == (2, "")
    assert "cannot write a run folder" in err


def test_the_folder_of_a_forecast_is_made(dayfirst, tmp_path, capsys):
    code, _, err = run(capsys, "predict", dayfirst, "--output", tmp_path / "new" / "x.csv", "--quiet")
    assert (code, err) == (0, "")
    assert (tmp_path / "new" / "x.csv").read_text().startswith("date,row,step,model,forecast,")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_command_with_its_number(monkeypatch, capsys, number, code):
    def stop(config, **_):
        os.kill(os.getpid(), number)
        for _ in range(10**7):
            pass

    monkeypatch.setattr(pipelines, "run_forecast", stop, raising=False)
    known = signal.getsignal(signal.SIGTERM)
    try:
        found = cli.main(["train", "forecast"])
    except SystemExit as end:
        found = end.code
    finally:
        signal.signal(signal.SIGTERM, known)
    assert found == code
