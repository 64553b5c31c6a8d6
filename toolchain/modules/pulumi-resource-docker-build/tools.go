//go:build tools

// Package tools names the commands that this module pins: the plugin and the builder it talks to.
package tools

import (
	_ "github.com/moby/buildkit/cmd/buildkitd"
	_ "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build"
)
