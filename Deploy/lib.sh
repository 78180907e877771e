# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

# Everything here writes for itself and for the accounts of Postgres and QEMU; secrets set their own mode.
umask 022

# Daemons get a clean environment: nothing of the caller's, secrets least of all, lives on in them.
# shellcheck disable=SC2034 # for those who source this
readonly daemon_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  warn "$@"
  exit 1
}

# The folder, absolute, whether or not it exists.
absolute() { realpath --canonicalize-missing --no-symlinks -- "$1"; }

# Microseconds, for differences only.
now() { printf '%s' "${EPOCHREALTIME//[.,]/}"; }

# "1.2 s" since a value of now().
since() {
  local tenths=$((($(now) - $1) / 100000))
  printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}

# step TITLE COMMAND…: one line with the time the command took. The command runs in this very shell.
step() {
  local title=$1 begun
  shift
  begun=$(now)
  "$@"
  printf '%-58s %8s\n' "$title" "$(since "$begun")"
}

# random_hex BYTES: so many random bytes, in hexadecimal digits.
random_hex() { od -An -v -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# as_root COMMAND…: by sudo where we are not root.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    die "this needs root, and there is no sudo: $*"
  fi
}

# as_account USER COMMAND…: with that account's user and group and nothing else (as root only).
as_account() {
  local user=$1
  shift
  setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
}

# reaches USER PATH: whether that account gets as far as into the folder.
reaches() { as_account "$1" test -x "$2"; }

# A path that needs no quoting in a URI or a list, and leaves room for a socket's name (sockaddr_un holds 107 bytes).
fits_socket() { [[ $1 =~ ^/[A-Za-z0-9/._-]+$ ]] && ((${#1} <= 85)); }

# wait_until SECONDS COMMAND…: polls until the command succeeds; fails at the deadline.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

# lock FILE: held until this shell ends. Daemons never inherit it, see detach.
lock() {
  local descriptor
  exec {descriptor}>>"$1"
  flock --timeout 120 "$descriptor" || die "another run holds $1"
}

# --- Processes -------------------------------------------------------------------------------------------------
# A process is its pid, its start time and the boot it belongs to: a recycled pid, also after a reboot, is another one.

identity() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # The command's name stands in parentheses and may hold anything: what follows the last one is regular.
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] || return 1
  printf '%s %s %s' "$1" "${fields[19]}" "$(</proc/sys/kernel/random/boot_id)"
}

# alive FILE: whether the process recorded in it lives.
alive() {
  local recorded
  [[ -s $1 ]] && recorded=$(<"$1") && [[ $(identity "${recorded%% *}") == "$recorded" ]]
}

gone() { ! alive "$1"; }

recorded_pid() {
  local recorded
  recorded=$(<"$1") && printf '%s' "${recorded%% *}"
}

# detach PIDFILE LOG COMMAND…: starts a daemon that outlives us, in a session of its own, holding none of our files
# (a caller's pipe would never see its end, a lock would never be free), and records its identity.
detach() {
  local pidfile=$1 log=$2 pid
  shift 2
  (
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      if ((descriptor > 2 && descriptor != 255)); then exec {descriptor}>&-; fi
    done
    exec setsid "$@"
  ) </dev/null >>"$log" 2>&1 &
  pid=$!
  # It may be dead already: then there is nothing to record, and whoever waits for it reads the log.
  identity "$pid" >"$pidfile.new" || true
  mv "$pidfile.new" "$pidfile"
}

# terminate PIDFILE SIGNAL SECONDS: asks by the signal, insists by SIGKILL after that time.
terminate() {
  local pidfile=$1 pid
  if alive "$pidfile"; then
    pid=$(recorded_pid "$pidfile")
    kill -s "$2" "$pid"
    wait_until "$3" gone "$pidfile" || {
      warn "process $pid did not end within $3 s of SIG$2: SIGKILL"
      kill -s KILL "$pid" 2>/dev/null || true
      wait_until 10 gone "$pidfile" || die "process $pid does not end"
    }
  fi
  rm -f "$pidfile"
}

# rotate LOG: keeps one older log, once it is large.
rotate() {
  if [[ -f $1 ]] && (($(stat -c %s "$1") > 20 * 1024 * 1024)); then mv -f "$1" "$1.1"; fi
}

# tail_of LOG: its last lines, indented, on stderr.
tail_of() {
  printf '  --- the end of %s\n' "$1" >&2
  tail -n 20 "$1" 2>/dev/null | cut -c 1-400 | sed 's/^/  /' >&2 || true
}
