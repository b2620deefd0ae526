"""Binds stages to settings, stores, engines and budgets."""
