"""Pure decisions about documents: intake, breakers, ledger, audit, batch report."""
