package graph

import (
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// The names of our own validation rules.
const (
	ruleNoIntrospection = "NoIntrospection"
	ruleNumbersFit      = "NumbersFit"
	ruleNoEmptyObjects  = "NoEmptyObjects"
)

// validationRules are GraphQL's, without suggestions, and our own.
func validationRules(introspection bool) *rules.Rules {
	all := rules.NewDefaultRules()
	all.ReplaceRule(rules.FieldsOnCorrectTypeRule.Name, rules.FieldsOnCorrectTypeRuleWithoutSuggestions.RuleFunc)
	all.ReplaceRule(rules.ScalarLeafsRule.Name, rules.ScalarLeafsRuleWithoutSuggestions.RuleFunc)
	all.ReplaceRule(rules.OverlappingFieldsCanBeMergedRule.Name, fieldsMerge)
	all.AddRule(ruleNumbersFit, numbersFit)
	all.AddRule(ruleNoEmptyObjects, noEmptyObjects)
	if !introspection {
		all.AddRule(ruleNoIntrospection, noIntrospection)
	}
	return all
}

// numbersFit refuses a number beyond 64 bits where a custom scalar is wanted: the
// rule about values leaves those to the scalar, and gqlgen panics before it asks.
func numbersFit(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Definition == nil || value.Definition.Kind != ast.Scalar || value.Definition.BuiltIn {
			return
		}
		if _, err := value.Value(nil); err != nil {
			addError(core.Message("A number is out of range."), core.At(value.Position))
		}
	})
}

// noEmptyObjects refuses {} where a scalar or an enum is wanted. The rule about
// values looks at the fields that an object has, and gqlgen fails at one that has
// none, or panics.
func noEmptyObjects(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Kind == ast.ObjectValue && len(value.Children) == 0 && value.Definition != nil && value.Definition.IsLeafType() {
			addError(core.Message(`Expected a value of type "%s".`, value.Definition.Name), core.At(value.Position))
		}
	})
}

// noIntrospection refuses questions about the schema. By itself gqlgen would answer
// them with an error like any that a resolver returns.
func noIntrospection(observers *core.Events, addError core.AddErrFunc) {
	observers.OnField(func(_ *core.Walker, field *ast.Field) {
		if field.Name == "__schema" || field.Name == "__type" {
			addError(core.Message("Introspection is off on this server."), core.At(field.Position))
		}
	})
}

// checkConditions refuses null as a variable of type Boolean that has a default.
// GraphQL's rules let such a variable be the condition of @skip and @include, and
// gqlgen panics there at null.
func checkConditions(operation *graphql.OperationContext) gqlerror.List {
	for _, v := range operation.Operation.VariableDefinitions {
		value, given := operation.Variables[v.Variable]
		if given && value == nil && v.DefaultValue != nil && v.Type.Name() == "Boolean" {
			path := ast.Path{ast.PathName("variable"), ast.PathName(v.Variable)}
			return gqlerror.List{gqlerror.ErrorPathf(path, "cannot be null")}
		}
	}
	return nil
}

// servedSchema is the schema without @defer, which gqlparser adds to every schema:
// the transports send one response, so what was deferred would never arrive.
func servedSchema() *ast.Schema {
	schema := *parsedSchema
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	return &schema
}
