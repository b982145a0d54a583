# Sourced by run.sh: get_servers DIR puts MariaDB 10.5, 10.11 and 11.8 with all plugins into DIR,
# each into a directory of that name, unless they are there. What cannot be had is said once; the
# tests that need it skip themselves.
#
# The program that fetches one is called as `get-mariadb VERSION DIRECTORY`: HBK_GET_MARIADB, or
# tools/get-mariadb of a directory beside the checkout.

get_servers() {
  local dir=$1 series log
  local program=${HBK_GET_MARIADB:-$(compgen -G '../*/tools/get-mariadb' | head -n 1 || true)}
  mkdir -p "$dir"
  log=$(mktemp)
  for series in 10.5 10.11 11.8; do
    [[ ! -x $dir/$series/bin/mariadbd ]] || continue
    if [[ ! -x $program ]]; then
      echo "no MariaDB $series: no program get-mariadb; name it in HBK_GET_MARIADB"
    elif ! "$program" "$series" "$PWD/$dir/$series" >"$log" 2>&1 </dev/null; then
      echo "no MariaDB $series: $(tail -n 1 "$log")"
      rm -rf "${dir:?}/$series"
    fi
  done
  rm -f "$log"
  get_vault_plugin "$dir/10.11/root/usr/lib/mysql/plugin"
}

# The plugin that takes keys from a Vault, unpacked and not installed: its package would bring a
# service that starts by itself.
get_vault_plugin() {
  local plugins=$1 package=mariadb-plugin-hashicorp-key-management work
  [[ -d $plugins && ! -e $plugins/hashicorp_key_management.so ]] || return 0
  work=$(mktemp -d)
  unpack() { (cd "$work" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb .); }
  # Without lists of packages, or with old ones, once more.
  if { unpack || { apt-get update && unpack; }; } >"$work/log" 2>&1 </dev/null; then
    cp "$work/usr/lib/mysql/plugin/hashicorp_key_management.so" "$plugins/"
  else
    echo "no plugin hashicorp_key_management: $(tail -n 1 "$work/log")"
  fi
  rm -rf "$work"
}
