"""Checks of numbers that count something."""


def check_batch_size(batch_size: int, examples: int) -> None:
    """Refuse a batch that is larger than the data."""
    if batch_size > examples:
        raise ValueError(f"batch_size {batch_size} is larger than the {examples} examples: use {examples} or less")


def check_positive(name: str, value: int) -> None:
    """Refuse what is not an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be an int >= 1, got {value!r}")
