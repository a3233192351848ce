# usipc: make, make check, make demo, make install. `make help` lists the rest.

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d

CARGO ?= cargo
CC ?= cc
INSTALL ?= install
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
RELEASE := $(TARGET)/release
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME := libusipc.so.0
REAL := libusipc.so.$(VERSION)

# As pkg-config writes a directory, so that the whole tree can be moved by its prefix.
below-prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

export CC
# Where the tests find what was built.
TESTS := TOP='$(CURDIR)' BUILD='$(TARGET)/c_tests' LIBUSIPC='$(RELEASE)/libusipc.so' USIPC='$(RELEASE)/usipc'
SETUP := VENV='$(TARGET)/c_tests/venv' packaging/setup

BENCH_PATHS := BENCH='$(TARGET)/bench/bench' PEERS='$(TARGET)/bench/peers' LIBUSIPC='$(RELEASE)/libusipc.so'

# The models: optimised a little, since they run each step millions of times, and with no features of other builds.
LOOM := CARGO_PROFILE_DEV_OPT_LEVEL=1 RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR='$(TARGET)/loom'
NIGHTLY := $(CARGO) +nightly
NIGHTLY_RUSTC := rustc +nightly
# The unit tests on memory of their own, without files and forks: what miri can run. Its emulation of weak memory does not know
# memory that is used in words of different sizes, one after the other.
MIRI_TESTS := queue::heap queue::arena queue::index

# Seconds to fuzz. The instrumentation that libFuzzer needs is in the stable compiler too.
FUZZ_S ?= 60
FUZZ_FLAGS := --cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
FUZZ := $(TARGET)/fuzz

.PHONY: all check models soak fuzz crash-points bench bench-clients bench-unp demo rust-check headers built install uninstall clean help need-cargo need-cc setup-check setup-demo setup-bench
# The set-up comes before what needs it; cargo itself uses every processor.
.NOTPARALLEL:

all: need-cargo need-cc ## build the library and the command (target/release)
	@# One by one: cargo would give the library, which is no_std, the features that the command asks for.
	$(CARGO) build --release -p usipc
	$(CARGO) build --release -p usipc-cli

check: setup-check all $(if $(LISTING),,rust-check) ## run all tests; installs what they need when run as root on Debian
	$(TESTS) LISTING='$(LISTING)' c_tests/check.sh $(if $(LISTING),listings)

models: need-cargo need-cc ## concurrency checked by loom and shuttle, at length; miri and ThreadSanitizer where nightly is installed
	$(LOOM) USIPC_MODELS_DEEPER=1 $(CARGO) test -p usipc-core --lib -- model::
	@if $(NIGHTLY) miri --version >/dev/null 2>&1; then \
	    MIRIFLAGS='-Zmiri-permissive-provenance -Zmiri-disable-weak-memory-emulation' CARGO_TARGET_DIR='$(TARGET)/miri' \
	    $(NIGHTLY) miri test -p usipc-core --lib -- $(MIRI_TESTS); \
	else echo "skip models/miri: not installed (type: rustup toolchain install nightly -c miri,rust-src)"; fi
	@if [ -d "$$($(NIGHTLY_RUSTC) --print sysroot 2>/dev/null)/lib/rustlib/src/rust" ]; then \
	    RUSTFLAGS=-Zsanitizer=thread CARGO_PROFILE_DEV_PANIC=unwind CARGO_TARGET_DIR='$(TARGET)/tsan' \
	    $(NIGHTLY) test -Zbuild-std --target "$$($(NIGHTLY_RUSTC) -vV | sed -n 's/^host: //p')" -p usipc-core --test threads; \
	else echo "skip models/tsan: not installed (type: rustup toolchain install nightly -c miri,rust-src)"; fi

soak: setup-check all fuzz ## the tests with far longer random runs, and a minute of fuzzing
	$(TESTS) MODE=soak c_tests/check.sh

# What is new goes to $(FUZZ)/corpus, what fails to $(FUZZ); `make check` tries all of fuzz/corpus/region.
fuzz: need-cargo ## calls on spoilt objects, chosen by libFuzzer, for FUZZ_S seconds (60)
	@command -v c++ >/dev/null || { echo "make: libFuzzer needs a C++ compiler; type: sudo apt-get install g++" >&2; exit 1; }
	RUSTFLAGS='$(FUZZ_FLAGS)' CARGO_TARGET_DIR='$(FUZZ)' $(CARGO) build --release --manifest-path fuzz/Cargo.toml \
	    --target "$$(rustc -vV | sed -n 's/^host: //p')"
	@mkdir -p '$(FUZZ)/corpus'; dir=$$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	USIPC_DIR=$$dir '$(FUZZ)'/*/release/region -max_total_time=$(FUZZ_S) -timeout=10 -max_len=600 -verbosity=0 \
	    -artifact_prefix='$(FUZZ)/' '$(FUZZ)/corpus' fuzz/corpus/region

crash-points: setup-check all ## kills after every instruction of every call (two hours, mostly of waiting; with JOBS=9 one)
	$(TESTS) POINTS=every c_tests/check.sh crash_points

bench: setup-bench all ## the kernel, usipc, Boost and glibc in turn: docs/benchmarks (half an hour; QUICK=1: three minutes)
	bench/build.sh '$(TARGET)/bench' >'$(TARGET)/bench.missing'
	$(BENCH_PATHS) $(CARGO) run -q -p usipc-bench -- '$(CURDIR)' '$(or $(BENCH_OUT),docs/benchmarks)' $(if $(QUICK),--quick) \
	    $(if $(RUNS),--runs '$(RUNS)') --no-boost "$$(cat '$(TARGET)/bench.missing')" $(foreach name,$(ONLY),--only '$(name)')

bench-clients: setup-bench setup-check all ## real programs on the kernel and on usipc in turn: docs/benchmarks/CLIENTS.md (QUICK=1)
	TARGET='$(TARGET)' QUICK='$(QUICK)' bench/clients.sh '$(or $(BENCH_OUT),docs/benchmarks)' $(CLIENTS)

# Formatting and lints are looked at where rustup installed them.
rust-check: need-cargo need-cc
	$(CARGO) test -p usipc-core
	$(CARGO) test -p usipc-cli
	$(CARGO) test -p usipc-bench
	$(LOOM) $(CARGO) test -q -p usipc-core --lib -- model::
	@if $(CARGO) fmt --version >/dev/null 2>&1; then $(CARGO) fmt --all --check; \
	else echo "skip rust/fmt: no rustfmt (type: rustup component add rustfmt)"; fi
	@if $(CARGO) clippy --version >/dev/null 2>&1; then \
	for what in '-p usipc --lib' '-p usipc --example headers' '-p usipc-core --all-targets' '-p usipc-cli --all-targets' '-p usipc-bench --all-targets'; do \
	    $(CARGO) clippy -q $$what -- -D warnings || exit; done; \
	else echo "skip rust/clippy: no clippy (type: rustup component add clippy)"; fi

bench-unp: setup-check all ## the book's benchmark programs: the kernel, preloaded, linked (QUICK=1: a minute)
	$(TESTS) c_tests/listings/unp/bench/bench.sh

demo: setup-demo all ## two unmodified programs talk through queues of usipc's
	@BIN='$(TARGET)/demo' USIPC='$(RELEASE)/usipc' demo/demo.sh

headers: need-cargo ## write include/ anew from the sources
	$(CARGO) run -q --example headers

# `sudo make install` after `make` must not need root to have cargo.
built:
	@[ -e '$(RELEASE)/libusipc.so' ] && [ -e '$(RELEASE)/usipc' ] || $(MAKE) all

install: built ## install below $(DESTDIR)$(PREFIX)
	$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)/usipc' \
	    '$(DESTDIR)$(PKGCONFIGDIR)' '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(TMPFILESDIR)'
	$(INSTALL) -m 755 '$(RELEASE)/libusipc.so' '$(DESTDIR)$(LIBDIR)/$(REAL)'
	ln -sf $(REAL) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libusipc.so'
	$(INSTALL) -m 644 '$(RELEASE)/libusipc.a' '$(DESTDIR)$(LIBDIR)/'
	$(INSTALL) -m 644 include/usipc.h '$(DESTDIR)$(INCLUDEDIR)/'
	$(INSTALL) -m 644 include/usipc/*.h '$(DESTDIR)$(INCLUDEDIR)/usipc/'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call below-prefix,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call below-prefix,$(INCLUDEDIR))|' \
	    -e 's|@VERSION@|$(VERSION)|' packaging/usipc.pc.in >'$(DESTDIR)$(PKGCONFIGDIR)/usipc.pc'
	chmod 644 '$(DESTDIR)$(PKGCONFIGDIR)/usipc.pc'
	$(INSTALL) -m 755 '$(RELEASE)/usipc' '$(DESTDIR)$(BINDIR)/usipc'
	$(INSTALL) -m 644 docs/man/usipc.1 '$(DESTDIR)$(MANDIR)/man1/'
	$(INSTALL) -m 644 packaging/tmpfiles.conf '$(DESTDIR)$(TMPFILESDIR)/usipc.conf'
	@# A staged install is a package's business, an install in place is to work at once.
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig 2>/dev/null || :; fi

uninstall: ## remove what install put there
	rm -f '$(DESTDIR)$(BINDIR)/usipc' '$(DESTDIR)$(MANDIR)/man1/usipc.1' '$(DESTDIR)$(TMPFILESDIR)/usipc.conf' \
	    '$(DESTDIR)$(PKGCONFIGDIR)/usipc.pc' '$(DESTDIR)$(INCLUDEDIR)/usipc.h' \
	    $(foreach name,$(REAL) $(SONAME) libusipc.so libusipc.a,'$(DESTDIR)$(LIBDIR)/$(name)')
	rm -rf '$(DESTDIR)$(INCLUDEDIR)/usipc'

clean: need-cargo ## remove everything that was built
	$(CARGO) clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup-check:
	@$(SETUP) check
setup-demo:
	@$(SETUP) demo
setup-bench:
	@$(SETUP) bench

need-cargo:
	@command -v $(CARGO) >/dev/null || { echo "make: Rust's cargo is missing; type: curl https://sh.rustup.rs -sSf | sh -s -- -y && . ~/.cargo/env" >&2; exit 1; }
need-cc:
	@command -v $(firstword $(CC)) >/dev/null || { echo "make: a C compiler ($(CC)) is missing; type: sudo apt-get install gcc libc6-dev" >&2; exit 1; }
