package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// detection are the cases in which other clients publish a wrong address, or
// nothing, or too often: what is given, what is wanted, and the tests that
// hold it. "PACKAGE.Test" is in another package's folder below the module's.
var detection = []struct{ given, wanted, tests string }{
	1:  {"no address, no state", "no request; the status says that there is none", "TestNoAddress"},
	2:  {"the same at a provider where an empty address deletes", "no request; what the name has stays", "TestNothingIsDeletedWithoutAnAddress"},
	3:  {"IPv6 wanted, IPv4 alone there", "IPv4 is published, IPv6 waits without an error", "TestBothFamilies"},
	4:  {"a private address alone", "not published; the note says private, and what else there is", "TestNeverPublished TestAllowPrivate ddns/address.TestWhatIsPublished"},
	5:  {"a CGNAT address alone", "as before; the note says CGNAT", "TestNeverPublished ddns/address.TestWhatIsPublished"},
	6:  {"a private address first, a public one second", "the public one", "TestPublicBesidePrivate"},
	7:  {"IPv4 and a unique local address", "IPv4 alone", "TestBothFamilies TestNeverPublished"},
	8:  {"IPv4 and a global IPv6 address", "both", "TestBothFamilies"},
	9:  {"a deprecated prefix and a new one", "the new one at once; that the old one leaves sends nothing", "TestSLAACRenumbering TestNeverPublished"},
	10: {"a temporary and a stable address", "the stable one; prefer_temporary = true selects the other", "TestSLAACRenumbering TestTemporaryAddressIsSelectable ddns/address.TestTemporaryAddressesFollowOneAnother"},
	11: {"a tentative or duplicate address", "waited for, or never published", "TestTentativeAndDuplicate"},
	12: {"the address goes and comes back", "no request", "TestSameAddressBack ddns/publish.TestRemovalAndReturnSendNothing"},
	13: {"A, B, A within two seconds", "ends at A. Each is sent once at most: a first change is not delayed, so that B may have gone out", "TestThereAndBack ddns/publish.TestThereAndBackWithinTwoSeconds"},
	14: {"a hundred events in a second", "two requests at most", "TestHundredEvents"},
	15: {"a new address while the link is down", "waits for the carrier", "TestCarrierAndDown"},
	16: {"another interface's address changes", "no request", "TestOtherInterface"},
	17: {"the netlink socket overruns", "everything is read again, nothing is lost", "netwatch.TestOverrun"},
	18: {"the interface is made anew, with another index", "followed by its name", "TestInterfaceDeletedAndMadeAgain TestDial"},
	19: {"an echo service answers with a web page, the other family, 0.0.0.0", "refused; the next ones are asked", "TestEchoPassesOverWhatIsNoAnswer TestOwnEchoService ddns/echo.TestFind"},
	20: {"a captive portal", "https alone, unless allowed; two operators must agree", "TestCaptivePortalIsNotBelieved ddns/echo.TestTwoMustAgree ddns/echo.TestBuiltinServices"},
}

// Each case has its tests, and those of this package name it.
func TestDetectionCasesHaveTests(t *testing.T) {
	const module = "../../.."
	sources := map[string]string{}
	in := func(folder string) string {
		if _, read := sources[folder]; !read {
			names, _ := filepath.Glob(filepath.Join(module, folder, "*_test.go"))
			for _, name := range names {
				if filepath.Base(name) == "cases_test.go" {
					continue
				}
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				sources[folder] += string(text)
			}
		}
		return sources[folder]
	}
	const here = "ddns/internal/e2e"
	for n, c := range detection[1:] {
		name := "D" + strconv.Itoa(n+1)
		if c.given == "" || c.wanted == "" || c.tests == "" {
			t.Errorf("%s is not filled in: %+v", name, c)
		}
		for _, test := range strings.Fields(c.tests) {
			folder, function, elsewhere := strings.Cut(test, ".")
			if !elsewhere {
				folder, function = here, test
			}
			if !strings.Contains(in(folder), "\nfunc "+function+"(t *testing.T)") {
				t.Errorf("%s: %s has no %s", name, folder, function)
			}
		}
		if !regexp.MustCompile(`//.*\b` + name + `\b`).MatchString(in(here) + in("netwatch")) {
			t.Errorf("%s: no test names it", name)
		}
	}
	if len(detection) != 21 {
		t.Errorf("%d cases", len(detection)-1)
	}
}
