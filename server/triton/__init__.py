"""The only place that imports tritonclient: a blocking client for the workers, a monitor for the service."""
