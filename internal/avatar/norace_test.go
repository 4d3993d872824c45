//go:build !race

package avatar

// raceEnabled says that the race detector watches.
const raceEnabled = false
