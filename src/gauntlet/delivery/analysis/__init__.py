"""Sequential analysis of a canary: from counters to an assessment, without network, clock or log (docs/canary.md, 9).

plan            the settings
state           the state persisted from one analysis to the next; state_codec: as JSON
increments      increments of the pods' counters between readings, and the requests each version was given
test_selection  the stable version's baseline, and the tests selected from it
update          updates the state with one more reading
alpha           allocation of α, and the limits for the last step, at full traffic
power           requests and time until an effect would be detected
summary         fail, error, pass or inconclusive, with the numbers
judge           the controller's judge: reads, updates, summarises
labels          delayed labels; label_files: where they are read
history         samples of every test's counts; report_inputs: inputs of the report beside the journal
"""
