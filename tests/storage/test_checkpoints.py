"""Checkpoints of any pytree: the same bits again, or a refusal that names the file; older ones survive what happens."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.storage import CheckpointFolder, lock_folder
from seqvision.training import create_state

posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


def everything():
    state = create_state(nn.Dense(3), optax.adamw(1e-3), 0, np.ones((1, 4), np.float32))
    return {
        "state": state,
        "keys": jax.random.split(jax.random.key(1, impl="rbg"), 2),
        "old key": jax.random.PRNGKey(3),
        "no keys": jax.random.split(jax.random.key(2), 2)[:0],
        "empty": np.zeros((0, 2)),
        "number": 3.5,
        "flags": [np.array([True, False]), None],
        "half/bytes": (jnp.ones(2, jnp.bfloat16), np.arange(3, dtype=np.uint8)),
        "bits": np.array([np.nan, -0.0, np.inf, 5e-324]),
    }


def bits(tree):
    leaves = [jax.random.key_data(x) if jnp.issubdtype(jnp.asarray(x).dtype, jax.dtypes.prng_key) else x
              for x in jax.tree.leaves(tree)]  # fmt: skip
    return [(np.asarray(x).dtype, np.shape(x), np.asarray(x).tobytes()) for x in leaves]


def test_a_tree_comes_back_to_the_bit_with_its_keys(tmp_path):
    tree, folder = everything(), CheckpointFolder(tmp_path / "not" / "there")
    assert folder.newest() is None
    assert [folder.save(tree, {"epoch": epoch}) for epoch in (1, 2)] == [1, 2]
    back = folder.load(2, tree)
    assert bits(back) == bits(tree)
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    assert back["keys"].dtype == tree["keys"].dtype
    assert isinstance(back["bits"], np.ndarray)
    shapes = jax.eval_shape(lambda: tree["state"])
    folder.save(tree["state"])
    assert bits(folder.load(3, shapes)) == bits(tree["state"])
    assert folder.about(2) == {"epoch": 2}
    folder.remove([1, 3])
    assert folder.numbers() == [2]


def test_leaves_that_differ_are_named_with_what_was_saved_and_expected(tmp_path):
    folder = CheckpointFolder(tmp_path)
    folder.save({"w": np.zeros((2, 3), np.float32), "b": np.zeros(3), "old": np.zeros(1), "key": jax.random.key(0)})
    like = {"w": np.zeros((3, 2), np.float32), "b": np.zeros(3, np.float32), "new": np.zeros(1),
            "key": jax.random.key(0, impl="rbg")}  # fmt: skip
    with pytest.raises(ValueError, match="does not fit") as error:
        folder.load(1, like)
    for part in (
        "['w'] is float32(2, 3), expected float32(3, 2)",
        "['b'] is float64(3,), expected float32(3,)",
        "['new'] is missing",
        "['old'] is not",
        "['key'] is key<fry>(), expected key<rbg>()",
    ):
        assert part in str(error.value)
    with pytest.raises(TypeError, match=r"\['name'\] is a str"):
        folder.save({"name": "gru"})


def test_damage_is_named_and_the_older_checkpoint_is_taken(tmp_path, caplog):
    folder = CheckpointFolder(tmp_path)
    old, new = {"w": np.arange(20.0)}, {"w": np.arange(20.0) + 1}
    folder.save(old)
    folder.save(new)
    rng = random.Random(0)
    files = sorted(path for path in (tmp_path / "checkpoint-000002").rglob("*") if path.is_file())
    assert len(files) > 6
    for path in files:
        content = path.read_bytes()
        flipped = bytearray(content or b"\0")
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        for damaged in (bytes(flipped), content[: len(content) // 2], None):
            if damaged == content:
                continue
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            caplog.clear()
            assert folder.newest() == 1
            assert "checkpoint-000002 is passed over: " in caplog.text
            assert str(path) in caplog.text or path.name == "manifest.json"
            with pytest.raises(ValueError, match="checkpoint-000002"):
                folder.load(2, new)
        path.write_bytes(content)
    assert folder.newest() == 2
    np.testing.assert_array_equal(folder.load(1, old)["w"], old["w"])
    for number in (1, 2):
        (tmp_path / f"checkpoint-00000{number}" / "about.json").write_text("{}")
    with pytest.raises(ValueError, match=r"no checkpoint in .* is whole: .*checkpoint-000002.about.json") as error:
        folder.newest()
    assert "\n" not in str(error.value)


def test_leftovers_are_passed_over_and_removed(tmp_path):
    folder = CheckpointFolder(tmp_path)
    folder.save({"w": np.zeros(2)})
    leftover = tmp_path / "checkpoint-000002.partial"
    (leftover / "arrays.orbax-checkpoint-tmp").mkdir(parents=True)
    (tmp_path / "checkpoint-000003").mkdir()  # without a manifest: it was never whole
    assert folder.newest() == 1
    assert folder.save({"w": np.ones(2)}) == 4
    assert not leftover.exists()


def test_a_folder_is_held_by_one_process(tmp_path):
    with lock_folder(tmp_path), pytest.raises(ValueError, match="is in use by another process"), lock_folder(tmp_path):
        pass
    with lock_folder(tmp_path):
        pass


@posix
def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path):
    folder = CheckpointFolder(tmp_path)
    folder.save({"w": np.zeros(2)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match=r"cannot save a checkpoint in .*File too large.*older ones are as") as error:
            folder.save({"w": np.random.default_rng(0).normal(size=10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert str(tmp_path) in str(error.value)
    assert folder.newest() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000001"]


SAVING = """
import logging, sys, numpy as np
from seqvision.storage import CheckpointFolder
folder = CheckpointFolder(sys.argv[1])
number = folder.newest() or 0
while True:
    number = folder.save({"w": np.full(5000, number + 1.0), "b": np.full(3, number + 1)}, {"value": number + 1})
    folder.remove(folder.numbers()[:-2])
    assert not logging.root.handlers  # absl would add one
    print(number, flush=True)
"""


def kill_while_saving(path, times, seed):
    """Kill a process that saves without a pause, again and again; return how often all that it had saved was there."""
    rng, whole = random.Random(seed), 0
    folder, like = CheckpointFolder(path), {"w": np.zeros(5000), "b": np.zeros(3, int)}
    for _ in range(times):
        with subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, text=True) as process:
            said = int(process.stdout.readline())
            time.sleep(rng.uniform(0, 0.4))
            process.kill()
            said = max([said, *map(int, process.stdout.read().split())])
        number = folder.newest()
        tree = folder.load(number, like)
        whole += number in (said, said + 1) and (tree["w"] == number).all() and (tree["b"] == number).all()
        whole -= folder.about(number) != {"value": number}
    return whole


@posix
def test_a_killed_process_leaves_what_it_had_saved(tmp_path):
    assert kill_while_saving(tmp_path, 2, seed=0) == 2


@posix
@pytest.mark.slow
def test_fifty_killed_processes_leave_what_they_had_saved(tmp_path):
    assert kill_while_saving(tmp_path, 50, seed=1) == 50
    assert len(list(Path(tmp_path).glob("*.partial"))) <= 1
