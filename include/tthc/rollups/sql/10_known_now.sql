-- Grain: dossier. What is known tonight: the current state.
create temporary view known as select * from core.dossier
