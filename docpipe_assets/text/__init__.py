"""Domain rules that stages and engines share: pure functions over text, names and places."""
