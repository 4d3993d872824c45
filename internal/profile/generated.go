package profile

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"nameplate/internal/avatar"
)

// GeneratedPattern is where ServeGenerated stands, for http.ServeMux. The number
// is the version of the drawing: a picture is cached for ever, so another
// drawing needs another address.
const GeneratedPattern = "GET /avatars/generated/1/{user}/{file}"

func generatedPath(userID uuid.UUID, size int) string {
	sizes := avatar.Sizes()
	side := avatar.SideFor(size, sizes[len(sizes)-1])
	return fmt.Sprintf("/avatars/generated/1/%s/%d.png", userID, side)
}

// ServeGenerated draws the picture of a user who has none, from the id alone; it
// doesn't say whether there is such a user.
func ServeGenerated(w http.ResponseWriter, r *http.Request) {
	userID, err := uuid.Parse(r.PathValue("user"))
	side, sideErr := strconv.Atoi(strings.TrimSuffix(r.PathValue("file"), ".png"))
	if err != nil || sideErr != nil || !slices.Contains(avatar.Sizes(), side) ||
		r.URL.Path != generatedPath(userID, side) {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "image/png")
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(avatar.Generate(userID[:], side)) // a client that has left is no error
}
