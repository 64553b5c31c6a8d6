package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// What Pulumi's SDKs exit with once they have told the user all there is to say.
const alreadySaid = 32

// GetPluginInfo names no version: the host goes with the CLI that it was built beside.
func (*server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages names none: what a program turns out to need, the engine looks for when it needs it.
func (*server) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (host *server) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	command, finish, err := host.language.Program(ctx, request, host.engine)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	defer finish()
	settings, err := configuration(request)
	if err != nil {
		return nil, err
	}
	command.Dir = request.Pwd
	command.Env = append(command.Environ(), settings...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	err = command.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &ended) && ended.ExitCode() == alreadySaid:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program failed: %v", err)}, nil
	}
}

// The SDK for Node takes an empty object where there is no configuration, and stumbles over null.
func configuration(request *pulumirpc.RunRequest) ([]string, error) {
	values := map[string]string{}
	maps.Copy(values, request.Config)
	config, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(append([]string{}, request.ConfigSecretKeys...))
	if err != nil {
		return nil, err
	}
	return []string{"PULUMI_CONFIG=" + string(config), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}, nil
}
