"""What a program tells of itself while it runs: logs, metrics, traces. The same for every program."""
