"""What settings are called elsewhere: by hand, in papers and in other libraries."""

import difflib
from collections.abc import Collection

OTHER_NAMES = {
    "cell": "models",
    "cells": "models",
    "model": "models",
    "network": "models",
    "networks": "models",
    "architecture": "models",
    "lr": "learning_rate",
    "rate": "learning_rate",
    "learningrate": "learning_rate",
    "step_size": "learning_rate",
    "eta": "learning_rate",
    "bs": "batch_size",
    "batch": "batch_size",
    "batchsize": "batch_size",
    "minibatch": "batch_size",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "max_epochs": "epochs",
    "epoch": "epochs",
    "ep": "epochs",
    "optim": "optimizer",
    "optimiser": "optimizer",
    "opt": "optimizer",
    "hidden_size": "hidden",
    "hidden_dim": "hidden",
    "hidden_units": "hidden",
    "units": "hidden",
    "num_layers": "layers",
    "n_layers": "layers",
    "num_hidden_layers": "layers",
    "bidir": "bidirectional",
    "birnn": "bidirectional",
    "drop": "dropout",
    "dropout_rate": "dropout",
    "recurrent_dropout": "variational_dropout",
    "act": "activation",
    "wd": "weight_decay",
    "decay": "weight_decay",
    "clip": "clip_norm",
    "grad_clip": "clip_norm",
    "gradient_clip": "clip_norm",
    "clipnorm": "clip_norm",
    "max_grad_norm": "clip_norm",
    "clipvalue": "clip_value",
    "early_stopping": "patience",
    "early_stop": "patience",
    "lr_schedule": "schedule",
    "lr_scheduler": "schedule",
    "scheduler": "schedule",
    "warmup_epochs": "warmup",
    "min_lr": "min_learning_rate",
    "gamma": "decay_rate",
    "ema": "average",
    "swa": "average",
    "precision": "compute_dtype",
    "dtype": "compute_dtype",
    "label_smoothing": "smoothing",
    "augmentation": "augment",
    "augmentations": "augment",
    "random_seed": "seed",
    "random_state": "seed",
    "n_seeds": "seeds",
    "num_seeds": "seeds",
    "repeats": "seeds",
    "file": "csv",
    "input": "csv",
    "y": "target",
    "label": "target",
    "target_column": "target",
    "features": "columns",
    "cols": "columns",
    "column": "columns",
    "lookback": "length",
    "window": "length",
    "window_size": "length",
    "seq_len": "length",
    "sequence_length": "length",
    "timesteps": "length",
    "ahead": "horizon",
    "pred_len": "horizon",
    "forecast_horizon": "horizon",
    "train_split": "train",
    "train_size": "train",
    "val": "validation",
    "val_split": "validation",
    "validation_split": "validation",
    "test_split": "test",
    "test_size": "test",
    "dataset": "data",
    "images": "folder",
    "image_size": "size",
    "img_size": "size",
    "period": "season",
    "seasonality": "season",
    "scale": "scaler",
    "scaling": "scaler",
    "normalize": "scaler",
    "sep": "separator",
    "delimiter": "separator",
    "delim": "separator",
    "na_values": "missing",
    "skiprows": "skip_rows",
    "date_column": "date",
    "index_col": "date",
    "output_dir": "out",
    "outdir": "out",
    "out_dir": "out",
    "logger": "log_to",
    "log": "log_to",
}
_KINDRED = {"iterations": "epochs", "max_iter": "epochs", "n_iter": "epochs", "steps": "epochs"}


def setting_named(word: str, known: Collection[str]) -> str | None:
    """Return the setting that a word can only mean: its own name or another that it has elsewhere; else None.

    >>> setting_named("lr", ["learning_rate"]), setting_named("learning-rate", ["learning_rate"])
    ('learning_rate', 'learning_rate')
    """
    word = word.casefold().replace("-", "_")
    word = word if word in known else OTHER_NAMES.get(word, word)
    return word if word in known else None


def near_setting(word: str, known: Collection[str]) -> str | None:
    """Return the setting that a mistyped word is nearest to, by its own name or by another that it has; or None.

    >>> near_setting("learning_rte", ["learning_rate", "epochs"]), near_setting("hiden_size", ["hidden"])
    ('learning_rate', 'hidden')
    """
    word = word.casefold().replace("-", "_")
    if word in _KINDRED:
        return _KINDRED[word] if _KINDRED[word] in known else None
    others = [name for name, meant in OTHER_NAMES.items() if meant in known]
    near = difflib.get_close_matches(word, [*known, *others], n=1, cutoff=0.65)
    return None if not near else near[0] if near[0] in known else OTHER_NAMES[near[0]]
