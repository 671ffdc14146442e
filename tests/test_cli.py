"""The command line: exit codes, one-line errors, results on stdout, and a start that imports nothing heavy."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from seqvision import cli, pipelines

FAST = ["--models", "linear", "--epochs", "2", "--seeds", "1", "--quiet"]


def run(capsys, *words):
    code = cli.main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    assert cli.main(["train", "forecast", "--out", str(out), *FAST]) == 0
    return next(out.iterdir())


def test_train_prints_the_card_and_names_the_folder(capsys, tmp_path):
    code, out, err = run(capsys, "train", "forecast", "--out", str(tmp_path), *FAST)
    assert code == 0
    assert "Verdict" in out
    assert "last value" in out
    assert f"run folder: {next(tmp_path.iterdir())}" in err


def test_cell_is_another_name_for_models(capsys):
    code, out, _ = run(capsys, "train", "forecast", "--cell", "gru", "mlp", "--dry-run")
    assert code == 0
    assert "gru: (10, 1) -> (1, 1)" in out
    assert "mlp" in out
    assert "lstm" not in out


def test_evaluate_and_predict_a_run(capsys, folder, tmp_path):
    code, out, _ = run(capsys, "evaluate", str(folder))
    assert code == 0
    assert "One step ahead" in out
    new = tmp_path / "new"
    files = ("--output", str(new / "next.csv"), "--plot", str(new / "next.png"))
    code, out, _ = run(capsys, "predict", str(folder), "--steps", "3", *files, "--calendar", "business")
    assert code == 0
    assert "GOOG close after 2008-10-14" in out
    assert "note: dates go on by 1 business day" in out
    assert len((new / "next.csv").read_text().splitlines()) > 3 * 2
    assert {path.name for path in new.iterdir()} == {"next.csv", "next.png"}
    code, out, err = run(capsys, "predict", str(folder), "a.png")
    assert (code, out) == (2, "")
    assert "is a run on a series, which has no classes: leave out the file a.png" in err


def test_json_is_one_document(capsys, folder, tmp_path):
    code, out, _ = run(capsys, "train", "forecast", "--json", "--out", str(tmp_path), *FAST)
    assert code == 0
    document = json.loads(out)
    assert document["scores"]["one_step"]["last value"]["kind"] == "baseline"
    assert document["folder"].startswith(str(tmp_path))
    assert json.loads(run(capsys, "evaluate", str(folder), "--json")[1])["scores"]["test_rows"] == 209
    assert json.loads(run(capsys, "predict", str(folder), "--json")[1])["forecast"][0]["step"] == 1
    described = json.loads(run(capsys, "train", "classify", "--dry-run", "--json")[1])
    assert described["examples"]["test"] == 359


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train forecst", "no command 'train forecst'; did you mean train forecast?"),
        ("trian", "no command 'trian'"),
        ("train forecast --eppochs 3", "no option --eppochs; did you mean --epochs?"),
        ("train forecast --epochs three", "--epochs takes INT, but is 'three'"),
        ("train classify --size (12,12)", "seqvision train classify: --size takes INT, but is '(12,12)'\n"),
        ("train forecast --header x", "seqvision train forecast: --header takes {True,False}|INT, but is 'x'\n"),
        ("predict runs --steps 1.5", "seqvision predict: --steps takes INT, but is '1.5'\n"),
        ("train forecast --epochs", "--epochs needs a value: passes over the training rows"),
        ("train forecast --scaler foo", "--scaler takes standard, minmax, none, but is 'foo'"),
        ("train forecast --seed 4294967296", "seed must be an int >= 0 and < 4294967296"),
        ("train forecast --models gruu", "'gruu' is unknown; did you mean gru?"),
        ("train forecast extra", "'extra' is one word too many"),
        ("train forecast --csv /no/such/file.csv", "/no/such/file.csv"),
        ("train forecast --target clos", "did you mean 'close'"),
        ("train forecast --length 2000", "length 2000"),
        ("train forecast --out /dev/null/runs", "cannot write a run folder"),
        ("train classify --data cifar", "'cifar'"),
        ("evaluate", "seqvision evaluate needs one word more: folder of the run"),
        ("--versoin", "did you mean --version?"),
        ("evaluate /no/such/run", "is not a run folder"),
        ("predict /no/such/run", "is not a run folder"),
    ],
)
def test_bad_input_exits_2_with_one_line(capsys, words, message):
    code, out, err = run(capsys, *words.split())
    assert code == 2
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1
    assert err.startswith("seqvision")


def test_failures_at_run_time_exit_1_and_debug_shows_where(capsys, monkeypatch):
    def fail(config, **_):
        raise RuntimeError("RESOURCE_EXHAUSTED: out of\nmemory allocating")

    monkeypatch.setattr(pipelines, "run_forecast", fail, raising=False)
    code, _, err = run(capsys, "train", "forecast")
    assert code == 1
    assert err == "seqvision: out of memory: try a smaller batch_size, or fewer hidden units\n"
    with pytest.raises(RuntimeError, match="RESOURCE_EXHAUSTED"):
        cli.main(["train", "forecast", "--debug"])

    def full(config, **_):
        raise OSError(28, "No space left on device", "runs/x")

    monkeypatch.setattr(pipelines, "run_forecast", full, raising=False)
    assert run(capsys, "train", "forecast")[0] == 1


def test_ctrl_c_exits_130(capsys, monkeypatch):
    def stop(config, **_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipelines, "run_forecast", stop, raising=False)
    assert run(capsys, "train", "forecast")[::2] == (130, "seqvision: stopped\n")


def test_help_and_version(capsys):
    assert run(capsys, "--version")[1].startswith("seqvision ")
    assert run(capsys)[0] == 2
    code, out, _ = run(capsys, "train")
    assert code == 2
    assert "train classify" in out
    assert "evaluate" not in out
    assert "train forecast" in run(capsys, "--help")[1]
    code, out, _ = run(capsys, "train", "forecast", "--help")
    assert code == 0
    for option in ("--csv", "--target", "--epochs", "--seeds", "--learning-rate"):
        assert option in out


def test_completion_knows_commands_options_and_values(capsys):
    pytest.importorskip("shtab")
    for shell in ("bash", "zsh", "fish"):
        code, out, _ = run(capsys, "--print-completion", shell)
        assert code == 0
        for word in ("forecast", "evaluate", "learning-rate", "bidirectional", "nadam", "no-shuffle"):
            assert word in out, (shell, word)
    typed = f"{sys.executable} -m seqvision.cli --print-completion bash | head -1"
    assert subprocess.run(typed, shell=True, capture_output=True, text=True, check=True).stderr == ""
    code, out, err = run(capsys, "--print-completion", "powershell")
    assert (code, out) == (2, "")
    assert "takes bash, zsh, fish, but is 'powershell'" in err


def test_the_dry_run_says_what_is_not_as_usual(capsys):
    words = "--models lstm --layers 2 --bidirectional --dropout .2 --patience 5 --optimizer adamw --dry-run"
    code, out, _ = run(capsys, "train", "forecast", *words.split())
    assert code == 0
    told = "with layers=2, bidirectional=True, dropout=0.2, optimizer='adamw', patience=5"
    assert out.splitlines()[-1] == told
    assert "with " not in run(capsys, "train", "forecast", "--dry-run")[1]


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from seqvision.cli import main; main(['train', 'forecast', '--help']);"
        "print([name for name in ('jax', 'numpy', 'pandas', 'flax', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_prediction_that_is_not_drawn_imports_nothing_that_draws(folder):
    program = (
        f"import sys; from seqvision.cli import main; assert not main(['predict', {str(folder)!r}]);"
        "print([name for name in ('matplotlib', 'PIL', 'jinja2', 'scipy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_without_plots_nothing_is_drawn_and_nothing_imported_that_draws(capsys, folder, tmp_path):
    words = ["train", "forecast", "--no-plots", "--out", str(tmp_path), *FAST]
    program = (
        f"import sys; from seqvision.cli import main; assert not main({words!r});"
        "print([name for name in ('matplotlib', 'PIL', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    made = next(tmp_path.iterdir())
    assert not list(made.glob("*.png"))
    assert (made / "report.html").is_file()
    assert run(capsys, "report", str(made), "--plots")[0] == 0
    assert {path.name for path in made.glob("*.png")} == {path.name for path in folder.glob("*.png")}


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_terminated_run_says_so_and_exits_143(tmp_path):
    words = ["train", "forecast", "--out", str(tmp_path), "--epochs", "20000", "--models", "lstm"]
    with subprocess.Popen([sys.executable, "-m", "seqvision.cli", *words], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not list(tmp_path.glob("*/data.json")) and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=90) == 143
        finally:
            process.kill()
    assert next(tmp_path.glob("*/STATUS")).read_text() == "stopped\n"
