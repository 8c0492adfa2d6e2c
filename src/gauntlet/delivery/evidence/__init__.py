"""What a canary's numbers prove, however often one looks: pure functions over counts (docs/canary.md has the proofs).

counts       what one interval showed of canary and stable
bets         the bets an interval settles, as logarithms over arrays
sequential   one e-process: state, update, restarts at steps, JSON
combination  several boundaries of one metric, several metrics, and the culprit
histograms   latency buckets of scraped counters to counts
scores       prediction scores to counts
flips        mirrored pairs: certificate and bounds of the flip rate
pairs        mirrored pairs: errors and slow answers of both arms
clustering   how much less requests say than independent ones would
power        requests and time until harm of a given size is found
"""
