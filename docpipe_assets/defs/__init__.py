"""The Dagster definitions. Read ``assets`` first."""
