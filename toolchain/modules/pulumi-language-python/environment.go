package main

// The environment that `bin/setup` made is whole: it is first on PATH, and what it holds is what runs. This host would make another one
// inside the folder of a policy pack or of components, and would ask for the plugin of every Pulumi SDK that is installed, used or not;
// the engine then tries to download what cannot be had. To be removed with the old host.

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func init() {
	service := &pulumirpc.LanguageRuntime_ServiceDesc
	for i := range service.Streams {
		if service.Streams[i].StreamName == "InstallDependencies" {
			service.Streams[i].Handler = func(any, grpc.ServerStream) error { return nil }
		}
	}
	for i := range service.Methods {
		if service.Methods[i].MethodName == "GetRequiredPlugins" {
			service.Methods[i].Handler = installedOnly(service.Methods[i].Handler)
		}
	}
}

type method = func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error)

// Only where nothing may be fetched: elsewhere the engine installs what is missing, as it should.
func installedOnly(ask method) method {
	return func(host any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		answer, err := ask(host, ctx, decode, interceptor)
		found, ok := answer.(*pulumirpc.GetRequiredPluginsResponse)
		if err != nil || !ok || os.Getenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION") != "true" {
			return answer, err
		}
		found.Plugins = slices.DeleteFunc(found.Plugins, func(plugin *pulumirpc.PluginDependency) bool {
			folder := plugin.Kind + "-" + plugin.Name + "-" + plugin.Version
			_, missing := os.Stat(filepath.Join(os.Getenv("PULUMI_HOME"), "plugins", folder))
			return missing != nil
		})
		return found, nil
	}
}
