"""From counters to an assessment, without network, clock or log: how a canary's numbers are judged (docs/canary.md, 9).

plan            the settings
state           what is persisted from one analysis to the next; state_codec: as JSON
increments      what pods counted between two readings, and how many requests each version was given
tests           the stable version's baseline, and the tests selected from it
update          one more reading
alpha           how α is allocated, and the limits that the last step, at full traffic, is held against
power           after how many requests which effect would be detected
summary         fail, error, pass or inconclusive, with the numbers
judge           all of it, for the controller
labels          delayed labels; label_files: where they are read
history         how every test's counts grew; report_inputs: what a report shows beside the journal
"""
