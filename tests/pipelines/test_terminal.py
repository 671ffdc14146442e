"""What a script prints, and who sees the lines on how far a run is."""

import logging
import subprocess
import sys

import pytest

from seqvision.pipelines import ForecastConfig, run_and_print, run_forecast, show_progress

LOGGER = logging.getLogger("seqvision.pipelines.test")


def test_a_library_user_sees_nothing():
    program = "import logging, seqvision; logging.getLogger('seqvision.pipelines').warning('a line')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_a_line_is_shown_once_where_a_library_sets_up_logging_on_the_way():
    program = """
import logging
from seqvision.pipelines import show_progress
with show_progress():
    logging.info("of another library")
    logging.getLogger("seqvision.pipelines.test").info("a line")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.count("a line") == 1


def test_lines_are_shown_within_the_block_alone(capsys):
    logger = logging.getLogger("seqvision")
    before = logger.level, list(logger.handlers)
    LOGGER.info("too early")
    with show_progress():
        LOGGER.info("5 seeds, 100 % trained")
    LOGGER.info("too late")
    with pytest.raises(KeyError), show_progress():
        raise KeyError
    assert capsys.readouterr() == ("", "5 seeds, 100 % trained\n")
    assert (logger.level, logger.handlers) == before


def test_one_block_within_another_shows_each_line_once(capsys):
    with show_progress(), show_progress():
        LOGGER.info("inner")
    assert capsys.readouterr().err == "inner\n"


def test_a_logger_that_tells_more_goes_on_to(caplog, capsys):
    with caplog.at_level(logging.DEBUG, "seqvision"), show_progress():
        LOGGER.debug("a detail")
    assert capsys.readouterr().err == "a detail\n"


def test_a_run_prints_its_text_and_tells_how_far_it_is(capsys, caplog, tmp_path):
    config = ForecastConfig(models=("linear", "mlp"), hidden=2, epochs=1, seeds=1, out=str(tmp_path))
    with caplog.at_level(logging.INFO, "seqvision"):
        summary = run_and_print(run_forecast, config, progress=False)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[1].startswith("GOOG close: 1047 rows, 2004-08-19 to 2008-10-14\ntrained on 735 rows, ")
    assert [line.split(": ")[0] for line in lines[2:6]] == [
        *("compiling linear", "training linear", "compiling mlp", "training mlp")
    ]
    printed = capsys.readouterr()
    assert printed.err == "".join(f"{line}\n" for line in lines)
    assert printed.out.startswith(lines[1])
    assert printed.out.endswith(f"\n\nrun folder: {summary['folder']}\n")
    assert list(summary) == [
        *("folder", "data", "scores", "by_seed", "validation", "baselines", "parameters", "seconds")
    ]
