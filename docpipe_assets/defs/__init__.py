"""The glue: Dagster, and only here. Read ``assets`` first."""
