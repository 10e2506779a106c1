//go:build tools

// Package tools names the command that is built from this module: what checks GitHub's workflow files.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
