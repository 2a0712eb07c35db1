"""What a person says of a table of theirs is looked at before Ray starts, by its first line."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from hpo_app.training.contract import ConfigurationError
from hpo_app.training.tables import check_file, load_table


SETTINGS = {"source": "csv", "target": "t", "validation_share": 0.25, "split_seed": 0}
ROWS = "".join(f"{row / 7},{'abc'[row % 3]},{'yn'[row % 2]}\n" for row in range(40))


def settings_of(folder: Path, text: str, **changes: object) -> dict[str, object]:
    path = folder / "table.csv"
    path.write_text(text)
    return {**SETTINGS, "path": str(path), **changes}


def refused(settings: dict[str, object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        check_file(settings)
    with pytest.raises(ConfigurationError) as loading:
        load_table(settings)
    assert str(loading.value) == str(error.value)
    return str(error.value)


def test_a_table_that_is_there_is_no_matter(tmp_path: Path) -> None:
    # Of its rows nothing is read.
    check_file(settings_of(tmp_path, 'a,b,t\n1,2\n"'))
    check_file({"source": "digits"})
    check_file({"env_id": "CartPole-v1"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": "tt"}, "'tt'"),
        ({"drop": ["x"]}, "data.drop"),
        ({"categorical": ["x"]}, "data.categorical"),
        ({"path": "nowhere.csv"}, "nowhere.csv: No such file"),
        ({"targets": "t"}, "data.targets"),
    ],
)
def test_what_its_first_line_does_not_have_is_named(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    assert said in refused(settings_of(tmp_path, f"a,b,t\n{ROWS}", **changes))


def test_columns_that_semicolons_separate_are_said_to_be(tmp_path: Path) -> None:
    text = refused(settings_of(tmp_path, f"a,b,t\n{ROWS}".replace(",", ";")))
    assert "columns separated by commas" in text
    assert "sep=';'" in text
    # One column may have such a name.
    settings = settings_of(tmp_path, "a;b,t\n" + "1,y\n2,n\n" * 20)
    assert list(load_table(settings).features.columns) == ["a;b"]


def test_a_category_that_was_left_out_is_named_beside_the_others(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"a,b,t\n{ROWS}", categorical=["a"])
    with pytest.raises(ConfigurationError) as error:
        load_table(settings)
    assert "data.categorical=[a,b]" in str(error.value)


def test_the_numbers_of_the_rows_are_no_feature(tmp_path: Path) -> None:
    # What pandas' to_csv writes, of a table that is sorted by its target.
    rows = "".join(f"{row},{row % 7},{'yn'[row // 20]}\n" for row in range(40))
    text = refused(settings_of(tmp_path, f",a,t\n{rows}"))
    assert "a first column without a name" in text
    assert "data.drop=['Unnamed: 0']" in text
    settings = settings_of(tmp_path, f",a,t\n{rows}", drop=["Unnamed: 0"])
    assert list(load_table(settings).features.columns) == ["a"]
    # What is said of semicolons must not lead there.
    assert "index=False" in refused(settings_of(tmp_path, f"a,b,t\n{ROWS}".replace(",", ";")))


@pytest.mark.parametrize("entry", ["?", '"3,5"', "n.d."])
def test_numbers_that_an_entry_makes_text_are_no_categories(tmp_path: Path, entry: str) -> None:
    rows = "".join(f"{entry if row == 3 else row},{'yn'[row % 2]}\n" for row in range(40))
    settings = settings_of(tmp_path, f"a,t\n{rows}")
    with pytest.raises(ConfigurationError) as error:
        load_table(settings)
    assert "column a" in str(error.value)
    assert entry.strip('"') in str(error.value)
    # Somebody may mean it.
    meant = load_table({**settings, "categorical": ["a"]})
    assert str(meant.features["a"].dtype) == "category"


def test_a_target_of_decimal_commas_is_no_set_of_classes(tmp_path: Path) -> None:
    rows = "".join(f'{row},"{row % 4},5"\n' for row in range(40))
    settings = settings_of(tmp_path, f"a,t\n{rows}")
    with pytest.raises(ConfigurationError, match=r"column t[\s\S]*data\.task=classification"):
        load_table(settings)
    assert len(load_table({**settings, "task": "classification"}).classes) == 4


def test_names_may_be_numbers_or_follow_a_blank(tmp_path: Path) -> None:
    rows = "".join(f"{row}, {row % 3}, {'yn'[row % 2]}\n" for row in range(40))
    settings = settings_of(tmp_path, f"0, 1, 2\n{rows}", target=2, drop=[1])
    check_file(settings)
    table = load_table(settings)
    assert list(table.features.columns) == ["0"]
    assert table.classes == ("n", "y")


def test_dates_are_no_categories_unless_somebody_says_so(tmp_path: Path) -> None:
    days = ["unknown" if row == 7 else f"2026-01-{1 + row % 28:02}T08:00" for row in range(40)]
    rows = "".join(f"{day},{row},{row / 3}\n" for row, day in enumerate(days))
    settings = settings_of(tmp_path, f"day,a,t\n{rows}")
    with pytest.raises(ConfigurationError, match=r"column day\n.* dates, the first .*2026-01-01"):
        load_table(settings)
    assert list(load_table({**settings, "drop": ["day"]}).features) == ["a"]
    named = load_table({**settings, "categorical": ["day"]}).features
    assert str(named["day"].dtype) == "category"


@pytest.mark.parametrize("kind", ["moments", "days", "german"])
def test_dates_of_parquet_are_found_too(tmp_path: Path, kind: str) -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=40))
    if kind != "moments":
        days = days.dt.date if kind == "days" else days.dt.strftime("%d.%m.%Y")
    frame = pd.DataFrame({"day": days, "a": range(40), "t": [row / 3 for row in range(40)]})
    frame.to_parquet(tmp_path / "table.parquet")
    settings = {**SETTINGS, "source": "parquet", "path": str(tmp_path / "table.parquet")}
    with pytest.raises(ConfigurationError, match=r"data.drop=\[day\]"):
        load_table(settings)


@pytest.mark.parametrize(
    ("values", "num_classes"), [(("0.0", "1.0"), 2), (("-1", "1"), 2), (("0.5", "2.5"), 0)]
)
def test_two_whole_numbers_are_two_classes_however_they_are_written(
    tmp_path: Path, values: tuple[str, str], num_classes: int
) -> None:
    rows = "".join(f"{row},{values[row % 2]}\n" for row in range(40))
    settings = settings_of(tmp_path, f"a,t\n{rows}")
    assert len(load_table(settings).classes) == num_classes
    assert load_table({**settings, "task": "regression"}).classes == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{year}", id="four digits"),
        pytest.param("{year}0101", id="eight digits"),
        pytest.param("2024-0{few}", id="three months again and again"),
        pytest.param("2024-01-0{few}", id="three days again and again"),
    ],
)
def test_what_only_looks_like_dates_or_comes_again_is_a_category(tmp_path: Path, text: str) -> None:
    codes = [text.format(year=1900 + row, few=1 + row % 3) for row in range(40)]
    frame = pd.DataFrame({"code": codes, "a": range(40), "t": [row / 3 for row in range(40)]})
    frame.to_parquet(tmp_path / "table.parquet")
    settings = {**SETTINGS, "source": "parquet", "path": str(tmp_path / "table.parquet")}
    assert str(load_table(settings).features["code"].dtype) == "category"


def test_decimals_of_parquet_are_numbers(tmp_path: Path) -> None:
    decimals = [Decimal(row) / 4 for row in range(40)]
    frame = pd.DataFrame({"a": [None, *decimals[1:]], "t": decimals})
    path = tmp_path / "table.parquet"
    frame.to_parquet(path)
    table = load_table({**SETTINGS, "source": "parquet", "path": str(path)})
    assert str(table.features["a"].dtype) == "float64"
    assert not table.classes


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["search_space=mlp", "data=csv", "data.path=x.csv", "data.target=t"], "No such file"),
        (["search_space=mlp", "data=pendulum"], "a table, which model=mlp is trained on"),
        (["search_space=a2c", "data=digits"], "an environment, which model=a2c is trained on"),
        (["search_space=sklearn", "data=acrobot"], "as data=digits"),
    ],
)
@pytest.mark.parametrize("action", ["optimize", "plan"])
def test_data_that_cannot_be_trained_on_starts_no_ray(
    tmp_path: Path, action: str, typed: list[str], said: str
) -> None:
    command = [sys.executable, "-m", "hpo_app", f"action={action}", *typed]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "starting Ray" not in done.stdout
    assert not list(tmp_path.glob("outputs/*/*"))
