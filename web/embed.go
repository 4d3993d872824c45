// Package web holds the pages that the server serves to browsers. `npm run build`
// makes them; a server built without them works, and says so in their place.
package web

import "embed"

//go:embed all:dist
var dist embed.FS

//go:embed missing.html
var missing []byte
