//go:build tools

// Package nodehost pins Pulumi's language host for Node.js, so that `go build` of its command resolves from go.sum.
package nodehost

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
