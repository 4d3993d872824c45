package graph

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// rulesThatQuoteNames are the validation rules whose messages have of the query
// only names, each in quotation marks.
var rulesThatQuoteNames = []string{
	"FieldsOnCorrectType",
	"FragmentsOnCompositeTypes",
	"KnownArgumentNames",
	"KnownDirectives",
	"KnownFragmentNames",
	"KnownRootType",
	"KnownTypeNames",
	"LoneAnonymousOperation",
	"MaxIntrospectionDepth",
	"NoFragmentCycles",
	"NoUndefinedVariables",
	"NoUnusedFragments",
	"NoUnusedVariables",
	"PossibleFragmentSpreads",
	"ProvidedRequiredArguments",
	"ScalarLeafs",
	"UniqueArgumentNames",
	"UniqueDirectivesPerLocation",
	"UniqueFragmentNames",
	"UniqueInputFieldNames",
	"UniqueOperationNames",
	"UniqueVariableNames",
	"VariablesAreInputTypes",
	"VariablesInAllowedPosition",
	ruleNoIntrospection,
	ruleNumbersFit,
	ruleNoEmptyObjects,
}

// ruleMessage words the breach of a validation rule.
func (p *presenter) ruleMessage(err *gqlerror.Error) string {
	message, _, _ := strings.Cut(err.Message, " Did you mean")
	switch {
	case err.Rule == "ValuesOfCorrectType":
		return p.valueMessage(message)
	case slices.Contains(rulesThatQuoteNames, err.Rule):
		return p.redact(message)
	}
	return "The query breaks the rule " + err.Rule + "."
}

// wantedType finds the type in a message about a value, which comes after it.
var wantedType = regexp.MustCompile(`^(?:Enum |Expected value of type )?"?([\w\[\]!]+)"?(?: cannot represent|, found)`)

func (p *presenter) valueMessage(message string) string {
	if strings.HasPrefix(message, "Field ") { // one that is missing or unknown: names only
		return p.redact(message)
	}
	if match := wantedType.FindStringSubmatch(message); match != nil {
		return p.redact(`Expected a value of type "` + match[1] + `".`)
	}
	return "A value has the wrong type."
}

// presentVariableError names the variable and, of its inside, what the schema names.
// Its location makes up for a name that was redacted.
func (p *presenter) presentVariableError(ctx context.Context, out, err *gqlerror.Error) *gqlerror.Error {
	path, reason := err.Path[1:], "has a value of the wrong type"
	switch err.Message {
	case "must be defined", "cannot be null":
		reason = err.Message
	case "unknown field":
		// The field's own name is a key of JSON, which can be any text.
		path, reason = path[:len(path)-1], "has an unknown field"
	}
	for _, v := range graphql.GetOperationContext(ctx).Operation.VariableDefinitions {
		if path[0] == ast.PathName(v.Variable) {
			out.Locations = []gqlerror.Location{location(v.Position)}
		}
	}
	return withCode(out, codeValidationFailed, p.redact(`The variable "`+path.String()+`" `+reason+"."))
}

var (
	quotation = regexp.MustCompile(`"[^"]*"`)
	word      = regexp.MustCompile(`\w+`)
)

// redact leaves of the names that a message has in quotation marks those of the
// schema.
func (p *presenter) redact(message string) string {
	return quotation.ReplaceAllStringFunc(message, func(quoted string) string {
		return word.ReplaceAllStringFunc(quoted, func(name string) string {
			if p.names[name] {
				return name
			}
			return "…"
		})
	})
}

func location(at *ast.Position) gqlerror.Location {
	return gqlerror.Location{Line: at.Line, Column: at.Column}
}

// namesOf are all names in the schema, and those of the kinds of operations.
func namesOf(schema *ast.Schema) map[string]bool {
	names := map[string]bool{"query": true, "mutation": true, "subscription": true}
	addArguments := func(arguments ast.ArgumentDefinitionList) {
		for _, argument := range arguments {
			names[argument.Name] = true
		}
	}
	for _, directive := range schema.Directives {
		names[directive.Name] = true
		addArguments(directive.Arguments)
	}
	for _, definition := range schema.Types {
		names[definition.Name] = true
		for _, field := range definition.Fields {
			names[field.Name] = true
			addArguments(field.Arguments)
		}
		for _, value := range definition.EnumValues {
			names[value.Name] = true
		}
	}
	return names
}
