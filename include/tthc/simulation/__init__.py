"""A believable province of synthetic dossiers, with the true figures beside it."""
