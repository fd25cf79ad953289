#!/bin/sh
# Tests the packages of the folder `files` in Alpine, as root in a fresh container, with the checkout as working folder.
# Only Bun has an official build for musl that loads libraries; Alpine's Node.js only installs.
set -eu
apk add --no-cache libstdc++ nodejs npm tar
# Deno's own script would look for a build for musl, which there is not.
npm ci --ignore-scripts --no-audit --no-fund
node node_modules/bun/install.js
node_modules/.bin/bun tests/packed/run.ts --packages files --runtimes bun
node_modules/.bin/bun scripts/release/executables.ts files --runtimes bun
node_modules/.bin/bun scripts/release/native_tests.ts --target "$TARGET" --files files --runtimes bun
