"""Columns of codes and words are imported as text, however many digits are in them."""

import random

import pytest

from builders.sources import ALL_TRAIN, load

ROWS = 200


def rising(write):
    return [write(number) for number in range(1, ROWS + 1)]


CODES = {
    "leading zeros": [f"{number:05}" if number % 9 else str(number + 10_000) for number in range(ROWS)],
    "postal codes, some longer": [
        str(10_000 + number) + ("-1234" if number % 50 == 0 else "") for number in range(ROWS)
    ],
    "telephone numbers": [f"612 345 {number:03}" for number in range(ROWS)],
    "international telephone numbers": [f"+4930{1_234_567 + number}" for number in range(ROWS)],
    "letters and digits": rising(lambda number: f"A{number}"),
    "invoices, some cancelled": [("C" if number % 40 == 0 else "") + str(536_365 + number) for number in range(ROWS)],
    "diagnoses": [f"E{number % 30}.{number % 10}" for number in range(ROWS)],
    "versions": [f"1.{number % 5}.{number % 30}" for number in range(ROWS)],
    "addresses": [f"192.168.100.{100 + number % 100}" for number in range(ROWS)],
    "sizes": [f"{number} x {number + 1}" for number in range(ROWS)],
    "ranges": [f"{number}-{number + 5}" for number in range(ROWS)],
    "decades": [f"{10 * (number % 9)}s" for number in range(ROWS)],
    "seats": [f"{number}{'ABC'[number % 3]}" for number in range(ROWS)],
    "income classes": ["<=50K", ">50K"] * 100,
    "two sides of a limit": ["<50", ">=50"] * 100,
    "list numbers": rising(lambda number: f"({number})"),
    "doses": [("500 mg", "10 ml")[number % 2] for number in range(ROWS)],
    "one word in ten": [str(number) if number % 10 else "crew" for number in range(ROWS)],
    "a third words": [str(number) if number % 3 else f"word {number}" for number in range(ROWS)],
    "months": [f"2024-{number % 12 + 1:02}" for number in range(ROWS)],
    "clock times": [f"{number % 24:02}:30" for number in range(ROWS)],
    "tuples": [f"{number},{number},{number}" for number in range(ROWS)],
    "yes and no": ["yes", "no"] * 100,
    "four numbers": ["1", "2", "3", "4", "x"],
    "long numbers, and shorter ones": rising(lambda number: str(10 ** (17 + number % 3) + number)),
    "house numbers": [
        f"{number}{' A' if number % 40 == 0 else ' C' if number % 50 == 0 else ''}" for number in range(ROWS)
    ],
    "addresses in streets": [f"{number} {('Oak', 'Elm', 'Ash')[number % 3]} Street" for number in range(ROWS)],
    "goods": [f"{number} {('apples', 'pears')[number % 2]}" for number in range(ROWS)],
    "a new word behind every number": [f"{number % 9} {'x' * (number // 2)}" for number in range(60)],
    "a few counts of one thing": [f"{number % 4} doors" for number in range(ROWS)],
    "grades of a school": [f"{number % 4 + 9}th" for number in range(ROWS)],
    "codes with the sign of a currency": [f"R{number}" for number in range(ROWS)],
    "memory": [("64K", "128K", "1M")[number % 3] for number in range(ROWS)],
    "shifts": [("06:00", "14:00", "22:00")[number % 3] for number in range(ROWS)],
    "cases of one year": rising(lambda number: f"{number}/2024"),
    "seasons": [f"{2000 + number % 20}/{number % 20 + 1:02}" for number in range(ROWS)],
    "codes in groups": [f"{100 + number} {200 + number}" for number in range(ROWS)],
    "hexadecimal": [f"{random.Random(number).getrandbits(64):016x}" for number in range(ROWS)],
}


@pytest.mark.parametrize("kind", CODES)
def test_codes_are_text(tmp_path, kind):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n" + "".join(f"{value};{number % 2}\n" for number, value in enumerate(CODES[kind])))
    assert load(path, tmp_path / "out", reader={"delimiter": ";"}, split=ALL_TRAIN).columns["x"] == "string"
