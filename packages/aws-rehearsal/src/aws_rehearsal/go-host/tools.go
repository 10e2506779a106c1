//go:build tools

// Package gohost pins Pulumi's language host for Go, so that `go build` of its command resolves from go.sum.
package gohost

import _ "github.com/pulumi/pulumi/sdk/v3/go/pulumi-language-go"
