# shellcheck shell=bash
# Where the stack of compose.yml has its database, images and keys, for Deploy/backup. Sourced, never run.

keys=(token-keys auth-seal-key inventory-seal-key admin-password)
start_command="docker compose up -d"

# The accounts in the containers.
readonly auth=10002 inventory=10003

compose() { docker compose --project-directory "$root" "$@"; }
setting() { sed -n "s/^$1=//p" "$root/.env" 2>/dev/null | tail -n 1; }

command -v jq >/dev/null || die "this needs jq: apt-get install jq"
[[ -e $root/.env ]] || die "there is no $root/.env: run Deploy/init DOMAIN, or bring it back"
secrets=$(setting SECRETS)
secrets=$(cd "$root" && absolute "${secrets:-./secrets}")
docker info >/dev/null || die "Docker does not answer: nothing was changed"
project=$(compose config --format json | jq --exit-status --raw-output .name) || die "compose.yml cannot be read: nothing was changed"

database() { say "dbname=$1 user=postgres"; }
in_database() { compose exec -T postgres "$@"; }
volume() { say "${project}_$1"; }
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

unfinished() { say "$secrets/.restoring"; }

require_empty() {
  if docker volume inspect "$(volume postgres)" >/dev/null 2>&1; then
    die "there is an installation already (the volume $(volume postgres)): nothing was changed"
  fi
}

prepare_site() { "$here/init" >/dev/null; }

open_database() {
  # The volumes of all services, and Postgres alone.
  loudly_failing compose up --no-start --quiet-pull
  loudly_failing compose up --detach --wait postgres
}

# COMMAND…: what it says is shown when it fails.
loudly_failing() {
  local said
  said=$("$@" 2>&1) || {
    warn "$said"
    return 1
  }
}

close_database() { :; }
