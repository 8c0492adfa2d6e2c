"""What is in the data: an overview first, and small enough to open however many columns there are."""

from pathlib import Path

import numpy as np

from builders.reports import HOSTILE, text
from gauntlet.data.profile import Profile
from gauntlet.data.roles import Roles
from gauntlet.data.statistics import Statistics
from gauntlet.data.value_counts import Tally
from gauntlet.reports.page import render
from gauntlet.reports.views.statistics import StatisticsView, view_of

RNG = np.random.default_rng(6)


def profile(name: str, values: np.ndarray) -> Profile:
    tally = Tally()
    tally.add(values)
    edges = np.quantile(values, np.linspace(0, 1, 101))
    low, high = float(values.min()), float(values.max())
    counted = tally.result()
    return Profile(
        name, "float", 2000, len(values), categorical=False, minimum=low, maximum=high, edges=edges, counted=counted
    )


def statistics_of(columns: dict[str, np.ndarray], splits: tuple[str, ...] = ("train", "validation", "test")):
    statistics = Statistics(
        path=Path("nowhere"),
        snapshot="sha256:" + "a" * 64,
        columns=dict.fromkeys(columns, "float"),
        roles=Roles(label="label" if "label" in columns else None, key=("key",) if "key" in columns else ()),
        splits=dict.fromkeys(splits, 2000),
    )
    return view_of(statistics, {split: {name: profile(name, v) for name, v in columns.items()} for split in splits})


def page(view: StatisticsView) -> str:
    return render("statistics.html.j2", title="What is in the data", view=view)


def test_five_hundred_columns_are_less_than_a_megabyte_with_what_matters_on_top():
    columns = {f"sensor_{i}_of_a_machine_with_a_long_name": RNG.normal(size=2000) for i in range(496)}
    columns |= {"skewed": np.exp(RNG.normal(0, 3, 2000)), "constant": np.full(2000, 7.0)}
    columns |= {"label": RNG.normal(size=2000), "key": np.full(2000, 1.0)}
    view = statistics_of(columns)
    html = page(view)
    assert len(html.encode()) < 1_000_000
    assert [column.name for column in view.columns[:3]] == ["label", "constant", "skewed"]
    assert dict(view.in_short) == {"constant": ("constant",), "skewed": ("skewed",)}, "nobody learns from a key"
    assert view.columns[3].name == "sensor_0_of_a_machine_with_a_long_name"
    assert view.without_pictures == 460
    assert html.count('<details class="column"') == 500
    assert "460 columns have the small picture alone" in text(html)


def test_a_small_table_has_every_picture():
    view = statistics_of({"x": RNG.normal(size=2000), "y": RNG.normal(size=2000)})
    assert view.without_pictures == 0
    assert [len(column.drawings) for column in view.columns] == [2, 2]
    alone = statistics_of({"x": RNG.normal(size=2000)}, splits=("serving",))
    assert [drawing.after for drawing in alone.columns[0].drawings] == [None]


def test_all_pictures_of_a_column_have_the_same_bars():
    splits = {"train": RNG.normal(size=2000), "validation": RNG.normal(size=300), "test": RNG.normal(0, 1.3, 300)}
    profiles = {split: {"x": profile("x", values)} for split, values in splits.items()}
    statistics = Statistics(Path("nowhere"), "sha256:" + "a" * 64, {"x": "float"}, Roles(), dict.fromkeys(splits, 1))
    first, second = view_of(statistics, profiles).columns[0].drawings
    assert first.edges == second.edges
    assert first.before == second.before
    assert (first.names, second.names) == (("train", "validation"), ("train", "test"))
    assert first.after != second.after


def test_names_are_escaped_and_wrap():
    html = page(statistics_of({HOSTILE: RNG.normal(size=2000), "a_name_of_many_words_" * 20: RNG.normal(size=2000)}))
    assert "<script" not in html
    assert "<wbr>" in html


def test_categories_go_by_their_readable_names():
    codes = Profile("race", "int", 10, 10, categorical=True, values=("1", "0"), counts=np.array([6.0, 4.0]), distinct=2)
    roles = Roles(categorical=("race",), labels={"race": {"0": "Black"}})
    statistics = Statistics(Path("nowhere"), "sha256:" + "a" * 64, {"race": "int"}, roles, {"train": 10})
    view = view_of(statistics, {"train": {"race": codes}})
    assert view.columns[0].drawings[0].categories == ["1", "Black"]


def test_points_in_time_are_dates_in_words_and_pictures():
    statistics = Statistics(Path("nowhere"), "sha256:" + "a" * 64, {"when": "timestamp"}, Roles(), {"train": 2000})
    html = text(page(view_of(statistics, {"train": {"when": profile("when", 1_767_225_600 + 60 * np.arange(2000.0))}})))
    assert "median 2026-01-01 16:39, from 2026-01-01 00:00 to 2026-01-02 09:19" in html
    assert "01-01 12:00" in html
