"""Secrets are told by their names, and hidden in every spelling in which text holds them."""

import html
import json
import os
import shlex
import subprocess
import sys

import pytest

from hpo_app.redaction import is_secret
from hpo_app.study.journal import read_events


@pytest.fixture
def in_a_process():
    """Run code with a redaction of its own: what one test hides would stay hidden in the next."""

    def run(code, **environment):
        head = "import json, sys\nfrom hpo_app.redaction import *\n"
        return subprocess.run(
            [sys.executable, "-c", head + code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout

    return run


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN", "TOKEN", "GITHUB_TOKEN_2", "authtoken", "model.api_key", "apiKey", "api-key",
        "OPENAI_APIKEY", "DB_PASSWORD", "PGPASSWORD", "passwd", "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID", "SSH_PRIVATE_KEY", "credentials.user", "client_secret",
        "HTTP_AUTHORIZATION", "hub.tokens[0].token", "secrets.hub[1]", "ENCRYPTION_KEY",
    ],
)  # fmt: skip
def test_the_name_of_a_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens", "tokenizer", "model.tokenizer.kind", "pad_token", "eos_token", "cls_token",
        "token_dim", "num_tokens", "RAY_AUTH_TOKEN_PATH", "AWS_SHARED_CREDENTIALS_FILE",
        "secret_name", "key", "keyboard", "x", "HOME", "monkey", "password_length",
    ],
)  # fmt: skip
def test_a_name_that_only_looks_like_one(name):
    assert not is_secret(name)


SECRETS = {
    "plain": "4f9d2e51ab7c",
    "quotes": 'it\'s "4f9d2e" \\ or <b>',
    "umlauts": "gehöhlte-größe-4f9d",
    "several lines": "-----BEGIN KEY-----\n4f9d2e51ab7c\n-----END KEY-----\n",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_hidden_however_it_is_spelt(in_a_process, secret):
    spellings = [
        secret,
        json.dumps({"key": secret}),
        json.dumps({"key": secret}, ensure_ascii=False),
        f"<td>{html.escape(secret)}</td>",
        repr({"key": secret}),
        f"run {shlex.quote(secret)}",
    ]
    code = (
        "hide_environment()\nprint(json.dumps([redact(text) for text in json.loads(sys.argv[1])]))"
    )
    code = code.replace("sys.argv[1]", repr(json.dumps(spellings)))
    shown = json.loads(in_a_process(code, MY_SECRET=secret))
    assert all("***" in text for text in shown)
    assert not any("4f9d" in text for text in shown)


@pytest.mark.parametrize("value", ["", "true", "1234567", "   abc   ", sys.executable], ids=str)
def test_what_is_too_short_or_names_a_file_is_left_alone(in_a_process, value):
    code = f"hide_environment()\nprint(redact({f'<{value}>'!r}))"
    assert in_a_process(code, MY_SECRET=value).rstrip("\n") == f"<{value}>"


def test_nothing_known_is_nothing_changed(in_a_process):
    assert in_a_process("print(redact('4f9d2e51ab7c'), redacted({'a': ['b', 1, None]}))") == (
        "4f9d2e51ab7c {'a': ['b', 1, None]}\n"
    )


def test_plain_values_are_redacted_but_for_the_keys_of_mappings(in_a_process):
    code = "hide(['4f9d2e51ab7c'])\n"
    code += "print(json.dumps(redacted({'4f9d2e51ab7c': ['4f9d2e51ab7c!', 1]})))"
    assert in_a_process(code) == '{"4f9d2e51ab7c": ["***!", 1]}\n'


def test_a_guarded_process_prints_and_logs_no_secret(in_a_process, tmp_path):
    log = tmp_path / "run.log"
    code = f"""
logging.basicConfig(filename={str(log)!r})
guard_output()
guard_output()
print("one", "4f9d2e51ab7c", "two")
sys.stderr = sys.stdout
try:
    raise ValueError("no 4f9d2e51ab7c here")
except ValueError:
    logging.exception("got %s", "4f9d2e51ab7c")
raise_late = sys.stdout.writelines(["4f9d2e51ab7c", "!"])
"""
    assert in_a_process(code, MY_SECRET="4f9d2e51ab7c") == "one *** two\n***!"
    written = log.read_text()
    assert "got ***" in written
    assert "ValueError: no *** here" in written
    assert "4f9d2e51ab7c" not in written


def test_a_file_is_rewritten_only_if_it_holds_a_secret(in_a_process, tmp_path):
    told, clean = tmp_path / "told", tmp_path / "clean"
    told.write_bytes(b"\xff\r4f9d2e51ab7c\r\n")
    clean.write_bytes(b"\xff\r\n")
    os.utime(clean, (1, 1))
    in_a_process(f"""
from pathlib import Path
hide(["4f9d2e51ab7c"])
redact_file(Path({str(told)!r}))
redact_file(Path({str(clean)!r}))
""")
    assert told.read_bytes() == b"\xff\r***\r\n"
    assert clean.stat().st_mtime == 1


def test_the_journal_hides_secrets_and_keeps_what_is_read_back(in_a_process, tmp_path):
    journal, page = tmp_path / "journal.jsonl", tmp_path / "page.html"
    in_a_process(f"""
from pathlib import Path
from hpo_app.study.files import replace_file
from hpo_app.study.journal import Journal
hide(["finished", "checkpoint", "4f9d2e51ab7c"])
journal = Journal.create(Path({str(journal)!r}))
journal.append("opened", schema=1, run_id="r", metric="loss", mode="min", space={{}},
               num_trials=1, iterations=1, seed=0, facts={{}})
journal.append("asked", trial=0, params={{"x": "4f9d2e51ab7c"}}, is_default=False, seed=0)
journal.append("checkpointed", trial=0, path="trials/0/checkpoint_000000", iteration=1, crc32=0)
journal.append("resumed", num_trials=1, changes=["checkpoints.keep_best=2"])
error = "ValueError: 4f9d2e51ab7c"
journal.append("ended", trial=0, state="finished", told="", error=error)
journal.close()
replace_file(Path({str(page)!r}), "<p>4f9d2e51ab7c</p>")
""")
    _, asked, saved, resumed, ended = read_events(journal)
    assert saved.fields["path"] == "trials/0/checkpoint_000000"
    assert resumed.fields["changes"] == ["checkpoints.keep_best=2"]
    assert ended.fields["error"] == "ValueError: ***"
    assert ended.fields["state"] == "finished"
    assert asked.fields["params"] == {"x": "4f9d2e51ab7c"}
    assert page.read_text() == "<p>***</p>"
