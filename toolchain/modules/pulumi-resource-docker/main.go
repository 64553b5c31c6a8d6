// Command pulumi-resource-docker is Pulumi's provider for Docker hosts: the Terraform provider behind Pulumi's bridge, with the tokens
// that the Python SDK of the same version asks for. Its own builder of images (docker.Image) is not in it: images are built by
// docker-build. Names are given by the program, so that no rule for names is needed here.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	sdk "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

// The release of the SDK whose calls it answers.
const version = "4.11.2"

func main() {
	info := tfbridge.ProviderInfo{
		P:       sdk.NewProvider(shim.NewProvider(version)),
		Name:    "docker",
		Version: version,
		Resources: map[string]*tfbridge.ResourceInfo{
			// `Image` is the name of what it does not have.
			"docker_image": {Tok: "docker:index/remoteImage:RemoteImage"},
		},
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	// The schema serves the generators of SDK code only.
	tfbridge.Main("docker", version, info, []byte(`{"name":"docker","version":"`+version+`"}`))
}
