# Thin over CMake: what a developer types. CONTRIBUTING.md tells more.
#
#   make                 build/barkeep, optimised and hardened
#   make test            what needs no server       T='core/wal/*' for some
#   make test T=core/wal/seg ROW='*lower case*'     some rows of one test
#   make tui             the console in a real terminal     T='resize*'
#   make shots           the README's pictures, from the golden screens
#   make pg              live servers               T='045*' for some, V=17 for another version
#   make asan | tsan     the tests under sanitizers T= as above
#   make cov             line coverage of src       (build-coverage/coverage.html)
#   make fuzz S=60       every fuzz target for S seconds, two side by side     T= for some
#   make golden          pictures of the screens: old and new, asked one by one
#   make lint            format, floors, banned functions, limits, spelling
#   make deb             a Debian package in build/
#   make bench           beside pg_basebackup, cp and Debian's barman
#   make clean

T ?=
S ?= 30
JOBS ?= $(shell nproc)
# core/wal/* is the test core_wal_...
picked = $(if $(T),-R '^$(subst *,.*,$(subst /,_,$(T)))')

all:
	@[ -f build/CMakeCache.txt ] || cmake -S . -B build
	@cmake --build build -j $(JOBS)

build-%/CMakeCache.txt:
	@cmake --preset $* >/dev/null

debug asan tsan coverage: %: build-%/CMakeCache.txt
	@cmake --build build-$* -j $(JOBS)
	@$(if $(filter-out debug,$*),ctest --preset $* -j $(JOBS) $(picked))

test: debug
ifdef ROW
	@build-debug/tests/$(subst /,_,$(T))_test '$(ROW)'
else
	@ctest --preset debug -j $(JOBS) $(picked)
endif

pg: debug
	@BARKEEP=build-debug/barkeep tests/pg/run $(if $(T),'$(T)')

tui: debug
	@tests/tui/run $(if $(T),'$(T)')

shots:
	@scripts/shots

cov: coverage
	@gcovr --root . --filter src/ --exclude-unreachable-branches --print-summary \
	    --html-details build-coverage/coverage.html build-coverage

fuzz: build-fuzz/CMakeCache.txt
	@cmake --build build-fuzz -j $(JOBS)
	@scripts/fuzz $(S) '$(T)'

golden: debug-tests
	@scripts/golden build-debug

debug-tests: build-debug/CMakeCache.txt
	@cmake --build build-debug -j $(JOBS)

lint:
	@scripts/lint

bench: all
	@tests/bench/run

deb: all
	@cd build && cpack -G DEB

clean:
	rm -rf build build-*

.PHONY: all debug asan tsan coverage debug-tests test pg tui golden shots cov fuzz lint deb bench clean
