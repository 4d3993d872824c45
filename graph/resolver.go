// Package graph is the GraphQL transport: it reads requests, asks the services
// and writes responses. Nothing is decided here but who may ask.
package graph
