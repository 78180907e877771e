# shellcheck shell=bash
# Where the stack of compose.yml has its database, images and keys, for Deploy/backup. Sourced, never run.

keys=(token-keys auth-seal-key inventory-seal-key admin-password)
start_command="docker compose up -d"

# The accounts in the containers.
readonly auth=10002 inventory=10003

compose() { docker compose --project-directory "$root" "$@"; }
setting() { sed -n "s/^$1=//p" "$root/.env" 2>/dev/null | tail -n 1; }

[[ -e $root/.env ]] || die "there is no $root/.env: run Deploy/init DOMAIN, or bring it back"
secrets=$(setting SECRETS)
secrets=$(cd "$root" && absolute "${secrets:-./secrets}")

database() { say "dbname=$1 user=postgres"; }
in_database() { compose exec -T postgres "$@"; }
volume() { say "$(compose config --format json | jq -r '.name')_$1"; }
images_folder() { docker volume inspect --format '{{.Mountpoint}}' "$(volume images)"; }

key_file() { say "$secrets/$1"; }

own_key() {
  case $1 in
    inventory-*) chown "$inventory:$inventory" "$(key_file "$1")" ;;
    *) chown "$auth:$auth" "$(key_file "$1")" ;;
  esac
}

own_image() {
  chmod 0444 "$1"
  chown "$inventory:$inventory" "$1"
}

require_empty() {
  if docker volume inspect "$(volume postgres)" >/dev/null 2>&1; then
    die "there is an installation already (the volume $(volume postgres)): nothing was changed"
  fi
  mkdir -p -m 0711 "$secrets"
}

open_database() {
  "$here/init" >/dev/null
  # The volumes of all services, and Postgres alone.
  compose up --no-start --quiet-pull >/dev/null 2>&1
  compose up --detach --wait postgres >/dev/null 2>&1
}

close_database() { :; }
