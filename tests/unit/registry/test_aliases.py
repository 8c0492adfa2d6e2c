import itertools

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.registry.aliases import (
    Moves,
    Promote,
    parse_promote,
    plan_promotion,
    record_promotion,
    record_rollback,
)
from gauntlet.registry.store import CHALLENGER, CHAMPION

ME, OTHER, THIRD = 5, 3, 4
FIRST, ALWAYS, NEVER = Promote.FIRST, Promote.ALWAYS, Promote.NEVER
BECOMES_CHAMPION = Moves({CHAMPION: ME})
BECOMES_CHALLENGER = Moves({CHALLENGER: ME})
NOTHING = Moves({})


@pytest.mark.parametrize(
    ("aliases", "promote", "expected"),
    [
        pytest.param({}, FIRST, BECOMES_CHAMPION, id="the first version is champion"),
        pytest.param({CHAMPION: OTHER}, FIRST, BECOMES_CHALLENGER, id="the second challenges"),
        pytest.param({CHAMPION: OTHER, CHALLENGER: THIRD}, FIRST, BECOMES_CHALLENGER, id="the newest challenges"),
        pytest.param({CHAMPION: OTHER, CHALLENGER: ME}, FIRST, NOTHING, id="challenging already"),
        pytest.param({CHAMPION: ME}, FIRST, NOTHING, id="champion already"),
        pytest.param({CHALLENGER: ME}, FIRST, Moves({CHAMPION: ME}, (CHALLENGER,)), id="challenger of nobody"),
        pytest.param({}, ALWAYS, BECOMES_CHAMPION, id="always, and there is none"),
        pytest.param({CHAMPION: OTHER}, ALWAYS, BECOMES_CHAMPION, id="always replaces"),
        pytest.param({CHAMPION: OTHER, CHALLENGER: ME}, ALWAYS, Moves({CHAMPION: ME}, (CHALLENGER,)), id="rises"),
        pytest.param({}, NEVER, BECOMES_CHALLENGER, id="never, though there is none"),
        pytest.param({CHAMPION: OTHER}, NEVER, BECOMES_CHALLENGER, id="never replaces"),
        pytest.param({CHAMPION: ME}, NEVER, NOTHING, id="never takes the title away"),
        pytest.param({CHAMPION: ME, CHALLENGER: ME}, FIRST, Moves({}, (CHALLENGER,)), id="both at once is mended"),
    ],
)
def test_rules(aliases, promote, expected):
    assert plan_promotion(aliases, ME, promote) == expected


def apply(aliases, moves):
    after = {**aliases, **moves.assign}
    return {alias: version for alias, version in after.items() if alias not in moves.remove}


@pytest.mark.parametrize("promote", Promote)
@pytest.mark.parametrize("champion", [None, ME, OTHER])
@pytest.mark.parametrize("challenger", [None, ME, OTHER, THIRD])
def test_from_every_state_the_rules_settle_at_once_and_give_one_title(promote, champion, challenger):
    pairs = {CHAMPION: champion, CHALLENGER: challenger, "team-alias": OTHER}.items()
    aliases = {alias: version for alias, version in pairs if version is not None}
    after = apply(aliases, plan_promotion(aliases, ME, promote))
    assert plan_promotion(after, ME, promote) == NOTHING
    assert [after.get(CHAMPION), after.get(CHALLENGER)].count(ME) == 1
    assert after["team-alias"] == OTHER


def test_never_and_first_take_the_title_from_nobody():
    for promote, challenger in itertools.product([FIRST, NEVER], [None, ME, OTHER]):
        aliases = {CHAMPION: OTHER} | ({CHALLENGER: challenger} if challenger else {})
        assert apply(aliases, plan_promotion(aliases, ME, promote))[CHAMPION] == OTHER


def test_an_unknown_policy_names_the_known_ones():
    with pytest.raises(
        ConfigurationError, match=r"promote: unknown policy; found 'sometimes'\. Use one of: first, always, never"
    ):
        parse_promote("sometimes")


def test_a_promotion_moves_the_titles_once(registered, name):
    assert record_promotion(registered, name, "3") == 1
    assert registered.aliases(name) == {"champion": 3, "previous": 1}
    assert record_promotion(registered, name, "3") is None
    assert registered.aliases(name) == {"champion": 3, "previous": 1}


def test_a_rollback_gives_the_title_back_once(registered, name):
    record_promotion(registered, name, "3")
    assert record_rollback(registered, name, "3", "1")
    assert registered.aliases(name) == {"champion": 1}
    assert not record_rollback(registered, name, "3", "1")
    assert registered.aliases(name) == {"champion": 1}


def test_a_version_taken_back_during_its_rollout_is_no_challenger_any_more(registered, name):
    assert not record_rollback(registered, name, "3", "1")
    assert registered.aliases(name) == {"champion": 1}


def test_a_rollback_leaves_somebody_elses_promotion_alone(registered, name):
    record_promotion(registered, name, "3")
    record_promotion(registered, name, "2")
    assert not record_rollback(registered, name, "3", "1")
    assert registered.aliases(name)["champion"] == 2
