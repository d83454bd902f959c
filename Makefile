# Every target makes the virtual environment when it is missing.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PLUGINS := -e plugins/fisheye -e plugins/medical -e plugins/seismic -e plugins/audio -e plugins/text

.DEFAULT_GOAL := help
.PHONY: help demo demo-fisheye demo-seismic demo-audio demo-lines demo-text demo-check demo-audio-check study-fisheye bench bench-gpu test kills fuzz check docs clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

$(VENV)/.installed: pyproject.toml plugins/fisheye/pyproject.toml plugins/medical/pyproject.toml plugins/seismic/pyproject.toml plugins/audio/pyproject.toml plugins/text/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet torch torchvision
	$(BIN)/python -m pip install --quiet -e '.[test,bench,lint,docs]' $(PLUGINS)
	touch $@

demo: $(VENV)/.installed ## Simulated B-scans: find faults, judge pairs, train seven arms, one table (five minutes, once installed)
	$(BIN)/ssl-domains demo --out demo

demo-fisheye: $(VENV)/.installed ## Train and compare five arms on made-up fisheye scenes (three minutes, once installed)
	$(BIN)/ssl-domains demo --domain fisheye --out demo-fisheye

demo-seismic: $(VENV)/.installed ## Simulated survey: headers, leaks, four arms, predictions as SEG-Y, one picture (five minutes, once installed)
	$(BIN)/ssl-domains demo --domain seismic --out demo-seismic

demo-audio: $(VENV)/.installed ## Simulated words: faults, pairs to listen to, seven arms, what each keeps of word and speaker (four and a half minutes, once installed)
	$(BIN)/ssl-domains demo --domain audio --out demo-audio

demo-lines: $(VENV)/.installed ## Strips of digits: faults, SeqCLR, recognisers of 24 and 96 transcripts beside scratch (three and a half minutes, once installed)
	$(BIN)/ssl-domains demo --domain lines --out demo-lines

demo-text: $(VENV)/.installed ## Tickets: false negatives as text, six arms beside BM25 and fusion, a search, an export (two minutes, once installed)
	$(BIN)/ssl-domains demo --domain text --out demo-text

demo-check: $(VENV)/.installed ## Play the demonstration with three seeds of its data and test the order it claims (ten minutes)
	$(BIN)/python tests/demonstration/check.py build/demo-check --seeds $(or $(SEEDS),3)

demo-audio-check: $(VENV)/.installed ## Play the audio demonstration with three seeds and test what it claims (a quarter of an hour)
	$(BIN)/python tests/demonstration/check.py build/demo-audio-check --domain audio --seeds $(or $(SEEDS),3)

study-fisheye: $(VENV)/.installed ## Every arm, control and floor on made-up fisheye scenes, with intervals (within the hour)
	test -d study-fisheye/data || $(BIN)/ssl-domains fisheye demo-data study-fisheye/data
	$(BIN)/ssl-domains fisheye scan study-fisheye/data -o study-fisheye/samples.parquet
	$(BIN)/ssl-domains fisheye study plugins/fisheye/demo-study.toml --samples study-fisheye/samples.parquet --out study-fisheye/out

bench: $(VENV)/.installed ## Loss, mining, sampler, engine step, end to end, beside other libraries (PICTURES=folder or zip of pictures)
	$(BIN)/python -m benchmarks $(if $(PICTURES),--pictures $(PICTURES)) --page docs/results/benchmarks.md

bench-gpu: $(VENV)/.installed ## Loss, engine, equality and tests on one GPU (at most five minutes; GPU_JSON=file)
	$(BIN)/python -m benchmarks.gpu --out $(or $(GPU_JSON),benchmarks/results/gpu.json)

test: $(VENV)/.installed ## Run the tests of the core and of the plugins
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

kills: $(VENV)/.installed ## Kill every command at 60 random moments, run two at once, fill the disk (SEED=0)
	OMP_NUM_THREADS=1 $(BIN)/python tests/kills/harness.py kills --number 60 --seed $(or $(SEED),0)
	OMP_NUM_THREADS=1 $(BIN)/python tests/kills/harness.py term --number 14 --seed $(or $(SEED),0)
	OMP_NUM_THREADS=1 $(BIN)/python tests/kills/harness.py twice
	OMP_NUM_THREADS=1 $(BIN)/python tests/kills/harness.py full
fuzz: $(VENV)/.installed ## 2,000 damaged inputs of each format, in two processes; goes on after a stop (RUNS=2000 JOBS=2 KINDS=dicom)
	$(BIN)/python tests/fuzz $(KINDS) --runs $(or $(RUNS),2000) --jobs $(or $(JOBS),2)

check: $(VENV)/.installed ## Lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p ssl_domains -p ssl_domains_fisheye -p ssl_domains_medical -p ssl_domains_seismic -p ssl_domains_audio -p ssl_domains_text -p benchmarks
	$(BIN)/lint-imports

docs: $(VENV)/.installed ## Build the documentation strictly, into site/
	$(BIN)/mkdocs build --strict

clean: ## Remove what was built, not what was trained
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
