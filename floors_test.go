package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors are the floors of the building, from the top down: a package imports
// only what is below it. CONTRIBUTING.md says what belongs on each.
var floors = [][]string{
	{"nameplate"},
	{"nameplate/graph", "nameplate/web", "nameplate/internal/config"},
	{"nameplate/internal/account"},
	{"nameplate/internal/profile"},
	{"nameplate/internal/audit", "nameplate/internal/throttle"},
	{"nameplate/internal/session"},
	{"nameplate/internal/database", "nameplate/internal/database/newmigration"},
	{"nameplate/ent"},
	{"nameplate/internal/blob/disk", "nameplate/internal/blob/kodo"},
	{
		"nameplate/internal/avatar", "nameplate/internal/blob", "nameplate/internal/clientaddr",
		"nameplate/internal/httplog", "nameplate/internal/idcard", "nameplate/internal/seal", "nameplate/internal/username",
	},
	{"nameplate/internal/icc", "nameplate/internal/turns", "nameplate/internal/vp8l"},
	{"nameplate/internal/fault"},
}

// onlyMain are the packages that the program alone may use: whoever else did would
// no longer work with another store, database or configuration.
var onlyMain = []string{
	"nameplate/internal/config", "nameplate/internal/database",
	"nameplate/internal/blob/disk", "nameplate/internal/blob/kodo", "nameplate/web",
}

// forTests are outside: they may import anything, and only tests them.
var forTests = []string{"nameplate/internal/blob/blobtest", "nameplate/internal/database/databasetest"}

// floor is the number of a package's floor. What ent generates below it stands on
// its floor.
func floor(t *testing.T, path string) (number int, ok bool) {
	t.Helper()
	if strings.HasPrefix(path, "nameplate/ent/") {
		path = "nameplate/ent"
	}
	for i, packages := range floors {
		for _, p := range packages {
			if p == path {
				return len(floors) - i, true
			}
		}
	}
	return 0, false
}

func TestImportsGoDownOnly(t *testing.T) {
	for path, imports := range listImports(t) {
		if slices.Contains(forTests, path) {
			continue
		}
		from, ok := floor(t, path)
		if !ok {
			t.Errorf("%s stands on no floor: add it to the table", path)
		}
		for _, imported := range imports {
			to, ok := floor(t, imported)
			if !ok {
				t.Errorf("%s imports %s, which stands on no floor", path, imported)
			}
			withinEnt := strings.HasPrefix(path, "nameplate/ent") && strings.HasPrefix(imported, "nameplate/ent")
			if to >= from && !withinEnt {
				t.Errorf("%s (floor %d) imports %s (floor %d)", path, from, imported, to)
			}
		}
	}
}

func TestOnlyTheProgramKnowsStoresDatabaseAndConfiguration(t *testing.T) {
	imports := listImports(t)
	for _, path := range onlyMain {
		for importer, imported := range imports {
			for _, i := range imported {
				if i == path && importer != "nameplate" && !slices.Contains(forTests, importer) {
					t.Errorf("%s imports %s", importer, path)
				}
			}
		}
	}
}

// The schema is read by ent's generator, so it must not need what that makes.
func TestTheTablesDoNotNeedGeneratedCode(t *testing.T) {
	for _, imported := range listImports(t)["nameplate/ent/schema"] {
		if strings.HasPrefix(imported, "nameplate/ent") {
			t.Errorf("ent/schema imports %s", imported)
		}
	}
}

// listImports returns the module's own imports of each package.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		imports[paths[0]] = nil
		for _, path := range paths[1:] {
			if strings.HasPrefix(path, "nameplate") {
				imports[paths[0]] = append(imports[paths[0]], path)
			}
		}
	}
	return imports
}
