package graph

import (
	"net/http"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/time/rate"

	"nameplate/internal/clientaddr"
)

const (
	// burst is how many seconds' worth of requests may come at once.
	burst = 10
	// rememberedAddresses bounds the memory: an address that is forgotten may begin
	// again.
	rememberedAddresses = 10_000
)

// LimitRate refuses requests from an address, or a network of IPv6, that sends more than
// perSecond.
func LimitRate(perSecond int, next http.Handler) http.Handler {
	limiters, err := lru.New[netip.Prefix, *rate.Limiter](rememberedAddresses)
	if err != nil {
		panic(err) // only a size below 1 fails
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := clientaddr.Network(r.RemoteAddr)
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
			refuse(w, r, later(&gqlerror.Error{}, codeRateLimited, tooOften, time.Second))
			return
		}
		next.ServeHTTP(w, r)
	})
}
