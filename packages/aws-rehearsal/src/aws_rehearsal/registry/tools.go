//go:build tools

// Package registry pins crane, which serves a registry in tests, so that `go build` of it resolves from go.sum.
package registry

import _ "github.com/google/go-containerregistry/cmd/crane"
