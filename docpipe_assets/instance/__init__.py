"""Plug-ins of the Dagster instance: storage, launcher, coordinator, worker."""
