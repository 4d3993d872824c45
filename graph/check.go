package graph

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// aloneMutations are those that take a password or a code. Under aliases, one request would be
// many guesses.
var aloneMutations = []string{
	"signUp", "signIn", "resetPassword", "reauthenticate", "changePassword", "createRecoveryCodes", "deleteAccount",
}

// check refuses a query that asks for more than the limits allow. It takes time in
// proportion to the query's text, whatever its fragments multiply to, because each
// fragment is counted once. The validation takes longer, so it comes after this.
func (l *RequestLimits) check(doc *ast.QueryDocument) error {
	err := firstExceeded(
		bound{len(doc.Operations), l.MaxOperations, "The query has more than %d operations."},
		bound{len(doc.Fragments), l.MaxFragments, "The query has more than %d fragments."},
	)
	if err != nil {
		return err
	}
	c := counter{doc: doc, fragments: map[*ast.FragmentDefinition]*cost{}}
	for _, fragment := range doc.Fragments {
		if err := l.checkSizes(c.fragment(fragment)); err != nil {
			return err
		}
	}
	for _, operation := range doc.Operations {
		if err := l.checkOperation(operation, c.operation(operation)); err != nil {
			return err
		}
	}
	return c.err
}

// checkSizes is for fragments too: also one that no operation spreads is validated.
func (l *RequestLimits) checkSizes(c cost) error {
	return firstExceeded(
		bound{c.fields, l.MaxFields, "The query selects more than %d fields."},
		bound{c.introspection, l.MaxFields, "The query selects more than %d fields of the schema."},
		bound{c.aliases, l.MaxAliases, "The query has more than %d aliases."},
		bound{c.directives, l.MaxDirectives, "The query has more than %d directives."},
	)
}

func (l *RequestLimits) checkOperation(operation *ast.OperationDefinition, c cost) error {
	roots := bound{c.roots, l.MaxQueryRoots, "A query may have at most %d fields at its root."}
	if operation.Operation == ast.Mutation {
		if c.alone != "" && c.roots > 1 {
			return &codedError{codeTooComplex, c.alone + " must be the only field of its mutation."}
		}
		roots = bound{c.roots, l.MaxMutationRoots, "A mutation may have at most %d fields at its root."}
	}
	if err := l.checkSizes(c); err != nil {
		return err
	}
	return firstExceeded(
		bound{len(operation.VariableDefinitions), l.MaxVariables, "An operation has more than %d variables."},
		bound{c.depth, l.MaxDepth, "The query is more than %d fields deep."},
		roots,
	)
}

// bound is a limit and what is held to it.
type bound struct {
	have, limit int
	message     string
}

func firstExceeded(bounds ...bound) error {
	for _, b := range bounds {
		if b.have > b.limit {
			return &codedError{codeTooComplex, fmt.Sprintf(b.message, b.limit)}
		}
	}
	return nil
}

// cost is what a set of selections asks for, with its fragments followed.
type cost struct {
	depth int
	// fields are those outside of introspection.
	fields, introspection, aliases, directives int
	// roots are the fields of the set itself, and alone is one of them that must be
	// the only one.
	roots int
	alone string
}

// maxCount is where counting stops: 20 fragments that spread one another can be more
// fields than an int can hold. It is above every limit.
const maxCount = 1<<30 - 1

func sum(a, b int) int { return min(a+b, maxCount) }

// add puts b beside c.
func (c *cost) add(b cost) {
	c.depth = max(c.depth, b.depth)
	c.fields = sum(c.fields, b.fields)
	c.introspection = sum(c.introspection, b.introspection)
	c.aliases = sum(c.aliases, b.aliases)
	c.directives = sum(c.directives, b.directives)
	c.roots = sum(c.roots, b.roots)
	if c.alone == "" {
		c.alone = b.alone
	}
}

// counter counts a document.
type counter struct {
	doc *ast.QueryDocument
	// fragments are those that were counted already, and with nil those being counted.
	fragments map[*ast.FragmentDefinition]*cost
	// err is what no count can tell.
	err error
}

func (c *counter) operation(operation *ast.OperationDefinition) cost {
	total := c.selections(operation.SelectionSet)
	directives := len(operation.Directives)
	for _, variable := range operation.VariableDefinitions {
		directives += len(variable.Directives)
	}
	total.add(cost{directives: directives})
	return total
}

func (c *counter) fragment(fragment *ast.FragmentDefinition) cost {
	known, begun := c.fragments[fragment]
	switch {
	case known != nil:
		return *known
	case begun:
		c.err = &codedError{codeValidationFailed, "A fragment spreads itself."}
		return cost{}
	}
	c.fragments[fragment] = nil
	total := c.selections(fragment.SelectionSet)
	total.add(cost{directives: len(fragment.Directives)})
	c.fragments[fragment] = &total
	return total
}

func (c *counter) selections(set ast.SelectionSet) cost {
	var total cost
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			total.add(c.field(selection))
		case *ast.InlineFragment:
			total.add(c.selections(selection.SelectionSet))
			total.add(cost{directives: len(selection.Directives)})
		case *ast.FragmentSpread:
			if fragment := c.doc.Fragments.ForName(selection.Name); fragment != nil {
				total.add(c.fragment(fragment))
			}
			total.add(cost{directives: len(selection.Directives)})
		}
	}
	return total
}

func (c *counter) field(field *ast.Field) cost {
	total := c.selections(field.SelectionSet)
	total.depth++
	total.fields = sum(total.fields, 1)
	total.directives = sum(total.directives, len(field.Directives))
	total.roots, total.alone = 1, ""
	if slices.Contains(aloneMutations, field.Name) {
		total.alone = field.Name
	}
	aliasesBelow := total.aliases
	if field.Alias != field.Name {
		total.aliases = sum(total.aliases, 1)
		if len(field.Alias) > maxAliasLength {
			c.err = &codedError{codeTooComplex, fmt.Sprintf("An alias has more than %d characters.", maxAliasLength)}
		}
	}
	if field.Name == "__schema" || field.Name == "__type" {
		total.introspection = sum(total.introspection, total.fields)
		total.depth, total.fields = 1, 0
		// Each would be all of the schema once more. Of __type it is another type.
		if aliasesBelow > 0 || field.Name == "__schema" && total.aliases > 0 {
			c.err = &codedError{codeTooComplex, "Neither __schema nor a field of the schema may have an alias."}
		}
	}
	return total
}
