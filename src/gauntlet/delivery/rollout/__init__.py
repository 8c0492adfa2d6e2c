"""A rollout: its state, the decision of the next action, and the controller.

plan         RolloutPlan: steps, budgets, patience
state        Rollout, Observation, Decision and their parts
decision     ``decide``: a pure function from state and observation to state and action
ports        Target, Judge, JournalStore: protocols of the backends
controller   the control loop: read, observe, decide, persist, act
lease        one controller at a time acts on a service
journal      state, analysis and timeline, written as one document
events       codes of what happens, one per entry of the timeline
timeline     read-only queries of a journal, and the audit document
approvals    manual approvals and aborts
verdict      the gate ``rollout``
"""
