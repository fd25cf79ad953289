#!/bin/sh
# Runs a command where the kernel starts programs of arm64 by an emulator, and finds the loader of musl. Run by
# `unshare --map-root-user --mount`, so that nothing outside of that command sees either of them.
#
#     enter.sh EMULATOR|- LOADER|- LIBRARIES|- COMMAND...
set -e
emulator=$1 loader=$2 libraries=$3
shift 3
if [ "$emulator" != - ]; then
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  # The header of a 64-bit ELF program or library for AArch64. F: open the emulator now.
  head='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  echo ":sluice-arm64:M::$head:$mask:$emulator:F" > /proc/sys/fs/binfmt_misc/register
fi
if [ "$loader" != - ]; then
  # A file system over /usr/lib and /etc that has one more file each.
  over=$(dirname "$libraries")/over
  mkdir -p "$over"
  mount -t tmpfs none "$over"
  mkdir "$over/lib" "$over/etc" "$over/work" "$over/more"
  name=$(basename "$loader")
  cp "$loader" "$over/lib/$name"
  echo "$libraries" > "$over/etc/${name%.so.1}.path"
  mount -t overlay -o "lowerdir=/usr/lib,upperdir=$over/lib,workdir=$over/work" none /usr/lib
  mount -t overlay -o "lowerdir=/etc,upperdir=$over/etc,workdir=$over/more" none /etc
fi
exec "$@"
