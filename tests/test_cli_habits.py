"""What hands type from habit is taken where it can be meant one way only, and otherwise told what was meant."""

import json

import pytest

from seqvision import cli
from seqvision.cli.options import options_of
from seqvision.cli.parsing import parse
from seqvision.cli.verbs import VERBS
from seqvision.pipelines import ForecastConfig, setting_named
from seqvision.pipelines.config import OTHER_NAMES

# What is typed after `train forecast` -> the settings that it means.
TAKEN = {
    "--lr .003": {"learning_rate": 0.003},
    "--lr=3e-3": {"learning_rate": 0.003},
    "--learning_rate .1": {"learning_rate": 0.1},
    "--Learning-Rate .1": {"learning_rate": 0.1},
    "-epochs 3": {"epochs": 3},
    "--epochs=5": {"epochs": 5},
    "--epoch 5": {"epochs": 5},
    "--num-epochs 5": {"epochs": 5},
    "--epochs 5 --epochs 6": {"epochs": 6},
    "--bs 8": {"batch_size": 8},
    "--batch 8": {"batch_size": 8},
    "--hidden-size 4": {"hidden": 4},
    "--units 4": {"hidden": 4},
    "--num_layers 2": {"layers": 2},
    "--model lstm": {"models": ("lstm",)},
    "--cell gru mlp": {"models": ("gru", "mlp")},
    "--models lstm,gru": {"models": ("lstm", "gru")},
    "--models lstm, gru": {"models": ("lstm", "gru")},
    "--models lstm --models gru": {"models": ("lstm", "gru")},
    "--columns open,high": {"columns": ("open", "high")},
    "--columns open high": {"columns": ("open", "high")},
    "--features open,high": {"columns": ("open", "high")},
    "--window 5": {"length": 5},
    "--lookback 5": {"length": 5},
    "--val-split .2": {"validation": 0.2},
    "--random-state 7": {"seed": 7},
    "--optimizer Adam": {"optimizer": "adam"},
    "--optimiser SGD --momentum .9 --nesterov": {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    "--early-stopping 5": {"patience": 5},
    "--grad-clip 1": {"clip_norm": 1.0},
    "--wd .1 --optim adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "--no-shuffle": {"shuffle": False},
    "--shuffle false": {"shuffle": False},
    "--bidirectional": {"bidirectional": True},
    "--bidirectional=true": {"bidirectional": True},
    "--no-bidirectional": {},
    "--no-residual": {"residual": False},
    "--residual yes": {"residual": True},
    "--sep ;": {"separator": ";"},
    "--output-dir there": {"out": "there"},
    "--schedule Inverse-Time": {"schedule": "inverse_time"},
    "--dtype bfloat16": {"compute_dtype": "bfloat16"},
    "--batch-size None": {},
    "--date Date,Time": {"date": "Date,Time"},
    "––epochs 5": {"epochs": 5},
    "--columns None": {},
    "--missing 1,5 ND": {"missing": ("1,5", "ND")},
}
# What is typed after `train forecast` -> a part of what is said.
TOLD = {
    "--learnin-rate 1": "no option --learnin-rate; did you mean --learning-rate?",
    "--hiddn 3": "did you mean --hidden?",
    "--droput .2": "did you mean --dropout?",
    "--optimzer adam": "did you mean --optimizer?",
    "--bidirectionel": "did you mean --bidirectional?",
    "--hiden-size 3": "did you mean --hidden?",
    "--iterations 3": "did you mean --epochs?",
    "--configs x": "did you mean --config?",
    "--quite": "did you mean --quiet?",
    "-e 3": "no option -e; --help shows the options",
    "--zzz": "no option --zzz; --help shows the options",
    "--no-epochs": "no option --no-epochs",
    "--models lsmt": "did you mean lstm?",
    "--models RNN": "did you mean elman?",
    "--models transformer": "'transformer' is unknown: there are cnn",
    "--optimizer adm": "--optimizer takes adam, ",
    "--optimizer adamx": "did you mean adam",
    "--optimizer momentum": "did you mean sgd?",
    "--schedule cos": "did you mean cosine?",
    "--schedule plateau": "did you mean step?",
    "--scaler min-max": "did you mean minmax?",
    "--loss rmse": "did you mean mse?",
    "--dtype float16": "did you mean bfloat16?",
    "--epochs 1e3": "--epochs takes INT, but is '1e3'",
    "--lr 0,01": "--learning-rate takes FLOAT, but is '0,01'",
    "--batch-size 8.5": "--batch-size takes INT, but is '8.5'",
    "--epochs=": "--epochs needs a value",
    "--columns": "--columns needs a value",
    "--json=maybe": "--json is True or False, but is 'maybe'",
    "--folder pets": "no option --folder; seqvision train classify has it",
    "--augment flip": "no option --augment; seqvision train classify has it",
    "--gpu": "jax takes the fastest device there is; set JAX_PLATFORMS=cpu",
    "--lr": "--learning-rate needs a value: its largest step size",
    "--target": "--target needs a value",
    "--patience 0": "patience must be an int >= 1",
    "--momentum .9": "momentum is for optimizer sgd, rmsprop",
    "prices.csv": "'prices.csv' is one word too many",
    "--epochs 3 4": "'4' is one word too many",
}


def settings(*words, verb="train forecast"):
    return parse(VERBS[verb].kind, list(words), f"seqvision {verb}").config


@pytest.mark.parametrize("words", TAKEN)
def test_what_can_be_meant_one_way_only_is_taken(words):
    assert settings(*words.split()) == ForecastConfig(**TAKEN[words])


def test_a_name_with_a_comma_stays_whole():
    assert settings("--columns", "Price, USD", "--target", "a,b").columns == ("Price, USD",)
    assert settings("--models", "lstm, gru").models == ("lstm", "gru")


@pytest.mark.parametrize("words", TOLD)
def test_what_cannot_be_is_told_what_was_meant(words, capsys):
    assert cli.main(["train", "forecast", *words.split()]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert TOLD[words] in said.err
    assert len(said.err.splitlines()) == 1


def test_settings_of_a_file_count_more_than_defaults_and_less_than_flags(tmp_path, capsys):
    file = tmp_path / "my.toml"
    file.write_text('models = ["gru"]\nlearning-rate = 0.1\nbidirectional = true\nepochs = 7\n')
    config = settings("--config", str(file), "--lr", ".2", "--no-bidirectional")
    assert config == ForecastConfig(models="gru", learning_rate=0.2, epochs=7)
    for text, said in {
        "epoch = 3": "says 'epoch', which is no setting; did you mean epochs?",
        "lr = 3": "says 'lr', which is no setting; did you mean learning_rate?",
        "epochs = 'x'": "epochs must be a whole number, got 'x'",
        "[training]\nepochs = 3": "'training', which is no setting",
        "epochs = ": "my.toml is not TOML",
        "learning_rate = 1\nlearning-rate = 1": "says learning_rate twice",
    }.items():
        file.write_text(text)
        assert cli.main(["train", "forecast", "--config", str(file)]) == 2
        assert said in capsys.readouterr().err
    assert cli.main(["train", "forecast", "--config", str(tmp_path / "none.toml")]) == 2
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["train forecast", "train classify"])
def test_printed_settings_can_be_fed_back(verb, tmp_path, capsys):
    words = ["--hidden", "3", "--patience", "4", "--validation", ".2", "--name", 'a"b\\é', "--optimizer", "sgd"]
    words += ["--no-shuffle", "--momentum", ".9", "--models", "gru,mlp", "--log-to", "tensorboard"]
    assert cli.main([*verb.split(), *words, "--print-config"]) == 0
    printed = capsys.readouterr().out
    assert "# hidden units" not in printed
    assert "epochs = " in printed
    file = tmp_path / "again.toml"
    file.write_text(printed, encoding="utf-8")
    config = settings(*words, verb=verb)
    assert settings("--config", str(file), verb=verb) == config
    assert cli.main([*verb.split(), "--config", str(file), "--print-config"]) == 0
    assert capsys.readouterr().out == printed
    assert cli.main([*verb.split(), "--config", str(file), "--print-config", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["models"] == ["gru", "mlp"]
    (tmp_path / "config.json").write_text(json.dumps(document))
    assert settings("--config", str(tmp_path), verb=verb) == config


@pytest.mark.parametrize("verb", VERBS)
def test_all_verbs_call_the_same_things_by_the_same_names(verb):
    options = options_of(VERBS[verb].kind)
    assert options.keys() >= {"json", "debug"}
    for name, option in options.items():
        assert option.help, f"{verb} {option.flag} has no help"
        assert not option.help.endswith("."), f"{verb} {option.flag}: a help is no sentence"
        assert option.positional or setting_named(name, options) == name
        assert name not in ("path", "file", "verbose", "silent", "outdir"), f"{verb} {option.flag} has another name"
    positional = [name for name, option in options.items() if option.positional]
    assert not positional or positional[0] in ("run_folder", "run_folders", "folder", "runs")
    assert not VERBS[verb].purpose.endswith(".")
    assert len(VERBS[verb].purpose) < 100


def test_every_other_name_means_a_setting():
    settings = {name for verb in VERBS.values() for name in options_of(verb.kind)}
    assert set(OTHER_NAMES.values()) <= settings
    for verb in ("train forecast", "train classify"):
        assert not OTHER_NAMES.keys() & options_of(VERBS[verb].kind).keys()
