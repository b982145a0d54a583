# Sourced by demo.sh and run.sh: install_packages GROUP... makes sure that the groups of
# packages.txt are installed. Asks apt only for what is missing; without root it says what is.

packages_of() {
  local group=$1 file
  file=$(dirname "${BASH_SOURCE[0]}")/packages.txt
  sed -n "/^\[$group\]/,/^\[/p" "$file" | grep -v '^\[' | grep -v '^#' | grep . || true
}

install_packages() {
  local group package missing=()
  for group in "$@"; do
    for package in $(packages_of "$group"); do
      [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] ||
        missing+=("$package")
    done
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $EUID -ne 0 ]]; then
    echo "missing packages; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  local log
  log=$(mktemp)
  # Nothing may ask a question, and what apt itself prints fills more than a screen.
  if ! { DEBIAN_FRONTEND=noninteractive apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
