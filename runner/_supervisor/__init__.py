"""The supervisor: private to Charmer, standard library only, quick to start (no module here imports `json` or `re`)."""
