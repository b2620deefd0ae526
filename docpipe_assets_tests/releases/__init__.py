"""Data that each release wrote, and tests that later releases can read it."""
