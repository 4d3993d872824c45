package graph

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

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

// numbersFit refuses a number beyond 32 bits where an Int is wanted, and one beyond 64
// where a custom scalar is: the rule about values leaves those to the scalar, which is
// asked when its field is executed, and so after a mutation around it.
func numbersFit(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Definition == nil || value.Definition.Kind != ast.Scalar {
			return
		}
		if value.Kind == ast.IntValue && value.Definition.Name == "Int" {
			if _, err := strconv.ParseInt(value.Raw, 10, 32); err != nil {
				addError(core.Message(intMessage), core.At(value.Position))
			}
		} else if _, err := value.Value(nil); err != nil && !value.Definition.BuiltIn {
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

// checkVariables refuses values that would fail only when their field is executed, and
// so after a mutation around it.
func checkVariables(schema *ast.Schema, operation *graphql.OperationContext) gqlerror.List {
	for _, v := range operation.Operation.VariableDefinitions {
		path := ast.Path{ast.PathName("variable"), ast.PathName(v.Variable)}
		value, given := operation.Variables[v.Variable]
		// GraphQL's rules let a variable that has a default be the condition of @skip and
		// @include, and gqlgen panics there at null.
		if given && value == nil && v.DefaultValue != nil && v.Type.Name() == "Boolean" {
			return gqlerror.List{gqlerror.ErrorPathf(path, "cannot be null")}
		}
		if !intsFit(schema, v.Type, value) {
			return gqlerror.List{gqlerror.ErrorPathf(path, "has a number that is no Int")} // worded by the presenter
		}
	}
	return nil
}

// intsFit is whether every Int in a value is one: gqlparser takes those of any size, and
// texts.
func intsFit(schema *ast.Schema, of *ast.Type, value any) bool {
	definition := schema.Types[of.Name()]
	switch value := value.(type) {
	case nil:
		return true
	case []any:
		return !slices.ContainsFunc(value, func(element any) bool { return !intsFit(schema, cmp.Or(of.Elem, of), element) })
	case map[string]any:
		return !slices.ContainsFunc(definition.Fields, func(field *ast.FieldDefinition) bool {
			return !intsFit(schema, field.Type, value[field.Name])
		})
	}
	if definition.Name != "Int" {
		return true
	}
	_, err := UnmarshalInt(value)
	return err == nil
}

// servedSchema is the schema without @defer, which gqlparser adds to every schema:
// the transports send one response, so what was deferred would never arrive.
func servedSchema() *ast.Schema {
	schema := *parsedSchema
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	return &schema
}
