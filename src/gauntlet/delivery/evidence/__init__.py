"""Sequential tests of a canary, valid at any number of interim analyses: pure functions over counts.

docs/canary.md has the proofs.

counts       the counts of canary and stable in one interval
bets         the bets on one interval, as logarithms over arrays
sequential   one e-process: state, update, restarts at steps, JSON
combination  several boundaries of one metric, several metrics, and the culprit
histograms   latency buckets of scraped counters to counts
scores       prediction scores to counts
flips        mirrored pairs: certificate and bounds of the flip rate
pairs        mirrored pairs: errors and slow answers of both arms
clustering   the design effect: clustered requests are worth fewer independent ones
power        requests and time until harm of a given size is detected
"""
