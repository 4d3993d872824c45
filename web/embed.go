// Package web holds the pages that the server serves to browsers. `npm run build` makes
// the playground; a server built without it works, and says so in its place.
package web

import "embed"

//go:embed all:dist
var dist embed.FS

//go:embed missing.html
var missing []byte

//go:embed resetpassword
var resetPassword embed.FS
