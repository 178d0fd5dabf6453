"""How the plugin's default gaze models are made: `python -m gazemodels STAGE --help`."""

#: Part of every dataset's and every model's record.
__version__ = "0.1.0"
