//go:build tools

// Package engine pins the Pulumi CLI, so that `go build` of its command resolves from go.sum.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
