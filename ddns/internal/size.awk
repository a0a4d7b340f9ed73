# Reads `go tool nm -size` and adds the sizes up by the package they belong to.
function group(s) {
	if (s ~ /github.com\/wanbeacon\/wanbeacon|^main\./) return "wanbeacon itself"
	if (s ~ /github.com\/BurntSushi\/toml/) return "BurntSushi/toml"
	if (s ~ /github.com\/vishvananda\//) return "vishvananda/netlink"
	if (s ~ /golang.org\/x\/sys/) return "x/sys"
	if (s ~ /(^|[^a-z])(crypto|vendor\/golang.org\/x\/crypto)[\/.]/) return "crypto (TLS)"
	if (s ~ /encoding\/json/) return "encoding/json"
	if (s ~ /(^|[^a-z\/])net[\/.]|golang.org\/x\/net/) return "net"
	if (s ~ /(^|[^a-z\/])(runtime|internal\/runtime)[\/.]/) return "runtime"
	if (s ~ /(^|[^a-z\/])(unicode|vendor\/golang.org\/x\/text)[\/.]/) return "unicode"
	return "rest of the standard library"
}
# What is only reserved (the runtime's zeroed memory) is not in the file.
$3 ~ /^[A-Za-z]$/ && $3 !~ /^[UbB]$/ && $2 < 4194304 {
	name = $4; for (i = 5; i <= NF; i++) name = name " " $i
	bytes[group(name)] += $2; total += $2
}
END {
	for (g in bytes) printf "%9d  %s\n", bytes[g], g | "sort -rn"
	close("sort -rn")
	printf "%9d  %s\n", total, "total"
}
