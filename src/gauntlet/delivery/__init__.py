"""From a registered version to all of production's traffic, in watched steps, and back by itself.

release      a version as something that can be served
plan         what a team asks of a rollout
rollout      the next action, from state and observation
journal      state, evidence and timeline, written as one
timeline     what a journal tells, for people and for an audit
shadow       whether a candidate that answers copies may go on to real requests
findings     what stands in the way of a rollout, before it begins
conductor    carrying it out: written before it is done
evidence/    what a canary's numbers prove, however often one looks (docs/canary.md)
"""
