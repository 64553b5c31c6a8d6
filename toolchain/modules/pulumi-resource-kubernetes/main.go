// Command pulumi-resource-kubernetes is Pulumi's provider for Kubernetes, started with an almost
// empty schema: the schema serves the generators of SDK code and documentation only, and without it
// the binary is half the size and needs no second file. Programs bring their own SDK.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// The release whose sources go.mod pins; programs compare it with the version of their SDK.
const version = "4.25.0"

func main() {
	schema := []byte(`{"name":"kubernetes","version":"` + version + `"}`)
	terraformMapping := []byte(`{}`)
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
