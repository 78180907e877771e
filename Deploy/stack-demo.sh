# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables of Deploy/stack
# What `stack demo` does after `up`, with the `iaas` command alone. Sourced by it.

demo_image() { cli image ls -o json | jq 'map(select(.name == "demo"))'; }
demo_machines() { cli vm ls -o json | jq 'map(select(.name == "demo"))'; }

image_id() { demo_image | jq -r 'map(select(.state == "available"))[0].id // empty'; }

# The user's own key if it can be used without asking, else one made for the demonstration.
choose_key() {
  key=$HOME/.ssh/id_ed25519
  if [[ -s $key.pub ]] && ssh-keygen -y -P '' -f "$key" >/dev/null 2>&1; then return; fi
  key=$state/demo_ed25519
  if [[ ! -s $key ]]; then ssh-keygen -q -t ed25519 -N '' -C swift-iaas-demo -f "$key"; fi
}

build_guest() { guest=$("$here/guest-image"); }

# The guest by http on this machine, for as long as this runs; the folder holds nothing else.
serve_guest() {
  local folder=$state/serve
  mkdir -p "$folder"
  ln -sfn "$guest" "$folder/guest.qcow2"
  server_port=$(free_port)
  python3 -m http.server "$server_port" --bind 127.0.0.1 --directory "$folder" >"$logs/image-server.log" 2>&1 &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; explain_failure' EXIT
  wait_until 20 taken "$server_port" || die "cannot serve the image; see $logs/image-server.log"
}

end_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  trap explain_failure EXIT
}

# Whether the import ended, well or not.
import_ended() {
  local images
  images=$(demo_image) || die "cannot list the images; see $(logfile gateway)"
  [[ $(jq 'any(.[]; .state == "importing")' <<<"$images") == false ]]
}

import_image() {
  image=$(image_id)
  if [[ -n $image ]]; then return; fi
  serve_guest
  cli image add "http://127.0.0.1:$server_port/guest.qcow2" demo "small guest of the demonstration" >/dev/null ||
    die "cannot add the image; see $(logfile inventory-service)"
  wait_until 300 import_ended || die "the import does not end; see $(logfile inventory-service)"
  end_server
  image=$(image_id)
  [[ -n $image ]] ||
    die "the import failed: $(demo_image | jq -c 'map(.error)'); see $(logfile inventory-service)"
}

in_guest() {
  ssh -i "$key" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=3 -o LogLevel=ERROR \
    -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile="$state/demo_known_hosts" "root@$address" "$@"
}

guest_answers() { in_guest true </dev/null >/dev/null 2>&1; }

machine_address() {
  address=$(cli vm show "$machine" -o json | jq -r '[.addresses[]?.ip | select(contains(":") | not)][0] // empty')
  [[ -n $address ]]
}

# One of an earlier run is good if it answers.
reuse_machine() {
  machine=$(demo_machines | jq -r 'map(select(.state == "running"))[0].id // empty')
  [[ -n $machine ]] && machine_address && wait_until 5 guest_answers
}

create_machine() {
  local earlier
  for earlier in $(demo_machines | jq -r '.[].id'); do cli vm rm "$earlier" -y >/dev/null; done
  # It would be another host's key at the same address.
  rm -f "$state/demo_known_hosts"
  machine=$(cli vm add "$image" 256 --name demo --ssh-key "$key.pub" -o json | jq -r .id) ||
    die "cannot create the virtual machine; see $(logfile inventory-service) and $(logfile compute-agent)"
}

start_machine() {
  cli vm start "$machine" >/dev/null ||
    die "cannot start the virtual machine; see $(logfile inventory-service) and $(logfile compute-agent)"
}

# Generous: two emulated processors, shared with whatever else the machine does.
await_address() {
  wait_until 180 machine_address ||
    die "the virtual machine gets no address; see its console ($(console_log))" \
      "and $(logfile compute-agent)"
}

await_ssh() {
  wait_until 180 guest_answers ||
    die "root@$address does not answer by SSH; see its console ($(console_log))"
}

console_log() { say "$state/agent/vms/$machine/console.log"; }

run_in_guest() { answer=$(in_guest 'uname -a; uptime; hostname'); }

iaas_line() { say "IAAS_URL=$gateway_url IAAS_CONFIG=$state/cli $bin/iaas vm"; }

demo() {
  local begun
  begun=$(now)
  import_allow=${import_allow:+$import_allow,}127.0.0.1/32
  bring_up
  step "guest image built" build_guest
  step "image imported" import_image
  choose_key
  if reuse_machine; then
    say "  (the virtual machine of an earlier run still answers)"
  else
    step "virtual machine created" create_machine
    step "started" start_machine
    step "has an address" await_address
    step "answers by SSH" await_ssh
  fi
  step "command run in it" run_in_guest
  printf '%-58s %8s\n' "in all" "$(since "$begun")"
  conclude
}

conclude() {
  cat <<TEXT

The virtual machine said:

$(printf '%s\n' "$answer" | sed 's/^/    /')

The API is at $gateway_url/iaas, its documentation, to read and to try, at $gateway_url/docs
$(introduce_administrator)

To try next:

    ssh -i $key -o UserKnownHostsFile=$state/demo_known_hosts root@$address
    export IAAS_URL=$gateway_url IAAS_CONFIG=$state/cli
    $bin/iaas vm ls
    $bin/iaas image ls
    $bin/iaas vm stop $machine
    make down              stop the services; the virtual machine keeps running
    make clean-state       remove everything that this has made
TEXT
}
