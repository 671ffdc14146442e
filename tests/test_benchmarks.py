"""The benchmarks against other frameworks: their arithmetic, their rows, and each framework in a tiny setting."""

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
    for name in ("fit_peers", "rows", "processes", "peer_seqvision", "peer_torch"):
        sys.modules.pop(name, None)


@pytest.fixture
def layers(monkeypatch):
    """Import the benchmark of single layers in the same way."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("recurrent_layers")
    for name in ("recurrent_layers", "processes", "layer_rows", "layer_jax", "layer_torch", "layer_worker"):
        sys.modules.pop(name, None)


@pytest.fixture
def convolutions(monkeypatch):
    """Import the benchmark of convolutions in the same way."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("convolution")
    for name in ("convolution", "processes", "conv_rows", "conv_seqvision", "conv_torch", "conv_flax", "conv_keras"):
        sys.modules.pop(name, None)


def stub(folder, **times):
    """Return a program in the place of the peers' Python, which answers these times at once."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\nprint('''{json.dumps(times)}''')\n")
    program.chmod(0o755)
    return str(program)


def check_what_is_kept(name, result):
    """What --record would keep are metrics that the tables know, and every row that was measured."""
    kept = getattr(importlib.import_module("experiments.results.measurements"), name)(result)
    runs = json.loads((FOLDER.parent / "results" / f"{name}.json").read_text(encoding="utf-8"))["runs"]
    assert {measure.metric for measure in kept} <= {m["metric"] for run in runs for m in run["results"]}
    assert all(measure.rows for measure in kept)
    assert all(row.value > 0 for measure in kept for row in measure.rows.values())
    return kept


@pytest.mark.parametrize(
    "name", ["classic_networks", "convolution", "fit_peers", "reading", "recurrent_layers", "time_to_result"]
)
def test_header_states_question_command_result_and_time(name):
    header = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")))
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
    assert [measure.metric for measure in check_what_is_kept("fit_peers", result)] == [
        "an epoch",
        "a fit",
        "a process",
    ]
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

    result = benchmark.summarize(
        {
            "seqvision": rounds(1, 2, 9),
            "keras-jax": rounds(6, 6, 6),
            "torch": rounds(5, 8, 8),
            "keras-tf": rounds(7, 7, 7),
        }
    )
    assert result["ratios"] == {"epoch": 3.0, "fit": 3.0, "process": 3.0}


@pytest.mark.parametrize("name", ["lstm5", "lstm10", "lstm30", "lstm64", "rowmnist", "fashion", "rnn", "mlp"])
def test_networks_have_the_sizes_of_the_recipes_in_every_framework(benchmark, name):
    import jax

    rows, ours = importlib.import_module("rows"), importlib.import_module("peer_seqvision")
    row, sample = rows.ROWS[name], rows.make_sample(rows.ROWS[name], 40)
    assert len(sample.x) == len(sample.y) == 40
    if sample.series is not None:
        np.testing.assert_array_equal(sample.x[7, :, 0], sample.series[7 : 7 + row.length, 0])
        ahead = slice(7 + row.length, 7 + row.length + row.outputs)
        np.testing.assert_array_equal(sample.y[7], sample.series[ahead, 0])
    parameters = jax.eval_shape(ours.build(row).init, jax.random.key(0), sample.x[:1])
    size = sum(leaf.size for leaf in jax.tree.leaves(parameters))
    known = {"lstm5": 146, "lstm10": 491, "lstm30": 146, "lstm64": 18_456, "rowmnist": 81_674}
    known |= {"fashion": 360_458, "rnn": 30_643, "mlp": 27_195_001}
    assert size == known[name]


@pytest.mark.parametrize("name", ["lstm5", "lstm30", "rowmnist", "fashion", "rnn"])
def test_torch_trains_networks_of_the_same_size(benchmark, name):
    torch = pytest.importorskip("torch")
    rows, peer = importlib.import_module("rows"), importlib.import_module("peer_torch")
    row, sample = rows.ROWS[name], rows.make_sample(rows.ROWS[name], 40)
    _, losses = peer.train(row, sample, 2, 32, torch.get_num_threads(), 0)
    assert all(0 < loss < 5 for loss in losses)


def test_layers_of_this_library_and_a_peer_that_is_absent(layers, tmp_path, capsys):
    config = layers.Config(
        rows=("lstm-2-5-3-4", "mingru-2-5-3-4"),
        peers=("torch",),
        methods=("scan", "fused"),
        rounds=1,
        steps=2,
        seconds=0.0,
        json=tmp_path / "all.json",
        python=stub(tmp_path, absent="No module named 'torch'"),
    )
    result = layers.main(config)
    assert json.loads(config.json.read_text()) == result
    for mode in ("call", "loop"):
        seconds = result[mode]["lstm-2-5-3-4"]["seconds"]
        assert set(seconds) == {"floor", "scan", "fused"}
        assert all(value > 0 for value in seconds.values())
        assert result[mode]["lstm-2-5-3-4"]["ours / floor"] == seconds["scan"] / seconds["floor"]
        assert result[mode]["mingru-2-5-3-4"]["seconds"]["floor"] is None
        assert result[mode]["mingru-2-5-3-4"]["seconds"]["fused"] is None  # no such method for this cell
    assert result["absent"] == {"torch": "No module named 'torch'"}
    kept = check_what_is_kept("recurrent_layers", result)
    assert [set(measure.rows) for measure in kept] == 2 * [{"scan", "fused"}, {"scan"}]
    printed = capsys.readouterr().out
    assert "torch: absent (No module named 'torch')" in printed
    assert "### Forward and backward, ms: a step in a loop of 2" in printed


def test_a_process_that_dies_says_why(layers, tmp_path):
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\nraise SystemExit('no memory')\n")
    program.chmod(0o755)
    with pytest.raises(RuntimeError, match="torch failed:\nno memory"):
        layers.main(layers.Config(rows=("gru-2-5-3-4",), peers=("torch",), python=str(program)))


def test_time_and_memory_of_layers_as_they_grow(layers, monkeypatch, capsys):
    monkeypatch.setattr(layers, "SCALING", {"T": (9, 16)})
    monkeypatch.setattr(layers, "BASE", {"N": 2, "T": 4, "D": 3, "H": 4})
    monkeypatch.setattr(layers, "WAYS", (("scan", "none"), ("scan", "sqrt"), ("associative", "none")))
    result = layers.main(layers.Config(scaling=True, seconds=0.0, largest=10))
    assert list(result) == ["lstm-2-9-3-4"]
    assert list(result["lstm-2-9-3-4"]) == ["scan none", "scan sqrt"]
    assert all(answer["temporaries"] > 0 for answer in result["lstm-2-9-3-4"].values())
    assert [measure.unit for measure in check_what_is_kept("recurrent_layers", result)] == ["ms", "MiB"]
    assert "| lstm-2-9-3-4 |" in capsys.readouterr().out


def test_the_best_round_counts_and_the_fastest_peer(layers):
    rounds = [
        {"floor": 1.0, "auto": 2.0, "flax": 8.0, "haiku": 7.0, "equinox": None, "torch": 3.0},
        {"floor": 0.5, "auto": 4.0, "flax": 6.0, "haiku": 9.0, "equinox": None, "torch": 5.0},
    ]
    result = layers.summarize(layers.Config(), rounds)
    assert result["best peer"] == "flax"
    assert result["best / ours"] == 3.0
    assert result["torch / ours"] == 1.5
    assert result["ours / floor"] == 4.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": ("lstm-2-3",)}, "a row is CELL-N-T-D-H, such as lstm-32-28-28-128, got 'lstm-2-3'"),
        ({"rows": ()}, "rows must name at least one layer"),
        ({"peers": ("jax",)}, "peers must be among flax, .* got jax"),
        ({"methods": ()}, "methods must name at least one way"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
    ],
)
def test_wrong_settings_of_the_layers_are_refused(layers, settings, message):
    with pytest.raises(ValueError, match=message):
        layers.main(layers.Config(**settings))


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_peers_do_the_same_work(layers, cell):
    """Gradients of all parameters and of the inputs, in the sizes that each framework should have."""
    import jax

    module, rows = importlib.import_module("layer_jax"), importlib.import_module("layer_rows")
    row = rows.parse(f"{cell}-2-5-3-4")
    gates = rows.GATES[cell]
    fewest = gates * (3 * 4 + 4 * 4 + 4)
    for peer in ("seqvision", "flax", "floor"):
        run = module.build(peer, row, mode="call", steps=1)
        program, params, xs, weights = run.args
        d_params, d_xs = jax.eval_shape(program, params, xs, weights)
        sizes = sum(leaf.size for leaf in jax.tree.leaves(d_params))
        if peer == "floor":
            assert sizes == gates * (3 * 4 + 4 * 4)
        else:
            assert fewest <= sizes <= fewest + 4  # the recurrent bias of the GRU's candidate
        assert d_xs.shape == (2, 5, 3)
        run()


@pytest.mark.parametrize("mode", ["call", "loop"])
def test_torch_does_the_work_of_a_layer(layers, mode):
    pytest.importorskip("torch", reason="torch is one of the peers")
    module, rows = importlib.import_module("layer_torch"), importlib.import_module("layer_rows")
    result = module.build("torch", rows.parse("gru-2-5-3-4"), mode=mode, steps=2)()
    if mode == "call":
        assert [tuple(slope.shape) for slope in result] == [(2, 5, 3), (12, 3), (12, 4), (12,), (12,)]


def test_a_convolution_of_this_library_and_a_peer_that_is_absent(convolutions, tmp_path, capsys):
    config = convolutions.Config(
        rows=("maxpool-32x32x32",),
        peers=("torch",),
        rounds=1,
        seconds=0.0,
        json=tmp_path / "all.json",
        peers_python=stub(tmp_path, absent="No module named 'torch'"),
    )
    result = convolutions.main(config)
    assert json.loads(config.json.read_text()) == result
    assert result["maxpool-32x32x32"]["seconds"]["seqvision call"] > 0
    assert set(check_what_is_kept("convolution", result)[0].rows) == {"seqvision"}
    assert "torch: absent (No module named 'torch')" in capsys.readouterr().out


def test_ratios_of_networks_and_of_a_population(convolutions):
    def answers(**seconds):
        return {f"seqvision {label}" if label != "torch" else label: {"seconds": s} for label, s in seconds.items()}

    rounds = [answers(run=2.0, loop=5.0, torch=9.0), answers(run=3.0, loop=4.0, torch=8.0)]
    assert convolutions.summarize("mnist", rounds)["ratios"] == {"torch / ours": 4.0, "run / loop": 0.5}
    population = convolutions.summarize("population", [answers(one=1.0, vmap=6.0, map=8.8)])
    assert population["ratios"] == {"vmap / eight runs": 0.75, "map / eight runs": pytest.approx(1.1)}


@pytest.mark.parametrize("name", ["mnist", "fashion", "cifar"])
def test_convolutional_networks_have_the_same_size_in_every_framework(convolutions, name):
    import jax

    network = importlib.import_module("conv_rows").NETWORKS[name]
    x = np.zeros((1, *network.shape), np.float32)
    for module in (
        importlib.import_module("conv_seqvision").MODELS[name](),
        importlib.import_module("conv_flax").Net(name),
    ):
        keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
        parameters = jax.eval_shape(lambda x, module=module, keys=keys: module.init(keys, x), x)["params"]
        assert sum(leaf.size for leaf in jax.tree.leaves(parameters)) == network.parameters


@pytest.mark.parametrize("name", ["mnist", "fashion", "cifar"])
def test_convolutional_networks_of_torch_have_that_size_too(convolutions, name):
    torch = pytest.importorskip("torch", reason="torch is one of the peers")
    network = importlib.import_module("conv_rows").NETWORKS[name]
    model = importlib.import_module("conv_torch").build(name)
    model(torch.zeros(2, network.shape[-1], *network.shape[:2]))
    assert sum(weights.numel() for weights in model.parameters()) == network.parameters


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": ("lenet",)}, "rows must be among mnist, .* got lenet"),
        ({"rows": ()}, "rows must be among .* got none"),
        ({"peers": ("caffe",)}, "peers must be among keras-tf, .* got caffe"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
    ],
)
def test_wrong_settings_of_the_convolutions_are_refused(convolutions, settings, message):
    with pytest.raises(ValueError, match=message):
        convolutions.main(convolutions.Config(**settings))


@pytest.fixture
def classics(monkeypatch):
    """Import the benchmark of the classic networks in the same way."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("classic_networks")
    for name in ("classic_networks", "processes", "conv_rows", "conv_seqvision", "layer_worker"):
        sys.modules.pop(name, None)


def test_a_run_and_a_loop_of_a_classic_network_are_timed(classics, capsys):
    result = classics.main(classics.Config(networks=("LeNet-5 dense",), steps=2, rounds=1, seconds=0.01))
    check_what_is_kept("classic_networks", result)
    assert result["LeNet-5 dense"]["run"] > 0
    assert result["LeNet-5 dense"]["loop"] > 0
    assert "LeNet-5 dense" in capsys.readouterr().out


def test_every_row_of_the_classic_networks_takes_its_images(classics):
    import jax

    for build, shape, batch in classics.NETWORKS.values():
        model, x = build(), jax.ShapeDtypeStruct((batch, *shape), "float32")
        logits, _ = jax.eval_shape(model.init_with_output, jax.random.key(0), x)
        assert logits.shape == (batch, 10)


def test_unknown_classic_networks_are_refused(classics):
    with pytest.raises(ValueError, match="networks: LeNet-9 not known: choose from LeNet-5, "):
        classics.main(classics.Config(networks=("LeNet-9",)))


def test_reading_beside_pandas(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    reading = importlib.import_module("reading")
    try:
        result = reading.main(reading.Config(rows=500, rounds=1, forms=("day-first",)))["day-first"]
        assert result["seqvision"]["seconds"] > 0
        ratio = result["seqvision"]["peak MB"] / result["pandas"]["peak MB"]
        assert result["ours / pandas"]["peak MB"] == pytest.approx(ratio)
        assert "ours / pandas: seconds" in capsys.readouterr().out
        with pytest.raises(ValueError, match="forms among iso, day-first"):
            reading.main(reading.Config(forms=("american",)))
    finally:
        for name in ("reading", "processes"):
            sys.modules.pop(name, None)
