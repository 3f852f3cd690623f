# Two commands: `make demo` and `make test`. Each sets up what it needs, and is quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make
KILLS ?= 200
# The files of tests are taken up in the order of conftest.py, each by one worker.
PYTEST := $(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: setup demo test lint types soak bench messages lock clean

setup: $(STAMPS)/python $(STAMPS)/frontend $(STAMPS)/translations

$(STAMPS)/python: requirements-dev.txt deploy/uv.txt deploy/link_package.py
	@mkdir -p $(STAMPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python 3.11 with its venv module is needed (Debian: apt-get install python3-venv)."; exit 1; }
	@# uv installs in seconds what takes pip a minute; where it cannot reach the index that pip is set up for, pip does.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python deploy/link_package.py
	@touch $@

$(STAMPS)/frontend: frontend/package-lock.json $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
	@mkdir -p $(STAMPS)
	cd frontend && npm ci --no-audit --no-fund --loglevel=error && npm run build --silent
	@touch $@

$(STAMPS)/translations: $(wildcard parcours/*/locale/*/LC_MESSAGES/*.po) $(STAMPS)/python
	@mkdir -p $(STAMPS)
	$(BIN)/python deploy/compile_translations.py
	@touch $@

demo: setup
	$(BIN)/parcours demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint parcours --lint --quiet

types: setup
	$(BIN)/mypy parcours

# The whole suite; what concerns the state database is run on PostgreSQL too where PARCOURS_TEST_POSTGRES_URL is set.
test: setup lint types
	$(PYTEST)
	@if [ -n "$$PARCOURS_TEST_POSTGRES_URL" ]; then \
	  PARCOURS_DATABASE_URL="$$PARCOURS_TEST_POSTGRES_URL" $(PYTEST) -m database; fi

messages: setup
	$(BIN)/python deploy/extract_messages.py

soak: setup
	$(BIN)/python -m benchmarks.soak --kills $(KILLS)

bench: setup
	$(BIN)/parcours bench

lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes --no-emit-index-url -o requirements-dev.txt
	$(BIN)/uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url -c requirements-dev.txt -o requirements.txt
	echo uv | $(BIN)/uv pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements-dev.txt -o deploy/uv.txt

clean:
	rm -rf $(VENV) $(STAMPS) frontend/node_modules parcours/ui/static/ui/dist
