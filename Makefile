# Two commands matter: `make run` and `make test`. Both build .venv/ first, from the committed locks.
.PHONY: run test lint lock clean fuzz bench bench-mart check-figures walk hitl

run:
	@scripts/bootstrap.sh run
	@.venv/bin/python -m tthc_airflow.demo

test:
	@scripts/bootstrap.sh dev
	.venv/bin/pytest -rs -n auto --dist loadfile --no-loadscope-reorder

lint:
	@scripts/bootstrap.sh dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Changed files through readers and staging: MUTANTS of them (200000), at most MINUTES (60), of a random or this SEED.
fuzz:
	@scripts/bootstrap.sh dev
	@.venv/bin/python tests/fuzz.py $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST)) \
		$(if $(MUTANTS),--mutants $(MUTANTS)) $(if $(MINUTES),--minutes $(MINUTES))

# Every cell of mart.kpi and mart.form_06a against an independent row-by-row program: ten nights, then in other orders.
check-figures:
	@scripts/bootstrap.sh dev
	@.venv/bin/python tests/test_independent.py $(if $(SEED),--seed $(SEED)) $(if $(DOSSIERS),--dossiers $(DOSSIERS)) \
		$(if $(PERMUTATIONS),--permutations $(PERMUTATIONS))

# A random walk of files and changes, every step of it looked at: STEPS (40) of a random or this SEED.
walk:
	@scripts/bootstrap.sh dev
	@.venv/bin/python tests/test_walk.py $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS)) \
		$(if $(LIVES),--lives $(LIVES))

# A night on a live Airflow of its own, persons who answer about held files, and every sink searched for persons.
hitl:
	@scripts/bootstrap.sh dev
	.venv/bin/pytest -x tests/live_held_files.py

# Readers beside the fastest that only read, alternately in one run.
bench:
	@scripts/bootstrap.sh dev
	@.venv/bin/python benchmarks/readers.py

# Questions of figures and explanations, timed on the warehouse that TTHC_* names: TIMES (40) each.
bench-mart:
	@scripts/bootstrap.sh dev
	@.venv/bin/python benchmarks/mart.py $(if $(TIMES),--times $(TIMES))

# Writes both locks anew from the *.in files, keeping what is pinned where it still fits; UPGRADE=1 takes the newest.
lock:
	@scripts/bootstrap.sh run
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		$(if $(UPGRADE),--upgrade) requirements.in -o requirements.lock
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		$(if $(UPGRADE),--upgrade) -c requirements.lock requirements-dev.in -o requirements-dev.lock

# What can be made again. State (.tthc/) stays.
clean:
	@if [ -x .venv/bin/tthc ]; then .venv/bin/tthc db stop || true; fi
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
