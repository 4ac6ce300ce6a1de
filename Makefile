# HANproof. `make certify` runs every case on the virtual bench; `make test` also runs the harness's own tests. Both set
# everything up in .venv on their first call; no other step is needed, and nothing is installed outside this folder.

VENV   := .venv
ALLURE := reports/allure/node_modules/.package-lock.json
STAMP  := $(VENV)/.set-up
JOBS   ?= auto
MINUTES ?= 30
TIMES  ?= 20
PIP    := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes
UV     := $(VENV)/bin/uv pip sync --quiet --system-certs --python $(VENV)/bin/python
OWN    := dissectors/tests harness/tests
BROKER := build/broker
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Compiled modules are kept, and out of the way: where an environment forbids it, each of hundreds of processes compiles all anew.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help setup certify test defects lint bench parity fuzz broker broker-stop lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1 -/p' Makefile | sed 's/^/make /'

setup: $(STAMP) $(ALLURE)  ## make .venv (certify and test do this by themselves)

certify: setup  ## run every case for both devices on the virtual bench, and write the report
	@status=0; $(VENV)/bin/hanproof run -- -n $(JOBS) || status=$$?; \
	case $$status in 2|3|4|5) ;; *) printf 'report: '; $(VENV)/bin/hanproof report || status=$$?;; esac; exit $$status

test: setup  ## the harness's own tests, the kill matrix, then every case, judged a second time from its evidence
	@$(VENV)/bin/pytest -q -n $(JOBS) --dist worksteal $(OWN)
	@$(VENV)/bin/hanproof defects --known fixtures/survivors.txt
	@$(VENV)/bin/hanproof run -- -n $(JOBS)
	@$(VENV)/bin/hanproof judge

defects: setup  ## the kill matrix, each defect with every case of its step (much longer than `hanproof defects`)
	@$(VENV)/bin/hanproof defects --thorough

lint: setup  ## ruff and mypy (strict) on our packages
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

bench: setup  ## how fast we decode, beside tshark where it is installed, and how fast we judge, beside lxml
	@$(VENV)/bin/python -m reports.judge_rate
	@$(VENV)/bin/python -m reports.decode_rate

parity: setup  ## what is played in virtual time is played in real time too, in two processes, TIMES over
	@status=0; for what in parity parity_cases; do $(VENV)/bin/python -m harness.tests.$$what $(TIMES) || status=1; done; exit $$status

fuzz: setup  ## moves of both sides in any order until MINUTES are over
	@$(VENV)/bin/hanproof fuzz --profile nightly --minutes $(MINUTES)

broker: setup  ## start a RabbitMQ of our own on loopback for AMQP 1.0 and STOMP, and say how to use it
	@$(VENV)/bin/python -m harness.tests.peers.rabbitmq start $(BROKER)

broker-stop: setup  ## end it, and forget its queues
	@$(VENV)/bin/python -m harness.tests.peers.rabbitmq stop $(BROKER)

lock: $(STAMP)  ## resolve requirements.txt anew from pyproject.toml, hashed and without addresses
	@$(VENV)/bin/uv pip compile --quiet --system-certs --python $(VENV)/bin/python --universal --upgrade --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml -o requirements.txt

clean:  ## remove everything that was made here, runs and .venv included
	@if [ -d $(BROKER) ]; then $(VENV)/bin/python -m harness.tests.peers.rabbitmq stop $(BROKER); fi
	@rm -rf $(VENV) reports/runs reports/allure/node_modules harness/tests/peers/node_modules build dist *.egg-info \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv comes hashed from the same list as everything else; where it cannot be had, pip does the same work, only slower.
$(STAMP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "HANproof needs Python 3.11 or later (on Debian or Ubuntu: apt install python3 python3-venv)"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "python3 has no venv module (on Debian or Ubuntu: apt install python3-venv)"; exit 1; }
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > $(VENV)/uv.txt
	@sed '/^uv==/,/[^\\]$$/d' requirements.txt > $(VENV)/without-uv.txt
	@$(PIP) --only-binary :all: -r $(VENV)/uv.txt && $(UV) --require-hashes requirements.txt \
		|| { echo "uv cannot be had here: pip does it, more slowly"; $(PIP) -r $(VENV)/without-uv.txt; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

# Without node there is no Allure report; HANproof's own page is made all the same.
$(ALLURE): reports/allure/package-lock.json
	@if ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || ! command -v npm >/dev/null; then \
		echo "no node 20 or later: the report will be HANproof's own page, without Allure's"; \
	else (cd reports/allure && npm ci --omit=dev --silent >/dev/null) && touch $@ \
		|| echo "npm could not install Allure: the report will be HANproof's own page"; fi
