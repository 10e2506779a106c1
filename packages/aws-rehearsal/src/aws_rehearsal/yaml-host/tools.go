//go:build tools

// Package yamlhost pins Pulumi's language host for YAML, so that `go build` of its command resolves from go.sum.
package yamlhost

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
