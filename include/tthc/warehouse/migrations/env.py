"""How Alembic runs here: on the connection handed over by `tthc.warehouse.schema.migrate`, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table_schema="core")
with context.begin_transaction():
    context.run_migrations()
