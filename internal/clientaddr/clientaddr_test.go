package clientaddr

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestAClientHasAnAddressOrInIPv6ANetwork(t *testing.T) {
	for addrPort, want := range map[string]string{
		"192.0.2.1:1":              "192.0.2.1/32",
		"[::ffff:192.0.2.1]:1":     "192.0.2.1/32",
		"[2001:db8::1]:1":          "2001:db8::/64",
		"[2001:db8::ffff:1]:2":     "2001:db8::/64",
		"[2001:db8:0:1::1]:1":      "2001:db8:0:1::/64",
		"[fe80::1%eth0]:1":         "fe80::/64",
		"@":                        "invalid Prefix", // a socket of another kind
		"pipe":                     "invalid Prefix",
		"192.0.2.1":                "invalid Prefix",
		"localhost:8080":           "invalid Prefix",
		"192.0.2.1:1, 192.0.2.2:1": "invalid Prefix",
	} {
		if got := Network(addrPort).String(); got != want {
			t.Errorf("%s: %s, want %s", addrPort, got, want)
		}
	}
}

func TestProxiesAreAddressesOrNetworks(t *testing.T) {
	proxies, err := ParseProxies([]string{"127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "::ffff:192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{
		"127.0.0.1": true, "::ffff:127.0.0.1": true, "127.0.0.2": false,
		"192.0.2.1": true, "::ffff:192.0.2.1": true, "192.0.2.2": false,
		"10.255.0.1": true, "11.0.0.1": false,
		"::1": true, "::1%lo": true, "::2": false,
		"2001:db8:ffff::1": true, "2001:db9::1": false,
	} {
		if got := proxies.Has(net.JoinHostPort(addr, "80")); got != want {
			t.Errorf("%s: %t, want %t", addr, got, want)
		}
	}
	if proxies.Has("@") || proxies.Has("127.0.0.1") {
		t.Error("what is no address with a port is a proxy's")
	}
	for _, wrong := range []string{"", "proxy.example.com", "10.0.0.0/33", "10.0.0", "127.0.0.1:80", "fe80::1%eth0", " 127.0.0.1", "*", "::ffff:10.0.0.0/104"} {
		if _, err := ParseProxies([]string{"127.0.0.1", wrong}); err == nil || !strings.Contains(err.Error(), `"`+wrong+`"`) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestTheClientIsTheFirstAddressBackThatIsNoProxys(t *testing.T) {
	const peer = "127.0.0.1:50000"
	for _, test := range []struct {
		trusted, peer, want string
		hops                []string // of one header each
	}{
		{"", peer, "127.0.0.1:50000", []string{"192.0.2.1"}}, // anybody can claim to be another
		{"10.0.0.0/8", peer, "127.0.0.1:50000", []string{"192.0.2.1"}},
		{"127.0.0.1", peer, "192.0.2.1:0", []string{"192.0.2.1"}},
		{"127.0.0.1", peer, "127.0.0.1:0", nil}, // the proxy itself asks
		{"127.0.0.1", peer, "127.0.0.1:0", []string{""}},
		{"127.0.0.1", peer, "192.0.2.1:0", []string{"192.0.2.9, 192.0.2.1"}}, // the first is what the client claims
		{"127.0.0.1", peer, "192.0.2.1:0", []string{"192.0.2.9", "192.0.2.1"}},
		{"127.0.0.1,10.0.0.1", peer, "192.0.2.1:0", []string{"192.0.2.1, 10.0.0.1"}},
		{"127.0.0.1,10.0.0.1", peer, "192.0.2.1:0", []string{"192.0.2.1,10.0.0.1"}},
		{"127.0.0.1", peer, "10.0.0.1:0", []string{"192.0.2.1, 10.0.0.1"}},
		// On an intranet the clients are of the proxies' network.
		{"127.0.0.1,10.0.0.0/8", peer, "10.1.1.1:0", []string{"10.1.1.1"}},
		{"127.0.0.1,10.0.0.0/8", peer, "10.1.1.1:0", []string{"10.1.1.1, 10.0.0.1"}},
		{"127.0.0.1,10.0.0.0/8", peer, "192.0.2.1:0", []string{"10.1.1.1, 192.0.2.1, 10.0.0.1"}},
		// Behind what is none, nothing is known.
		{"127.0.0.1", peer, "127.0.0.1:0", []string{"nonsense"}},
		{"127.0.0.1,10.0.0.1", peer, "10.0.0.1:0", []string{"192.0.2.1, nonsense, 10.0.0.1"}},
		{"127.0.0.1", peer, "192.0.2.1:0", []string{"nonsense, 192.0.2.1"}},
		{"127.0.0.1", peer, "127.0.0.1:0", []string{"192.0.2.1, "}},
		{"127.0.0.1", peer, "127.0.0.1:0", []string{"]192.0.2.1["}},
		// As some proxies write them.
		{"127.0.0.1", peer, "192.0.2.1:0", []string{"192.0.2.1:4711"}},
		{"127.0.0.1", peer, "192.0.2.1:0", []string{"::ffff:192.0.2.1"}},
		{"127.0.0.1", peer, "[2001:db8::1]:0", []string{"2001:db8::1"}},
		{"127.0.0.1", peer, "[2001:db8::1]:0", []string{"[2001:db8::1]"}},
		{"127.0.0.1", peer, "[2001:db8::1]:0", []string{"[2001:db8::1]:4711"}},
		{"::1", "[::1]:50000", "192.0.2.1:0", []string{"192.0.2.1"}},
		{"127.0.0.1", "[::ffff:127.0.0.1]:50000", "192.0.2.1:0", []string{"192.0.2.1"}},
		{"127.0.0.1", "@", "@", []string{"192.0.2.1"}},
	} {
		var list []string
		if test.trusted != "" {
			list = strings.Split(test.trusted, ",")
		}
		proxies, err := ParseProxies(list)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		handler := proxies.Middleware(slog.New(slog.DiscardHandler), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = r.RemoteAddr
		}))
		r := httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = test.peer, test.hops
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestAProxyThatIsNotNamedIsToldOfOnce(t *testing.T) {
	for trusted, want := range map[string]int{"": 1, "127.0.0.1": 0} {
		var proxies Proxies
		if trusted != "" {
			proxies = Proxies{netip.MustParsePrefix(trusted + "/32")}
		}
		var log bytes.Buffer
		handler := proxies.Middleware(slog.New(slog.NewTextHandler(&log, nil)), http.NotFoundHandler())
		for _, hop := range []string{"", "192.0.2.1", "192.0.2.2"} {
			r := httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody)
			if hop != "" {
				r.Header.Set("X-Forwarded-For", hop)
			}
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		if got := strings.Count(log.String(), "NAMEPLATE_TRUSTED_PROXIES"); got != want || strings.Contains(log.String(), "192.0.2") {
			t.Errorf("%q: told %d times, want %d: %s", trusted, got, want, &log)
		}
	}
}

func FuzzForwardedFor(f *testing.F) {
	for _, hops := range []string{"", "192.0.2.1", "10.1.1.1, 10.0.0.1", "[2001:db8::1]:1,", "nonsense,127.0.0.1", ",,,", "fe80::1%eth0"} {
		f.Add(hops)
	}
	proxies := Proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, hops string) {
		client := proxies.client(netip.MustParseAddr("127.0.0.1"), hops)
		if !client.IsValid() {
			t.Errorf("%q: no address", hops)
		}
		// What a client puts in front of its own address changes nothing.
		const own = "192.0.2.1"
		if got := proxies.client(netip.MustParseAddr("127.0.0.1"), hops+","+own); got.String() != own {
			t.Errorf("%q, %s: %s", hops, own, got)
		}
	})
}
