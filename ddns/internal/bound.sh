#!/bin/sh
# bound.sh BINARY BYTES: fails when a router's binary is larger, gzip -9, or has
# code that must not be there. Names of functions are in stripped binaries too.
set -eu
size=$(gzip -9n <"$1" | wc -c)
echo "$1: $size bytes gzip -9, of $2"
bad=0
for name in 'net.(*Resolver)' 'net.(*Dialer)' 'net/http.(*' 'encoding/json.structEncoder' 'encoding/json.(*decodeState)' \
	'os/exec.(*Cmd)' 'text/template.(*' 'regexp.(*Regexp)' 'log/slog.(*' 'fmt.(*ss)' 'flag.(*FlagSet)' 'text/tabwriter.(*'; do
	! grep -aqF "$name" "$1" || { echo "it has $name: see docs/design.md, Sizes" >&2; bad=1; }
done
[ "$size" -le "$2" ] || { echo "$((size - $2)) bytes too many: \`make size\` shows what costs how much" >&2; bad=1; }
exit $bad
