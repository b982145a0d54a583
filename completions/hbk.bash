# bash completion of hbk. The options come from `hbk help COMMAND`.

_hbk() {
  local cur prev words cword
  if declare -F _init_completion >/dev/null; then
    _init_completion -s || return
  else
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
    words=("${COMP_WORDS[@]}")
    cword=$COMP_CWORD
  fi

  local commands="backup extract prepare verify drill copy-back move-back decompress decrypt key info help"
  local first="--no-defaults --defaults-file= --defaults-extra-file= --defaults-group-suffix="
  first+=" --print-defaults"

  case $prev in
    --target-dir | --directory | --datadir | -h | --innodb-data-home-dir | --innodb-undo-directory | \
      --innodb-log-group-home-dir | --aria-log-dir-path | --rocksdb-datadir | --rocksdb-wal-dir | \
      --ssl-capath | --ssl-crlpath | --incremental-basedir | \
      --incremental-dir | --output-dir | --extra-lsndir | --scratch-dir)
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      compopt -o filenames 2>/dev/null
      return
      ;;
    --input | --defaults-file | --defaults-extra-file | --socket | -S | --ssl-ca | --ssl-cert | --ssl-key | \
      --ssl-crl | --file-key-management-filename | --hashicorp-key-management-vault-ca | \
      --hashicorp-key-management-token-file | --encrypt-key-file | --encrypt-passphrase-file | \
      --new-key-file | --new-passphrase-file | --log-file | --metrics-file | --mariadbd | --sql-file | \
      --report-json | --report-html | --compare-with)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      compopt -o filenames 2>/dev/null
      return
      ;;
    --backup-mode)
      mapfile -t COMPREPLY < <(compgen -W "0600 0640 0644" -- "$cur")
      return
      ;;
    --stream)
      mapfile -t COMPREPLY < <(compgen -W "hbk mbstream" -- "$cur")
      return
      ;;
    --sample)
      mapfile -t COMPREPLY < <(compgen -W "1% 5% 10%" -- "$cur")
      return
      ;;
    --output | --log-format)
      mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur")
      return
      ;;
    --file-key-management-encryption-algorithm)
      mapfile -t COMPREPLY < <(compgen -W "aes_cbc aes_ctr" -- "$cur")
      return
      ;;
    --file-key-management-digest)
      mapfile -t COMPREPLY < <(compgen -W "sha1 sha224 sha256 sha384 sha512" -- "$cur")
      return
      ;;
    --kill-long-query-type)
      mapfile -t COMPREPLY < <(compgen -W "select update all" -- "$cur")
      return
      ;;
    --check)
      mapfile -t COMPREPLY < <(compgen -W "quick medium extended none" -- "$cur")
      return
      ;;
    --protocol)
      mapfile -t COMPREPLY < <(compgen -W "tcp socket" -- "$cur")
      return
      ;;
    --binlog-info)
      mapfile -t COMPREPLY < <(compgen -W "auto on off" -- "$cur")
      return
      ;;
    --owner)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac

  local i command=
  for ((i = 1; i < cword; i++)); do
    case ${words[i]} in
      backup | extract | prepare | verify | drill | copy-back | move-back | decompress | decrypt | key | info | help)
        command=${words[i]}
        break
        ;;
    esac
  done

  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands $first --help --version" -- "$cur")
  elif [[ $command == help ]]; then
    mapfile -t COMPREPLY < <(compgen -W "backup extract prepare verify drill copy-back move-back decompress decrypt key info" -- "$cur")
  else
    local options
    options=$("${words[0]}" help "$command" 2>/dev/null |
      grep -oE -- '^ +(-[A-Za-z], )?--[a-z0-9-]+(\[?=)?' | grep -oE -- '--[a-z0-9-]+=?')
    if [[ $command == info && $cur != -* ]]; then
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      compopt -o filenames 2>/dev/null
      return
    fi
    [[ $command == key && $prev == key ]] && options="list test add remove $options"
    mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$cur")
  fi
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _hbk hbk
