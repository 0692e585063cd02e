# Makes a PostgreSQL cluster in DIR, says "ready" when it answers, keeps it until the process
# WATCHED has ended, then stops it and removes DIR. Runs as the user who owns the cluster.
#
# supervise.sh BIN DIR WATCHED [setting=value …]
set -eu
bin=$1 dir=$2 watched=$3
shift 3

cleanup() {
    "$bin/pg_ctl" -D "$dir/data" stop -m immediate >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

umask 077
mkdir "$dir"
cd "$dir"
# A linguistic collation as the default, on purpose: what sorts bytewise here says so itself.
"$bin/initdb" -D "$dir/data" -U opsflux -A trust -E UTF8 --no-sync \
    --locale-provider=icu --icu-locale=fr --locale=C.UTF-8 >initdb.log 2>&1 || {
    cat initdb.log
    exit 1
}
{
    echo "unix_socket_directories = '$dir'"
    echo "listen_addresses = ''"
    echo "max_connections = 200"
    echo "shared_buffers = 64MB"
    echo "wal_level = minimal"
    echo "max_wal_senders = 0"
    echo "deadlock_timeout = 100ms"
    for setting in "$@"; do
        echo "${setting%%=*} = '${setting#*=}'"
    done
} >>"$dir/data/postgresql.conf"
"$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w start >start.log 2>&1 || {
    cat start.log server.log
    exit 1
}
echo ready
exec >/dev/null 2>&1 </dev/null
tail --pid="$watched" -f /dev/null
