"""The benchmark against other frameworks: its arithmetic, its rows, and each framework in a tiny setting."""

import ast
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tyro

FOLDER = Path(__file__).parents[1] / "experiments" / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Import the benchmark as its command does: with its folder on the path."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("fit_peers")
    for name in ("fit_peers", "rows", "peer_seqvision", "peer_torch"):
        sys.modules.pop(name, None)


def stub(folder, **times):
    """Return a program in the place of the peers' Python, which answers these times at once."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\nprint('''{json.dumps(times)}''')\n")
    program.chmod(0o755)
    return str(program)


def test_header_states_question_command_result_and_time():
    header = ast.get_docstring(ast.parse((FOLDER / "fit_peers.py").read_text(encoding="utf-8")))
    places = [header.find(word) for word in ("Question:", "Command:", "Expected:", "Running time:")]
    assert -1 not in places
    assert places == sorted(places)
    assert "TODO" not in header


def test_settings_are_flags(benchmark):
    config = tyro.cli(benchmark.Config, args=["--rows", "lstm5", "rnn", "--rounds", "1", "--json", "out.json"])
    assert config == benchmark.Config(rows=("lstm5", "rnn"), rounds=1, json=Path("out.json"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": ("lstm6",)}, "rows must be among lstm5, .* got lstm6"),
        ({"rows": ()}, "rows must be among .* got none"),
        ({"only": ("jax",)}, "only must be among seqvision, .* got jax"),
        ({"epochs": 1}, "epochs must be at least 2, got 1"),
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused(benchmark, settings, message):
    with pytest.raises(ValueError, match=message):
        benchmark.main(benchmark.Config(**settings))


def test_the_run_of_this_library_and_a_peer_that_is_absent(benchmark, tmp_path, capsys):
    config = benchmark.Config(
        rows=("lstm5",),
        rounds=1,
        only=("seqvision", "torch"),
        epochs=2,
        examples=40,
        json=tmp_path / "all.json",
        peers_python=stub(tmp_path, absent="No module named 'torch'"),
    )
    result = benchmark.main(config)
    assert json.loads(config.json.read_text()) == result
    times = result["lstm5"]["medians"]["seqvision"]
    assert all(times[part] > 0 for part in ("import", "setup", "epoch"))
    assert times["fit"] == pytest.approx(times["setup"] + 2 * times["epoch"])
    assert times["process"] > times["fit"] + times["import"]
    assert 0 < times["loss"] < 5
    assert result["lstm5"]["absent"] == {"torch": "No module named 'torch'"}
    assert result["lstm5"]["ratios"] == {}
    printed = capsys.readouterr().out
    assert "torch: absent (No module named 'torch')" in printed
    assert "| seqvision | 0." in printed


def test_totals_of_a_short_measurement_are_computed_for_the_recipe(benchmark, tmp_path):
    answer = {"import": 1.0, "setup": 2.0, "epoch": 10.0, "fit": 22.0, "loss": 0.5, "trained": 0.0}
    config = benchmark.Config(peers_python=stub(tmp_path, **answer))
    assert (benchmark.ROWS["rowmnist"].timed, benchmark.ROWS["rowmnist"].epochs) == (2, 10)
    assert benchmark.measure(config, "rowmnist", "torch", 0)["fit"] == 2.0 + 10 * 10.0


def test_ratios_are_of_medians_and_of_the_fastest_peer(benchmark):
    def rounds(*seconds):
        return [{"epoch": s, "fit": 10 * s, "process": 20 * s} for s in seconds]

    result = benchmark.summarise(
        {
            "seqvision": rounds(1, 2, 9),
            "keras-jax": rounds(6, 6, 6),
            "torch": rounds(5, 8, 8),
            "keras-tf": rounds(7, 7, 7),
        }
    )
    assert result["ratios"] == {"epoch": 3.0, "fit": 3.0, "process": 3.0}


@pytest.mark.parametrize("name", ["lstm5", "lstm10", "lstm30", "rowmnist", "fashion", "rnn", "mlp"])
def test_networks_have_the_sizes_of_the_recipes_in_every_framework(benchmark, name):
    import jax

    rows, ours = importlib.import_module("rows"), importlib.import_module("peer_seqvision")
    row, sample = rows.ROWS[name], rows.make_sample(rows.ROWS[name], 40)
    assert len(sample.x) == len(sample.y) == 40
    if sample.series is not None:
        np.testing.assert_array_equal(sample.x[7, :, 0], sample.series[7 : 7 + row.length, 0])
        np.testing.assert_array_equal(sample.y[7], sample.series[7 + row.length])
    parameters = jax.eval_shape(ours.build(row).init, jax.random.key(0), sample.x[:1])
    size = sum(leaf.size for leaf in jax.tree.leaves(parameters))
    known = {"lstm5": 146, "lstm10": 491, "lstm30": 146, "rowmnist": 81_674}
    known |= {"fashion": 360_458, "rnn": 30_643, "mlp": 27_195_001}
    assert size == known[name]


@pytest.mark.parametrize("name", ["lstm5", "lstm30", "rowmnist", "fashion", "rnn"])
def test_torch_trains_networks_of_the_same_size(benchmark, name):
    torch = pytest.importorskip("torch")
    rows, peer = importlib.import_module("rows"), importlib.import_module("peer_torch")
    row, sample = rows.ROWS[name], rows.make_sample(rows.ROWS[name], 40)
    _, losses = peer.train(row, sample, 2, 32, torch.get_num_threads(), 0)
    assert all(0 < loss < 5 for loss in losses)
