#!/usr/bin/env bash
# Sets up Mesa's software Vulkan driver (lavapipe) from Debian's packages, so that the tests of the runtime's WebGPU
# provider run on a machine without a graphics card. Prints the `export` lines to use it:
#
#   eval "$(test/gpu/software-driver.sh)"
#
# Needs Debian 12 or later on x64, apt-get and root. The driver is unpacked into a folder of its own (first argument;
# default ~/.cache/adastar-software-driver). What it needs besides is installed, which may upgrade the system's own Mesa.
# Debian 12's own Mesa is too old for the WebGPU provider; there the driver comes from its backports.
set -euo pipefail

folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/adastar-software-driver}
root=$folder/root
say() { echo "software-driver: $*" >&2; }
stop() { say "$*"; exit 1; }

[ "$(uname -sm)" = "Linux x86_64" ] || stop "expected Linux on x64, got $(uname -sm)"
command -v apt-get >/dev/null || stop "expected apt-get: this script uses Debian's packages"
# shellcheck source=/dev/null
. /etc/os-release
[ "${ID:-}" = debian ] || stop "expected Debian, got ${PRETTY_NAME:-an unknown system}"

library=$root/usr/lib/x86_64-linux-gnu
description=$root/usr/share/vulkan/icd.d/lvp_icd.json

if [ ! -e "$description" ]; then
  suite=$VERSION_CODENAME
  [ "${VERSION_ID%%.*}" -ge 12 ] || stop "expected Debian 12 or later, got $PRETTY_NAME"
  # What the driver needs beside itself (LLVM, the loader's C libraries) comes from the system's own packages.
  say "installing libvulkan1 and what mesa-vulkan-drivers depends on"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libvulkan1 mesa-vulkan-drivers >&2
  options=()
  if [ "${VERSION_ID%%.*}" -eq 12 ]; then suite=$suite-backports; fi
  # A list of its own: the system's sources stay as they are.
  mkdir -p "$folder/lists/partial" "$folder/packages" "$root"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    >"$folder/sources.list"
  options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
    -o APT::Sandbox::User=root)
  say "fetching the driver of $suite"
  apt-get "${options[@]}" update -qq >&2
  (cd "$folder/packages" && apt-get "${options[@]}" download -qq mesa-vulkan-drivers libdrm2 libdrm-amdgpu1 >&2)
  for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$root"; done
  # Debian names the description after the processor in some versions.
  [ -e "$description" ] || ln -s "$(basename "$(ls "$root"/usr/share/vulkan/icd.d/lvp_icd*.json | head -1)")" "$description"
  sed -i "s#\"library_path\": *\"[^\"]*\"#\"library_path\": \"$library/libvulkan_lvp.so\"#" "$(readlink -f "$description")"
fi
[ -e "$library/libvulkan_lvp.so" ] || stop "expected the driver in $library: remove $folder and run this again"

runtime=$folder/runtime
mkdir -p -m 700 "$runtime"
cat <<LINES
export LD_LIBRARY_PATH="$library\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export VK_DRIVER_FILES="$description"
export VK_ICD_FILENAMES="$description"
export XDG_RUNTIME_DIR="$runtime"
LINES
