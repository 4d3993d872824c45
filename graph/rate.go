package graph

import (
	"net/http"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/time/rate"
)

const (
	// burst is how many seconds' worth of requests may come at once.
	burst = 10
	// rememberedAddresses bounds the memory: an address that is forgotten may begin
	// again.
	rememberedAddresses = 10_000
)

// LimitRate refuses requests from an address that sends more than perSecond, which
// stands for a network where it is of IPv6.
func LimitRate(perSecond int, next http.Handler) (http.Handler, error) {
	limiters, err := lru.New[netip.Prefix, *rate.Limiter](rememberedAddresses)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := network(r.RemoteAddr)
		limiter, known := limiters.Get(from)
		if !known {
			limiter = rate.NewLimiter(rate.Limit(perSecond), burst*perSecond)
			if before, found, _ := limiters.PeekOrAdd(from, limiter); found {
				limiter = before
			}
		}
		if !limiter.Allow() {
			// A request is due after at most a second.
			w.Header().Set("Retry-After", "1")
			refuse(w, later(&gqlerror.Error{}, codeRateLimited, tooOften, time.Second))
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}

// network is what one client has: an address, or in IPv6 the 64 bits in front (RFC
// 6177, section 2).
func network(remoteAddr string) netip.Prefix {
	addr, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	ip := addr.Addr().Unmap()
	prefix, _ := ip.Prefix(min(ip.BitLen(), 64)) // within the address, so no error
	return prefix
}
