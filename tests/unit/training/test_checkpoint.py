"""A checkpoint holds what a trainer's links lead to, and no link once it is read back."""

import shutil

from hpo_app.training.checkpoint import is_whole, write_iteration


def test_what_a_link_of_the_trainer_leads_to_is_part_of_the_checkpoint(tmp_path):
    own, kept = tmp_path / "own", tmp_path / "kept"
    own.mkdir()
    (own / "step_1.ckpt").write_text("weights")
    (own / "last.ckpt").symlink_to("step_1.ckpt")
    write_iteration(own, 1)
    shutil.copytree(own, kept)  # As Tune copies: without links.
    assert is_whole(kept)
    (kept / "last.ckpt").unlink()
    (kept / "last.ckpt").symlink_to("step_1.ckpt")
    assert not is_whole(kept)
