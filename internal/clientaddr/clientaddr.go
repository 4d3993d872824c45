// Package clientaddr tells from where a request comes, also behind proxies.
package clientaddr

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// Network is what one client has: its address, or in IPv6 the 64 bits in front (RFC 6177,
// section 2). It takes an address with a port, as http.Request and net.Conn have it; of
// anything else it is the zero Prefix.
func Network(addrPort string) netip.Prefix {
	parsed, err := netip.ParseAddrPort(addrPort)
	if err != nil {
		return netip.Prefix{}
	}
	addr := parsed.Addr().Unmap()
	prefix, _ := addr.Prefix(min(addr.BitLen(), 64)) // within the address, so no error
	return prefix
}

// Proxies are the networks of proxies that are believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses, such as 127.0.0.1, and networks, such as 10.0.0.0/8.
func ParseProxies(list []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || prefix.Addr().Is4In6() { // of such a network, the one in IPv4 is meant
			return nil, fmt.Errorf("%q is neither an address nor a network", text)
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

// Has is whether an address, with a port, is a proxy's.
func (p Proxies) Has(addrPort string) bool {
	parsed, err := netip.ParseAddrPort(addrPort)
	return err == nil && p.has(parsed.Addr())
}

func (p Proxies) has(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

const forwardedFor = "X-Forwarded-For"

// Middleware makes a request's RemoteAddr that of the client where these proxies have
// passed it on. Each has put behind X-Forwarded-For from whom it got the request, so
// going back, the first that is no proxy is the client; where all are, the one in front.
// What no proxy has put there can be anything.
//
// Where none are named, it logs once that a request has come by one: then all its clients
// share an address, which an operator should know.
func (p Proxies) Middleware(log *slog.Logger, next http.Handler) http.Handler {
	warn := sync.OnceFunc(func() {
		log.Warn("a request has X-Forwarded-For, which is not believed: if a proxy sends it, name that in NAMEPLATE_TRUSTED_PROXIES")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops := r.Header.Values(forwardedFor)
		if len(p) == 0 && len(hops) > 0 {
			warn()
		}
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && p.has(peer.Addr()) {
			client := p.client(peer.Addr(), strings.Join(hops, ","))
			r.RemoteAddr = netip.AddrPortFrom(client.Unmap(), 0).String()
		}
		next.ServeHTTP(w, r)
	})
}

// client goes back through the addresses for as long as proxies have put them there.
func (p Proxies) client(peer netip.Addr, hops string) netip.Addr {
	client := peer
	for p.has(client) && hops != "" {
		i := strings.LastIndexByte(hops, ',')
		addr, ok := parseHop(strings.TrimSpace(hops[i+1:]))
		if !ok {
			break
		}
		client, hops = addr, hops[:max(i, 0)]
	}
	return client
}

// parseHop reads an address, which some proxies write with a port.
func parseHop(text string) (netip.Addr, bool) {
	if addrPort, err := netip.ParseAddrPort(text); err == nil {
		return addrPort.Addr(), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(text)
	return addr, err == nil
}
