//go:build race

package avatar

func init() { raceEnabled = true }
