import subprocess
import sys

import numpy as np
import pytest

from seqvision.reporting import drawers as room
from seqvision.reporting import plot_losses, save_figure
from seqvision.reporting.drawers import Drawers

HISTORY = {"gru": {"loss": np.exp(-np.arange(9.0)) * np.ones((3, 1))}}


@pytest.fixture(autouse=True)
def _as_if_matplotlib_were_not_there(monkeypatch):
    monkeypatch.setattr(room, "_processes_worthwhile", lambda: 2)


@pytest.fixture
def expected(tmp_path):
    return save_figure(plot_losses(HISTORY), tmp_path / "expected.png").read_bytes()


def never(*_):
    raise AssertionError("drawn here")


def test_pictures_are_those_of_this_process(tmp_path, expected, monkeypatch):
    monkeypatch.setattr(room._Picture, "draw", never)
    with Drawers(plots=("plot_losses",)) as drawers:
        for number in range(3):
            drawers.save(tmp_path / f"{number}.png", "plot_losses", HISTORY)
        drawers.finish()
        assert all((tmp_path / f"{number}.png").read_bytes() == expected for number in range(3))
    assert all(process.poll() is not None for process in drawers._processes)


def test_what_a_dead_process_does_not_draw_is_drawn_here(tmp_path, expected):
    with Drawers() as drawers:
        for process in drawers._processes:
            process.kill()
            process.wait()
        drawers.save(tmp_path / "a.png", "plot_losses", HISTORY)
    assert (tmp_path / "a.png").read_bytes() == expected


def test_without_processes_pictures_are_drawn_here(tmp_path, expected, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with Drawers() as drawers:
        drawers.save(tmp_path / "a.png", "plot_losses", HISTORY)
    assert (tmp_path / "a.png").read_bytes() == expected


def test_what_cannot_be_sent_is_drawn_here(tmp_path):
    class History(dict):  # of no module that another process could import
        pass

    with Drawers() as drawers:
        drawers.save(tmp_path / "a.png", "plot_losses", History(HISTORY))
        drawers.save(tmp_path / "b.png", "plot_losses", HISTORY)
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png"}


def test_an_error_of_a_plot_is_raised_here(tmp_path):
    with pytest.raises(AttributeError, match="plot_nothing"), Drawers() as drawers:
        drawers.save(tmp_path / "a.png", "plot_nothing")


def test_an_error_elsewhere_leaves_no_process(tmp_path):
    drawers = Drawers()
    drawers.save(tmp_path / "a.png", "plot_losses", HISTORY)
    with pytest.raises(ZeroDivisionError), drawers:
        raise ZeroDivisionError
    assert all(process.poll() is not None for process in drawers._processes)


def test_pictures_that_are_not_wanted_start_nothing(tmp_path):
    with Drawers(wanted=False) as drawers:
        drawers.save(tmp_path / "a.png", "plot_losses", HISTORY)
    assert not drawers._processes
    assert not list(tmp_path.iterdir())


def test_who_asks_imports_no_matplotlib(tmp_path):
    program = (
        "import sys; from seqvision.reporting.drawers import Drawers\n"
        "with Drawers(plots=('plot_losses',)) as drawers:\n"
        f"    count = len(drawers._processes); drawers.save({str(tmp_path / 'a.png')!r}, 'plot_losses', "
        "{'gru': {'loss': [[1.0, 0.5]]}})\n"
        "print(count, 'matplotlib.figure' in sys.modules, 'jax' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert told in (["2", "False", "False"], ["0", "True", "False"])  # the latter on one core
    assert (tmp_path / "a.png").exists()
