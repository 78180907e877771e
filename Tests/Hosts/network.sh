# shellcheck shell=bash
# The network that connects the hosts with one another and with the machine. Sourced by `host`, never run.
#
# A router in a namespace of its own: the machine has one link to it and each host another, so neither Docker's
# packet filter nor bridge settings of the machine see what passes. What the router has no host for vanishes without an
# answer, and so do packets that a partition forbids: its rules need no packet filter either.

# The namespace, the machine's end of its link, and the folder of what is taken: a file for each address, that
# names the host's folder, and `prefix`, the first two octets of all of them.
readonly router=iaas-hosts
readonly registry=/run/iaas-hosts
# shellcheck disable=SC2034 # for those who source this
readonly registry_lock=/run/iaas-hosts.lock

in_router() { ip -netns "$router" "$@"; }
namespace_exists() { [[ -e /run/netns/$1 ]]; }
prefix() { cat "$registry/prefix"; }
router_address() { say "$(prefix).0.1"; }
machine_address() { say "$(prefix).0.2"; }

# --- The router; the registry's lock is held -------------------------------------------------------------------

pick_prefix() {
  local octet routes
  for octet in {213..250}; do
    routes=$(ip -4 route show table all root "10.$octet.0.0/16" && ip -4 route show table all match "10.$octet.0.0/16")
    if [[ -z $(sed '/^default/d' <<<"$routes") ]]; then
      say "10.$octet" >"$registry/prefix"
      return
    fi
  done
  die "no free network 10.N.0.0/16 on this machine"
}

# The settings of a new namespace are copies of the machine's, whatever these are.
set_forwarding() {
  # shellcheck disable=SC2016 # the inner shell's own variable
  ip netns exec "$router" sh -c 'cd /proc/sys/net/ipv4
    echo 1 >ip_forward
    for each in all default; do echo 0 >conf/$each/rp_filter; echo 0 >conf/$each/send_redirects; done'
}

ensure_router() {
  local links
  mkdir -p "$registry"
  if namespace_exists "$router" && [[ -e /sys/class/net/$router ]]; then return; fi
  remove_router
  links=$(find "$registry" -type f -name '10.*')
  if [[ ! -s $registry/prefix || -z $links ]]; then pick_prefix; fi
  ip netns add "$router"
  set_forwarding
  ip link add "$router" type veth peer name machine netns "$router"
  in_router -batch - <<LINES
link set lo up
address add $(router_address) peer $(machine_address) dev machine
link set machine up
route add blackhole $(prefix).0.0/16
LINES
  ip -batch - <<LINES
address add $(machine_address) peer $(router_address) dev $router
link set $router up
route add $(prefix).0.0/16 via $(router_address) dev $router src $(machine_address)
LINES
}

remove_router() {
  ip link delete "$router" 2>/dev/null || true
  if namespace_exists "$router"; then ip netns delete "$router"; fi
}

# The last host takes the router with it.
release() {
  local owner
  for owner in "$registry"/*:*; do
    if [[ $(cat "$owner" 2>/dev/null) == "$1" ]]; then rm -f "$owner"; fi
  done
  if [[ -z $(find "$registry" -name '10.*' 2>/dev/null) ]]; then
    remove_router
    rm -f "$registry/prefix"
    rmdir "$registry" 2>/dev/null || true
  fi
}

# --- Addresses; the registry's lock is held --------------------------------------------------------------------

# claim ADDRESS:PORT DIR: whether it is that folder's now.
claim() {
  if [[ -e $registry/$1 && $(<"$registry/$1") != "$2" ]]; then return 1; fi
  say "$2" >"$registry/$1"
}

# claim_address FILE DIR: the address in the file, if it is still to be had, else a free one.
claim_address() {
  local third fourth kept
  kept=$(cat "$1" 2>/dev/null || true)
  if [[ $kept == "$(prefix)".* ]] && claim "$kept" "$2"; then return; fi
  for third in {1..250}; do
    for fourth in {1..250}; do
      kept=$(prefix).$third.$fourth:7443
      if claim "$kept" "$2"; then
        say "$kept" >"$1"
        return
      fi
    done
  done
  die "no free address for a host"
}

# Below the ports that the kernel gives to outgoing connections.
claim_port() {
  local kept candidate
  mkdir -p "$registry"
  kept=$(cat "$1" 2>/dev/null || true)
  if [[ -n $kept ]] && claim "$kept" "$2"; then return; fi
  while :; do
    candidate=$((20000 + RANDOM % 12000))
    if [[ -z $(ss --no-header --listening --tcp --numeric "sport = :$candidate") ]] &&
      claim "127.0.0.1:$candidate" "$2"; then
      say "127.0.0.1:$candidate" >"$1"
      return
    fi
  done
}

# --- A host's end ----------------------------------------------------------------------------------------------

# ensure_namespace NAMESPACE
ensure_namespace() {
  if namespace_exists "$1"; then return; fi
  ip netns add "$1"
  ip -netns "$1" link set lo up
}

# ensure_link NAMESPACE PORT ADDRESS: the port is the router's end.
ensure_link() {
  if in_router link show "$2" >/dev/null 2>&1; then return; fi
  in_router link add "$2" type veth peer name eth0 netns "$1"
  in_router -batch - <<LINES
address add $(router_address) peer $3 dev $2
link set $2 up
LINES
  ip -netns "$1" -batch - <<LINES
address add $3 peer $(router_address) dev eth0
link set eth0 up
route add default via $(router_address)
LINES
}

# remove_namespace NAMESPACE PORT: both ends of the link go, and whatever libvirt made in there.
remove_namespace() {
  if namespace_exists "$router"; then in_router link delete "$2" 2>/dev/null || true; fi
  if namespace_exists "$1"; then ip netns delete "$1"; fi
}

# --- Partitions ------------------------------------------------------------------------------------------------

# forbid INTERFACE ADDRESS: packets that come in by that interface for that address vanish. Holds also while the
# interface is away.
forbid() {
  if [[ -z $(in_router rule list iif "$1" to "$2") ]]; then
    in_router rule add iif "$1" to "$2" priority 1000 blackhole
  fi
}

allow() {
  while in_router rule delete iif "$1" to "$2" priority 1000 blackhole 2>/dev/null; do :; done
}
