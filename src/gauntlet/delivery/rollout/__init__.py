"""A rollout: its state, the decision what to do next, and the controller that carries it out.

plan         RolloutPlan: steps, budgets, patience
state        Rollout, Observation, Decision and their parts
decision     ``decide``: a pure function from state and observation to state and action
ports        Target, Judge, JournalStore: what the controller works with
controller   the control loop: read, observe, decide, persist, act
lease        one controller at a time acts on a service
journal      state, analysis and timeline, written as one document
timeline     read-only queries of a journal, and the audit document
approvals    manual approvals and aborts
verdict      the gate ``rollout``
"""
