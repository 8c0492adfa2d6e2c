"""From counters to a look, without network, clock or log: how a canary's numbers are judged (docs/canary.md, 9).

plan         what a team asks for
memory       what is remembered from look to look; stored: as JSON
increments   what pods counted between two readings
baseline     what stable does before the canary, and the tests it leads to (panels)
exposure     how many requests either version was given
absorb       one more reading
trail        how every test's counts grew, for a drawing
levels       how α is shared
full_weight  the last step, where nothing answers beside the candidate
promise      after how many requests which rise would be found
conclude     fail, error, pass or inconclusive, with the numbers
"""
