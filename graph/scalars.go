package graph

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// MarshalInt writes an Int.
func MarshalInt(i int) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Itoa(i)) })
}

const intMessage = "An Int must be a whole number of 32 bits."

// UnmarshalInt reads an Int, which has 32 bits by the GraphQL specification
// (section 3.5.1), from a literal, a variable's JSON number or an argument in the schema.
func UnmarshalInt(v any) (int, error) {
	var f float64
	switch v := v.(type) {
	case int:
		f = float64(v)
	case int64:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		f, _ = v.Float64() // on error: infinite, or 0 for what no parser lets through
	case nil: // a variable that may be null, for an argument that has a default
		return 0, invalidValue("This argument may be left out, but not be null.")
	default:
		f = math.NaN()
	}
	if f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32 {
		return 0, invalidValue(intMessage)
	}
	return int(f), nil
}

// MarshalDateTime writes an instant in UTC, RFC 3339, to the second.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, t.UTC().Format(`"2006-01-02T15:04:05Z"`))
	})
}

// UnmarshalDateTime reads an instant in RFC 3339.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, invalidValue("A DateTime must be an instant in RFC 3339.")
	}
	return t.UTC(), nil
}

// Upload is a file that is still on its way: reading it reads the request's body,
// so a field that is refused costs nothing, and one field can have it.
type Upload struct{ *uploadReader }

// MarshalUpload is needed by gqlgen, though no field returns an Upload.
func MarshalUpload(Upload) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload takes the file that the multipart transport has put among the
// variables. No JSON and no literal makes one.
func UnmarshalUpload(v any) (Upload, error) {
	upload, ok := v.(Upload)
	if !ok {
		return Upload{}, invalidValue("An Upload must be sent as a part of a multipart/form-data request.")
	}
	if upload.taken.Swap(true) {
		return Upload{}, badRequest("A file can be used by one field of a request.")
	}
	return upload, nil
}

// MarshalID writes an ID.
func MarshalID(id uuid.UUID) graphql.Marshaler { return graphql.MarshalUUID(id) }

// UnmarshalID reads an ID. It is opaque to clients, so a text that can't be one is that of
// nothing, which uuid.Nil is.
func UnmarshalID(v any) (uuid.UUID, error) {
	s, _ := v.(string)
	id, err := uuid.Parse(s)
	if err != nil || len(s) != len(id.String()) {
		return uuid.Nil, nil //nolint:nilerr // there is nothing wrong with the request
	}
	return id, nil
}
