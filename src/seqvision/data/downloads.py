"""Where files of data sets are: a folder of the user's, a cache, or an official address with a pinned hash."""

import os
from pathlib import Path

ENVIRONMENT = "SEQVISION_DATA_DIR"
_ATTEMPTS, _TIMEOUT = 3, 30  # tries, and seconds without an answer

# data set -> (address of its folder, SHA-256 of each file)
KNOWN = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion_mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
    "cifar10": (
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    ),
}


def folders(data_set: str) -> list[Path]:
    """Return the folders where files of a data set are looked for, in this order.

    The first is `$SEQVISION_DATA_DIR/<data set>` if the variable is set; the last is the cache.
    """
    import pooch

    given = os.environ.get(ENVIRONMENT)
    return [*([Path(given) / data_set] if given else []), Path(pooch.os_cache("seqvision")) / data_set]


def find_file(data_set: str, filename: str) -> Path:
    """Find a file of a data set that is on this machine.

    Args:
      data_set: name of the folder, e.g. "stocks".
      filename: name of the file in it.

    Returns:
      Its path, in `$SEQVISION_DATA_DIR/<data set>/` or else in the cache.

    Raises:
      FileNotFoundError: naming the places where it could lie.
      ValueError: if a name is not plain.

    >>> find_file("stocks", "no_such_file.csv")
    Traceback (most recent call last):
    ...
    FileNotFoundError: no_such_file.csv of the data set 'stocks' is not on this machine: put it at ...
    """
    for name in (data_set, filename):
        if not name or name in (".", "..") or set(name) & set("/\\:\0"):
            raise ValueError(f"{name!r} is not a plain name of a folder or file")
    places = [folder / filename for folder in folders(data_set)]
    for place in places:
        if place.is_file():
            return place
    remedy = f"put it at {places[0]}"
    if len(places) == 1:
        remedy += f", or set {ENVIRONMENT} to a folder that has {data_set}/{filename}"
    raise FileNotFoundError(f"{filename} of the data set {data_set!r} is not on this machine: {remedy}")


def fetch_file(data_set: str, filename: str) -> Path:
    """Find a file of a data set, downloading it from its official address if it is not on this machine.

    A download is kept only if its SHA-256 is the pinned one; what is in the cache is checked again each time, what the
    user put into `$SEQVISION_DATA_DIR` is taken as it is. An idx file may be unzipped, or have a dot before idx.

    Args:
      data_set: "mnist", "fashion_mnist" or "cifar10".
      filename: one of the files in `KNOWN`.

    Returns:
      Its path.

    Raises:
      OSError: if the download fails, with the address and the place to put the file by hand.
      ValueError: if the file is not known.
    """
    address, hashes = KNOWN.get(data_set, ("", {}))
    if filename not in hashes:
        known = ", ".join(f"{name}/{file}" for name, (_, files) in KNOWN.items() for file in files)
        raise ValueError(f"{data_set}/{filename} has no known address; those that have: {known}")
    *given, cache = folders(data_set)
    for place in [folder / name for folder in given for name in _spellings(filename)]:
        if place.is_file():
            return place
    for place in [cache / name for name in _spellings(filename) if name != filename]:
        if place.is_file() and not (cache / filename).exists():
            return place
    return _download(address, hashes[filename], filename, cache)


def _spellings(filename: str) -> list[str]:
    """Return the names under which a file is found: unzipped, with a dot before idx, in a folder of its own name.

    >>> _spellings("train-images-idx3-ubyte.gz")[:3]
    ['train-images-idx3-ubyte.gz', 'train-images-idx3-ubyte', 'train-images.idx3-ubyte.gz']
    """
    if "-idx" not in filename:
        return [filename]
    names = [name for spelled in (filename, filename.replace("-idx", ".idx")) for name in (spelled, spelled[:-3])]
    plain = filename.removesuffix(".gz")
    return [*names, f"{plain}/{plain}"]


def _download(address: str, sha256: str, filename: str, folder: Path) -> Path:
    import pooch
    import requests

    store = pooch.create(
        folder, base_url=address, registry={filename: f"sha256:{sha256}"}, retry_if_failed=_ATTEMPTS - 1
    )
    try:
        return Path(store.fetch(filename, downloader=pooch.HTTPDownloader(timeout=_TIMEOUT)))
    except (requests.exceptions.RequestException, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OSError(
            f"{filename} could not be had from {address} ({reason}): download it by hand and put it at "
            f"{folder / filename}, or set {ENVIRONMENT} to a folder that has {folder.name}/{filename}"
        ) from error
