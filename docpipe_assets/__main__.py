"""``python -m docpipe_assets`` is the ``docpipe`` command."""

from docpipe_assets.cli import app

app(prog_name="docpipe")
