"""What is said of the phases of a run, line by line; their seconds, by a clock of the test's own."""

import json
import logging
import os
import re
import subprocess
import sys
import time

import pytest

from seqvision import cli
from seqvision._phases import RUNNING, go_on, phase, phases, seconds_so_far
from seqvision.pipelines import ForecastConfig, run_forecast, show_progress, terminal
from seqvision.reporting import RunFolder
from seqvision.training.progress import progress_bar

SECONDS = re.compile(r"\d+\.\d+ s")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_seconds_are_those_of_a_phase_alone_and_add_up(caplog):
    clock = Clock()
    with caplog.at_level(logging.INFO, "seqvision"), phases(clock) as run:
        with phase("judging"):
            clock.now += 2
            with phase("reading", "a.csv"):
                clock.now += 0.5
            clock.now += 1
        with phase("compiling", "gru", then=("training", "gru seed 1 of 2")):
            clock.now += 4
            assert go_on(by_bar=False) == "training gru seed 1 of 2"
            clock.now += 30
        with phase("compiling", "gru", told=False, then=("training", "gru seed 2 of 2")):
            clock.now += 0.25
            assert go_on(by_bar=False) == "training gru seed 2 of 2"
            assert go_on(by_bar=False) == ""
            clock.now += 20
        with phases(clock) as inner:
            assert inner is run
        clock.now += 0.125
        assert seconds_so_far() == {
            "judging": 3.0,
            "reading": 0.5,
            "compiling": 4.25,
            "training": 50.0,
            "in all": 57.875,
        }
    assert [record.getMessage() for record in caplog.records] == [
        "reading a.csv: 0.50 s",
        "judging: 3.00 s",
        "compiling gru: 4.00 s",
        "training gru seed 1 of 2: 30.0 s",
        "training gru seed 2 of 2: 20.0 s",
        "in all 57.9 s: reading 0.50, judging 3.00, compiling 4.25, training 50.0, the rest 0.12",
    ]
    assert not RUNNING


def refused():
    with phase("reading", "a.csv"):
        pass
    raise OSError


def test_what_is_refused_after_it_was_read_is_one_line(caplog, tmp_path):
    with caplog.at_level(logging.INFO, "seqvision"):
        with pytest.raises(OSError), phases():
            refused()
        assert not caplog.records
        with phases():
            with phase("reading", "a.csv"):
                pass
            with RunFolder.create(tmp_path, "run"):
                assert caplog.records[0].getMessage().startswith("reading a.csv: 0.0")


def test_a_phase_that_fails_is_not_said_to_be_done_and_leaves_nothing(caplog):
    with caplog.at_level(logging.INFO, "seqvision"):
        with pytest.raises(KeyError), phases(), phase("judging"), phase("reading"):
            raise KeyError
        with phase("drawing"):  # outside of a run nothing is counted
            assert seconds_so_far() == {}
            assert go_on(by_bar=False) == ""
    assert not caplog.records
    assert not RUNNING


def test_a_decorated_function_counts_every_call():
    clock = Clock()

    @phase("reading")
    def read():
        clock.now += 1
        return "rows"

    @phases(clock)
    def run():
        assert (read(), read()) == ("rows", "rows")
        return seconds_so_far()

    assert run() == run() == {"reading": 2.0, "in all": 2.0}


def test_a_log_is_never_silent_for_long(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "_LOOK", 0.01)
    clock = Clock()
    with show_progress(), phases(clock), phase("compiling", "gru", told=False, then=("training", "gru seed 2 of 5")):
        for _ in range(12):  # seconds
            clock.now += 1
            time.sleep(0.05)
        with progress_bar(40, 0, wanted=False) as advance:
            advance(3, {"loss": [0.5, 0.25], "val_loss": [0.75]})
            clock.now += 6
            time.sleep(0.1)
    assert capsys.readouterr().err.splitlines() == [
        "compiling gru, 5.00 s so far",
        "compiling gru, 10.0 s so far",
        "compiling gru: 12.0 s",  # of later seeds only because it was spoken of
        "training gru seed 2 of 5, epoch 3 of 40  loss 0.25  val_loss 0.75, 6.00 s so far",
        "training gru seed 2 of 5: 6.00 s",
        "in all 18.0 s: compiling 12.0, training 6.00, the rest 0.00",
    ]


def test_a_run_says_its_phases_and_keeps_their_seconds(capsys, tmp_path):
    config = ForecastConfig(models=("linear", "mlp"), hidden=2, epochs=1, seeds=2, out=str(tmp_path))
    with show_progress():
        run = run_forecast(config, progress=False)
    said = [SECONDS.sub("… s", line) for line in capsys.readouterr().err.splitlines() if not line.endswith("so far")]
    assert said[0] == "reading GOOG: … s"
    assert said[3:-1] == [
        *(f"{what}: … s" for name in config.models for what in trained(name)),
        "judging: … s",
        "drawing: … s",
        "drawing report.html: … s",
    ]
    order = [part.rsplit(" ", 1)[0] for part in said[-1].removeprefix("in all … s: ").split(", ")]
    assert order == ["reading", "compiling", "training", "judging", "drawing", "the rest"]
    seconds = json.loads((run.folder / "phases.json").read_text())
    assert list(seconds) == ["reading", "compiling", "training", "judging", "drawing", "in all"]
    assert sum(seconds.values()) - seconds["in all"] <= seconds["in all"]


def trained(name):
    return [f"compiling {name}", f"training {name} seed 1 of 2", f"training {name} seed 2 of 2"]


WORDS = ["train", "forecast", "--models", "linear", "--epochs", "1", "--seeds", "1", "--json", "--out"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("stderr", ["full", "closed"])
def test_a_stderr_that_fails_ends_no_run(stderr, tmp_path):
    close = "import os, sys; os.close(2); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    words = ["-m", "seqvision.cli", *WORDS, str(tmp_path)]
    with open("/dev/full", "w") as full:
        typed = [sys.executable, *(["-c", close] if stderr == "closed" else []), *words]
        done = subprocess.run(typed, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["parameters"]
    (run,) = tmp_path.iterdir()
    assert (run / "STATUS").read_text() == "done\n"


def test_stdout_is_the_same_with_and_without_progress(capsys, tmp_path):
    for words in (["--quiet"], []):
        assert cli.main([*WORDS, str(tmp_path), *words]) == 0
        printed = capsys.readouterr()
        assert json.loads(printed.out)["parameters"]
        assert bool("in all" in printed.err) is (not words)


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
def test_a_terminal_has_a_bar_that_names_model_and_seed(tmp_path):
    program = """
import time
from seqvision._phases import phase, phases
from seqvision.pipelines import show_progress
from seqvision.training.progress import progress_bar
with show_progress(), phases(), phase("compiling", "gru", then=("training", "gru seed 2 of 5")):
    time.sleep(1.2)
    with progress_bar(40, 0, None) as advance:
        advance(3, {"loss": [0.5]})
        time.sleep(0.8)
"""
    seen = on_a_terminal(program)
    assert "compiling gru, 0.5" in seen
    assert "compiling gru: 1.2" in seen
    assert "training gru seed 2 of 5  epoch  3/40" in seen
    assert "loss 0.5" in seen
    assert "training gru seed 2 of 5: 0." in seen
    assert "so far" not in seen.split("compiling gru: ")[1]  # the bar is alone


def on_a_terminal(program):
    ours, theirs = os.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"}
    with subprocess.Popen([sys.executable, "-c", program], stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 4096):
                seen += part
        except OSError:  # the other end was closed
            pass
    os.close(ours)
    assert process.returncode == 0, seen
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
