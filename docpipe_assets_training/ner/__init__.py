"""The tagger for people, organisations and places."""
