# shellcheck shell=bash
# Where the stack of `make up` has its database, images and keys, for Deploy/backup. Sourced, never run.

keys=(token-keys auth-seal-key inventory-seal-key admin-password admin-email)
start_command="make up"

database() { say "$(<"$state/postgres/connection") dbname=$1"; }
in_database() { "$@"; }
images_folder() { say "$state/images"; }

key_file() {
  case $1 in
    inventory-seal-key) say "$state/secrets/seal-key" ;;
    admin-email) say "$state/admin-email" ;;
    *) say "$state/secrets/$1" ;;
  esac
}

# All of it belongs to whoever runs the stack.
own_key() { :; }
own_image() { chmod 0444 "$1"; }

unfinished() { say "$state/.restoring"; }
require_empty() { [[ ! -e $state/postgres ]] || die "there is an installation in $state: nothing was changed"; }
prepare_site() { IAAS_STATE=$state "$here/stack" prepare; }

open_database() { IAAS_STATE=$state "$here/stack" database; }
close_database() { IAAS_STATE=$state "$here/private-postgres" stop "$state/postgres"; }
