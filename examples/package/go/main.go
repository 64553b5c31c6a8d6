// A served model from Go, with the components of this project as a Pulumi package.
package main

import (
	"example.com/pulumi-tf-serving/sdk/go/tfserving"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		ground, err := tfserving.NewServingNamespace(ctx, "ground", &tfserving.ServingNamespaceArgs{
			Namespace:          "tf-serving",
			PodSecurityVersion: pulumi.StringRef("v1.34"),
		})
		if err != nil {
			return err
		}
		mnist, err := tfserving.NewModelService(ctx, "mnist", &tfserving.ModelServiceArgs{
			Namespace:   "tf-serving",
			Model:       "mnist",
			Version:     1000,
			Image:       pulumi.String(settings.Require("image")),
			ModelDigest: settings.Require("modelDigest"),
			Gpu:         &tfserving.GpuArgs{Count: pulumi.IntRef(1), Available: pulumi.IntRef(4)},
			Autoscaling: &tfserving.AutoscalingArgs{MinReplicas: pulumi.IntRef(2), MaxReplicas: pulumi.IntRef(4)},
		}, pulumi.DependsOn([]pulumi.Resource{ground}))
		if err != nil {
			return err
		}
		ctx.Export("restUrl", mnist.RestUrl)
		return nil
	})
}
