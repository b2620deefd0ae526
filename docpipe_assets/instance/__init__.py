"""What a Dagster instance plugs in: storage, launcher, coordinator, worker."""
