from builders.feature_pages import features_result
from gauntlet.reports.views.features import features_view


def test_the_view_shows_each_side_of_the_2x2() -> None:
    view = features_view(features_result(good=False))
    income = next(one for one in view.offenders if one.feature == "income")
    history, new = income.matrix
    assert (history.status, new.status) == ("fail", "pass")
    assert history.stored != history.recomputed
    assert new.stored == new.recomputed
    assert income.line is not None
    assert len(income.spans) == 4
    assert [row[0] for row in income.spans] == ["2025-q1", "2025-q2", "2025-q3", "test"]
    purpose = next(one for one in view.offenders if one.feature == "purpose")
    assert purpose.line is None
    assert set(purpose.mapping) == {("car", "1"), ("home", "2"), ("education", "3"), ("business", "4")}
    assert purpose.matrix[1].stored == purpose.matrix[1].recomputed != "–"
    assert [label for label, *_ in view.impact] == [
        "Rows scored twice",
        "Other decisions",
        "Mean change of the score",
        "AUC",
    ]
    assert view.left_out == (("instalment", "nothing is stored under its name"),)


def test_where_nothing_differs_there_are_no_offenders() -> None:
    view = features_view(features_result(good=True))
    assert view.offenders == ()
    assert view.impact == ()
    assert len(view.agreeing) == 4
