package config

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"
)

// Limits bound what a GraphQL request may be. package graph says what each of
// them means, in fields of the same names.
type Limits struct {
	MaxBody          int           `default:"65536" help:"Bytes of a request, its file not counted." placeholder:"BYTES"`
	MaxJSONDepth     int           `default:"64" help:"Objects and lists of a request's JSON within one another." placeholder:"N"`
	MaxQuery         int           `default:"16384" help:"Bytes of a query." placeholder:"BYTES"`
	MaxTokens        int           `default:"1000" help:"Tokens of a query." placeholder:"N"`
	MaxOperations    int           `default:"5" help:"Operations of a query." placeholder:"N"`
	MaxFragments     int           `default:"20" help:"Fragments of a query." placeholder:"N"`
	MaxVariables     int           `default:"30" help:"Variables of an operation." placeholder:"N"`
	MaxDepth         int           `default:"15" help:"Fields of an operation within one another." placeholder:"N"`
	MaxFields        int           `default:"250" help:"Fields of an operation, fragments followed." placeholder:"N"`
	MaxAliases       int           `default:"20" help:"Aliases of an operation, fragments followed." placeholder:"N"`
	MaxDirectives    int           `default:"20" help:"Directives of an operation, fragments followed." placeholder:"N"`
	MaxQueryRoots    int           `default:"20" help:"Root fields of a query." placeholder:"N"`
	MaxMutationRoots int           `default:"3" help:"Root fields of a mutation." placeholder:"N"`
	MaxUpload        int           `default:"10485760" help:"Bytes of an uploaded file." placeholder:"BYTES"`
	MaxErrors        int           `default:"5" help:"Errors of a response." placeholder:"N"`
	MaxErrorLength   int           `default:"200" help:"Characters of an error's message." placeholder:"N"`
	MaxTime          time.Duration `default:"10s" help:"Time of an operation, not counted while its file arrives." placeholder:"DURATION"`
}

// maxNumber keeps sums of numbers, and ten times a rate, within an int of 32 bits.
const maxNumber = 1 << 27

// checkNumbers checks every setting that is a number.
func checkNumbers(flags []*kong.Flag) error {
	var errs []error
	for _, flag := range flags {
		if flag.Target.Type() != reflect.TypeFor[int]() {
			continue
		}
		if n := flag.Target.Int(); n < 1 || n > maxNumber {
			errs = append(errs, fmt.Errorf("%s is %d: it must be from 1 to %d", variable(flag), n, maxNumber))
		}
	}
	return errors.Join(errs...)
}
