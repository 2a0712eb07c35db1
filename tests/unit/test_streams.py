"""What is printed to nobody."""

import os
import subprocess
import sys

import pytest


HEAD = "import os, sys\nfrom hpo_app.streams import outlive_readers\noutlive_readers()\n"


def ending(script, **streams):
    process = subprocess.Popen([sys.executable, "-c", HEAD + script], **streams)
    return process.wait(timeout=20)


def test_what_is_printed_to_a_closed_pipe_goes_nowhere(tmp_path):
    read, write = os.pipe()
    os.close(read)
    script = (
        "print('a' * 100000)\n"
        "sys.stderr.write('b')\n"
        "os.write(1, b'c')  # As C code does.\n"
        "open('done', 'w').close()\n"
        "print('still in a buffer when Python ends', end='')\n"
    )
    assert ending(script, cwd=tmp_path, stdout=write, stderr=write, env=paths()) == 0
    os.close(write)
    assert (tmp_path / "done").exists()


def test_the_number_of_a_stream_that_was_closed_is_given_to_no_file(tmp_path):
    script = "file = open('mine', 'w')\nprint('lost')\nsys.exit(file.fileno() < 3)\n"
    closed = ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, HEAD + script]
    assert subprocess.run(closed, cwd=tmp_path, env=paths(), check=False).returncode == 0
    assert (tmp_path / "mine").read_text() == ""


def test_what_is_printed_to_somebody_arrives():
    script = "print('é', end='')\nprint('x', file=sys.stderr, end='')\n"
    command = [sys.executable, "-X", "utf8", "-c", HEAD + script]
    done = subprocess.run(command, capture_output=True, check=True)
    assert (done.stdout.decode(), done.stderr) == ("é", b"x")


def paths():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_the_locale_cannot_write_is_written_as_its_escape(errors):
    code = "import hpo_app.streams as s; s.outlive_readers(); print('caf\\xe9 \\U0001f642')"
    ascii_only = {"PYTHONIOENCODING": f"ascii:{errors}", "PATH": os.environ["PATH"]}
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**ascii_only, "PYTHONPATH": path},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"caf\\xe9 \\U0001f642\n"
