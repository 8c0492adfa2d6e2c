"""From a registered version to all of production's traffic, in watched steps, and back by itself.

What to do next (docs/architecture.md):

    plan         what a team asks of a rollout
    rollout      the next action, from state and observation
    conductor    carrying it out: written before it is done

What a canary's numbers prove, however often one looks: pure functions over counts (docs/canary.md has the proofs):

    counts       what one interval showed of canary and stable
    bets         the bets an interval settles, as logarithms over arrays
    sequential   one e-process: state, update, restarts at steps, JSON
    combination  several boundaries of one metric, several metrics, and the culprit
    histograms   latency buckets of scraped counters to counts
    scores       prediction scores to counts
    flips        mirrored pairs: certificate and bound of the flip rate
    clustering   how much less requests say than independent ones would
    promise      requests and time until harm of a given size is found
"""
