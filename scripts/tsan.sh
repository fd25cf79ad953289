#!/bin/sh
# Builds the stress program of rust/abi with ThreadSanitizer, and with it the standard library: one that is
# not instrumented hides the locks, and every lock looks like a race.
#
# No stable toolchain comes with the sources of its standard library. Debian's rustc-web does (rust-web-src),
# but not with the sanitizer's runtime, which the stable toolchain has. So: that compiler and source, this
# runtime. Nothing is installed: packages are unpacked under the folder that is the first argument.
# Ends with 3 where Debian's packages cannot be had.
set -eu
work=$(mkdir -p "$1" && cd "$1" && pwd)
root=$work/debian
host=$(rustc -vV | sed -n 's/^host: //p')
own=$(rustc --print sysroot)/lib/rustlib/$host
runtime=$own/lib/librustc-stable_rt.tsan.a

[ "$host" = x86_64-unknown-linux-gnu ] && [ -f "$runtime" ] && command -v dpkg >/dev/null || exit 3
if [ ! -x "$root/usr/bin/rustc" ]; then
  mkdir -p "$root" "$work/packages"
  apt-get update -qq >/dev/null 2>&1 || true
  packages=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances rustc-web rust-web-src 2>/dev/null |
    grep -E '^(rustc-web|rust-web-src|libstd-rust-web[^:]*|libllvm[0-9]+|libz3-4)$' | sort -u)
  [ -n "$packages" ] || exit 3
  # shellcheck disable=SC2086 # one word a package
  (cd "$work/packages" && apt-get download -qq $packages) || exit 3
  for package in "$work"/packages/*.deb; do dpkg -x "$package" "$root"; done
fi
source=$(echo "$root"/usr/src/rustc-*/library)

cat >"$work/rustc" <<END
#!/bin/sh
export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$(echo "$root"/usr/lib/llvm-*/lib | tr ' ' ':')
exec $root/usr/bin/rustc "\$@"
END
# lld resolves the runtime's symbol versions, which GNU ld does not; libc once more, for the runtime. That
# is in programs only: a shared object cannot hold it.
cat >"$work/cc" <<END
#!/bin/sh
case " \$* " in
*" -shared "*) for argument; do shift; [ "\$argument" = $runtime ] || set -- "\$@" "\$argument"; done ;;
esac
exec cc "\$@" -fuse-ld=lld -B$own/bin/gcc-ld -lc -lgcc_s -l:libc_nonshared.a -lc
END
chmod +x "$work/rustc" "$work/cc"

export RUSTC="$work/rustc" RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0
export __CARGO_TESTS_ONLY_SRC_ROOT="$source"
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER="$work/cc"
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
export CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true
export RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt -Clink-arg=-Wl,--whole-archive \
-Clink-arg=$runtime -Clink-arg=-Wl,--no-whole-archive -Clink-arg=-lstdc++ -Clink-arg=-lm \
-Clink-arg=-ldl -Clink-arg=-lrt -Clink-arg=-lpthread"
cargo rustc --release --locked -p sluice-abi --example stress --target "$host" \
  -Zbuild-std=std,panic_unwind --target-dir "$work/target"
echo "built $work/target/$host/release/examples/stress"
