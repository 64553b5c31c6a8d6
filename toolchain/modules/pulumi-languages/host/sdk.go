package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// GeneratePackage writes an SDK for the package whose schema the engine sends.
func (host *server) GeneratePackage(
	ctx context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, err
	}
	options := schema.ValidationOptions{AllowDanglingReferences: true}
	pkg, said, err := schema.BindSpecWithContext(ctx, spec, loader, options)
	if err != nil {
		return nil, err
	}
	answer := &pulumirpc.GeneratePackageResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(said)}
	if said.HasErrors() {
		return answer, nil
	}
	files, err := host.language.Generate(pkg, request, loader)
	if err != nil {
		return nil, err
	}
	return answer, write(request.Directory, files)
}

func write(folder string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Link makes a program depend on SDKs that were made for it.
func (host *server) Link(ctx context.Context, request *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	var instructions []string
	for _, dependency := range request.Packages {
		said, err := host.language.Link(ctx, request.Info.ProgramDirectory, dependency.Path)
		if err != nil {
			return nil, err
		}
		instructions = append(instructions, said)
	}
	return &pulumirpc.LinkResponse{ImportInstructions: strings.Join(instructions, "\n")}, nil
}

// InstallDependencies fetches what a program depends on, by the language's own means.
func (host *server) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest, stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.IsTerminal)
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }()
	install := host.language.Install
	command := exec.CommandContext(stream.Context(), install[0], install[1:]...)
	command.Dir, command.Stdout, command.Stderr = request.Info.ProgramDirectory, stdout, stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("`%s` failed: %w", strings.Join(install, " "), err)
	}
	return nil
}

// Do runs a command in a folder and returns what it printed; where it fails, what it complained of is the error.
func Do(ctx context.Context, folder string, words ...string) (string, error) {
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Dir = folder
	var complaint strings.Builder
	command.Stderr = &complaint
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("`%s` failed: %w\n%s", strings.Join(words, " "), err, complaint.String())
	}
	return strings.TrimSpace(string(printed)), nil
}
