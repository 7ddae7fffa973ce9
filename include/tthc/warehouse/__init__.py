"""Tables, migrations, loading in one transaction, grants."""
