"""Names of people, organisations and places: their parts, and which of them are one entity."""
