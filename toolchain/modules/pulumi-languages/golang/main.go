// Command pulumi-language-go compiles and runs programs in Go, and makes SDKs for them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/host"
)

func main() {
	host.Serve(host.Language{
		Generate: generate,
		Link:     link,
		Install:  []string{"go", "get", "./..."},
		Program:  program,
	})
}

func generate(
	pkg *schema.Package, request *pulumirpc.GeneratePackageRequest, _ schema.ReferenceLoader,
) (map[string][]byte, error) {
	return golang.GeneratePackage("pulumi-language-go", pkg, request.LocalDependencies)
}

func link(ctx context.Context, program, sdk string) (string, error) {
	folder := filepath.Join(program, sdk)
	module, err := host.Do(ctx, folder, "go", "list", "-m")
	if err != nil {
		return "", err
	}
	packages, err := filepath.Glob(filepath.Join(folder, "*", "pulumi-plugin.json"))
	if err != nil || len(packages) == 0 {
		return "", fmt.Errorf("%s holds no package of an SDK", folder)
	}
	replace := "-replace=" + module + "=./" + filepath.ToSlash(sdk)
	_, err = host.Do(ctx, program, "go", "mod", "edit", "-require="+module+"@v0.0.0", replace)
	return fmt.Sprintf("import %q", module+"/"+filepath.Base(filepath.Dir(packages[0]))), err
}

func program(ctx context.Context, request *pulumirpc.RunRequest, engine string) (*exec.Cmd, func(), error) {
	folder, err := os.MkdirTemp("", "pulumi-go-")
	if err != nil {
		return nil, nil, err
	}
	finish := func() { _ = os.RemoveAll(folder) }
	executable := filepath.Join(folder, "program")
	if _, err := host.Do(ctx, request.Info.ProgramDirectory, "go", "build", "-o", executable, "."); err != nil {
		finish()
		return nil, nil, err
	}
	command := exec.CommandContext(ctx, executable)
	command.Env = append(
		os.Environ(),
		"PULUMI_MONITOR="+request.MonitorAddress,
		"PULUMI_ENGINE="+engine,
		"PULUMI_ORGANIZATION="+request.Organization,
		"PULUMI_PROJECT="+request.Project,
		"PULUMI_ROOT_DIRECTORY="+request.Info.RootDirectory,
		"PULUMI_STACK="+request.Stack,
		"PULUMI_DRY_RUN="+strconv.FormatBool(request.DryRun),
		"PULUMI_PARALLEL="+strconv.Itoa(int(request.Parallel)),
	)
	return command, finish, nil
}
