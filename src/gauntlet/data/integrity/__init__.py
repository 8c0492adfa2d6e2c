"""Is a table sound: keys, references, joins, times, labels, and whether a column gives the label away.

Everything is counted by DuckDB on the snapshot's Parquet parts, in bounded memory.
"""
