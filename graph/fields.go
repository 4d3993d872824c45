package graph

import (
	"errors"

	"nameplate/ent"
	"nameplate/internal/audit"
	"nameplate/internal/session"
)

// known is null where a text is empty.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// device is null where there was none: an operator has none, and not every client says.
func device(event *ent.Event) *string {
	if event.UserAgent == "" {
		return nil
	}
	return known(session.Device(event.UserAgent))
}

// values are what the pointers point to, as gqlgen wants lists.
func values[T any](pointers []*T) []T {
	list := make([]T, len(pointers))
	for i, p := range pointers {
		list[i] = *p
	}
	return list
}

// argumentError is what is wrong with an argument that the schema doesn't tell.
func argumentError(err error) error {
	if errors.Is(err, audit.ErrFirst) || errors.Is(err, audit.ErrCursor) {
		return invalidValue("The argument " + err.Error() + ".")
	}
	return err
}
