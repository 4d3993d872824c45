package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// fieldsMerge is GraphQL's rule that what has one name in the response must be one field
// (specification, section 5.3.2), in time linear in the fields with fragments followed,
// whose number check has bounded. gqlparser compares every pair of fields, and once more
// for every fragment around them. Here each is compared with the first of its name, which
// is as good where all fields of a set are of one type, and so as long as the schema has
// no interface and no union.
func fieldsMerge(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(walker *core.Walker, operation *ast.OperationDefinition) {
		m := merger{walker.Document.Fragments}
		if field := m.conflict([]ast.SelectionSet{operation.SelectionSet}); field != nil {
			addError(core.Message("Fields of one name differ."), core.At(field.Position))
		}
	})
}

type merger struct{ fragments ast.FragmentDefinitionList }

// merged is the fields of one name: the first, and what is selected in each of them.
type merged struct {
	first *ast.Field
	below []ast.SelectionSet
}

// conflict returns a field of the sets, taken as one, that differs from another of its
// name; nil where there is none.
func (m *merger) conflict(sets []ast.SelectionSet) *ast.Field {
	byName, names, spread := map[string]*merged{}, []string{}, map[string]bool{}
	var collect func(ast.SelectionSet) *ast.Field
	collect = func(set ast.SelectionSet) *ast.Field {
		for _, selection := range set {
			var inner ast.SelectionSet
			switch s := selection.(type) {
			case *ast.Field:
				known := byName[s.Alias]
				if known == nil {
					known = &merged{first: s}
					byName[s.Alias], names = known, append(names, s.Alias)
				}
				if s.Name != known.first.Name || !sameArguments(s.Arguments, known.first.Arguments) {
					return s
				}
				known.below = append(known.below, s.SelectionSet)
			case *ast.InlineFragment:
				inner = s.SelectionSet
			case *ast.FragmentSpread:
				if f := m.fragments.ForName(s.Name); f != nil && !spread[s.Name] {
					spread[s.Name] = true
					inner = f.SelectionSet
				}
			}
			if field := collect(inner); field != nil {
				return field
			}
		}
		return nil
	}
	for _, set := range sets {
		if field := collect(set); field != nil {
			return field
		}
	}
	for _, name := range names {
		if field := m.conflict(byName[name].below); field != nil {
			return field
		}
	}
	return nil
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, argument := range a {
		other := b.ForName(argument.Name)
		if other == nil || !sameValue(argument.Value, other.Value) {
			return false
		}
	}
	return true
}

// sameValue compares the fields of an object in any order.
func sameValue(a, b *ast.Value) bool {
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	for i, child := range a.Children {
		other := b.Children[i].Value
		if a.Kind == ast.ObjectValue {
			other = b.Children.ForName(child.Name)
		}
		if other == nil || !sameValue(child.Value, other) {
			return false
		}
	}
	return true
}
