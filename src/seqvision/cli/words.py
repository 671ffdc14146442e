"""What hands type from habit, brought to one form: other names, commas between values, True and False in words.

What can be meant one way only is taken; what cannot is refused with what was probably meant.
"""

import difflib
import re
from collections.abc import Mapping, Sequence

from seqvision.pipelines import near_setting, setting_named

from .options import FLAGS, Option

_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")
_KEPT_WHOLE = ("missing",)  # lists whose values may have commas
# Option -> what its values are called elsewhere.
_OTHER_VALUES = {
    "optimizer": {"momentum": "sgd", "nesterov": "sgd", "gd": "sgd", "rms": "rmsprop"},
    "schedule": {"exp": "exponential", "cos": "cosine", "none": "constant", "plateau": "step", "poly": "linear"},
    "scaler": {"zscore": "standard", "z-score": "standard", "min-max": "minmax", "standardize": "standard"},
    "loss": {"rmse": "mse", "l2": "mse", "l1": "mae"},
    "compute_dtype": {
        "bf16": "bfloat16",
        "fp16": "bfloat16",
        "float16": "bfloat16",
        "fp32": "float32",
        "f32": "float32",
    },
    "data": {"fashion": "fashion_mnist", "cifar": "cifar10", "fashion-mnist": "fashion_mnist", "cifar-10": "cifar10"},
    "monitor": {"val_acc": "val_accuracy", "acc": "accuracy", "train_loss": "loss"},
}


_DEVICES = ("device", "devices", "gpu", "gpus", "cpu", "cuda", "tpu", "accelerator")


class WordError(ValueError):
    """A command line that cannot be understood; its text is said to the user.

    Args:
      text: what is said.
      unknown: the name of an option that there is none of.
    """

    def __init__(self, text: str, unknown: str | None = None):
        super().__init__(text)
        self.unknown = unknown


def group_words(words: Sequence[str], options: Mapping[str, Option]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words without a flag, and the values that follow each flag, by the names of the options.

    A switch has the value "True" or "False".

    Args:
      words: what is typed after the verb.
      options: of the verb.

    Raises:
      WordError: for a flag that is none, a value that is missing, or one that is none of the few there are.

    >>> from seqvision.cli.options import options_of
    >>> from seqvision.cli.train import TrainForecast
    >>> group_words(["--lr=.1", "--columns", "a,b", "--no-shuffle"], options_of(TrainForecast))
    ([], {'learning_rate': ['.1'], 'columns': ['a', 'b'], 'shuffle': ['False']})
    """
    free: list[str] = []
    given: dict[str, list[str]] = {}
    current: str | None = None
    words = [re.sub("^[–—]+-*", "--", word) for word in words]  # as texts show them that make dashes of two hyphens
    for place, word in enumerate(words):
        if not _is_flag(word):
            if current is None:
                free.append(word)
                continue
            given[current] += _split(word, options[current])
        else:
            typed, sign, value = word.partition("=")
            name, off = _meant(typed, options)
            option = options[name]
            if name not in given or not option.is_list:  # of one value the last counts
                given[name] = []
            current = name
            following = value if sign else next(iter(words[place + 1 :]), "--")
            if off or (option.may_be_switch and not sign and not _is_value(following, option)):
                given[name], current = ["False" if off else "True"], None
            elif sign:
                given[name] += _split(value, option)
        if current is not None and given[current] and not options[current].is_list:
            current = None
    for name, values in given.items():
        given[name] = [_as_said(value, options[name]) for value in values]
        if values in ([], [""]):
            raise WordError(f"{options[name].flag} needs a value: {options[name].help}")
    return free, given


def _is_flag(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not re.fullmatch(r"-[.\d].*", word)


def _meant(typed: str, options: Mapping[str, Option]) -> tuple[str, bool]:
    """Return the option that a flag names, and whether it is turned off."""
    word = typed.lstrip("-").casefold().replace("-", "_")
    names = [name for name, option in options.items() if not option.positional]
    flags = {flag.lstrip("-"): name for name, flag in FLAGS.items() if name in names}
    found = flags.get(word) or setting_named(word, [name for name in names if name not in FLAGS])
    if found and len(typed.lstrip("-")) > 1:
        return found, False
    if word.startswith("no_") and (found := setting_named(word[3:], names)) and options[found].may_be_switch:
        return found, True
    near = near_setting(word, [FLAGS.get(name, name).lstrip("-") for name in names]) if len(word) > 1 else None
    if word in _DEVICES:
        raise WordError(f"no option {typed}: jax takes the fastest device there is; set JAX_PLATFORMS=cpu for another")
    meant = f"; did you mean --{near.replace('_', '-')}?" if near else "; --help shows the options"
    raise WordError(f"no option {typed}{meant}", word)


def _is_value(word: str, option: Option) -> bool:
    """Whether a word after a flag that may stand alone is its value."""
    if option.is_switch:
        return word.casefold() in (*_YES, *_NO)
    takes_more = any(kind not in (bool, type(None)) for kind in option.kinds)
    return word.casefold() in (*_YES, *_NO, "none") or (takes_more and not _is_flag(word))


def _split(word: str, option: Option) -> list[str]:
    """Cut a list at its commas; a comma before a blank can belong to the name of a column."""
    if not option.is_list or option.may_be_switch or option.name in _KEPT_WHOLE or option.positional:
        return [word]
    if option.name == "columns" and ", " in word:
        return [word]
    return [part.strip() for part in word.split(",") if part.strip()]


def _as_said(value: str, option: Option) -> str:
    """Return a value in the spelling that the option has for it."""
    low = value.casefold()
    if option.may_be_switch and (low in ("true", "false") or (low in (*_YES, *_NO) and str not in option.kinds)):
        return "True" if low in _YES else "False"
    if option.is_switch:
        raise WordError(f"{option.flag} is True or False, but is {value!r}")
    if not option.choices or value in option.choices or value == "None":
        return value
    same = [choice for choice in option.choices if choice.casefold() == low.replace("-", "_")]
    if same:
        return same[0]
    others = _OTHER_VALUES.get(option.name, {})
    near = difflib.get_close_matches(low, [*option.choices, *others], n=1)
    meant = others.get(low) or (others.get(near[0], near[0]) if near else None)
    listed = ", ".join(option.choices)
    raise WordError(f"{option.flag} takes {listed}, but is {value!r}" + (f"; did you mean {meant}?" if meant else ""))
