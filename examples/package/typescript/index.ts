// A served model from TypeScript, with the components of this project as a Pulumi package.
import * as pulumi from "@pulumi/pulumi";
import * as tfserving from "@pulumi/tf-serving";

const config = new pulumi.Config();

const ground = new tfserving.ServingNamespace("ground", { namespace: "tf-serving", podSecurityVersion: "v1.34" });

const mnist = new tfserving.ModelService(
    "mnist",
    {
        namespace: "tf-serving",
        model: "mnist",
        version: 1000,
        image: config.require("image"),
        modelDigest: config.require("modelDigest"),
        gpu: { count: 1, available: 4 },
        autoscaling: { minReplicas: 2, maxReplicas: 4 },
    },
    { dependsOn: [ground] },
);

export const restUrl = mnist.restUrl;
